"""Bring the database up to date: ``python -m tools.database [--demo]``.

Migrates as the owner, writes the reference data, and with ``--demo`` loads the demo dealership or tops it up to today.
One process, because each start of Django costs seconds.
"""

import argparse
import os
import sys


def main() -> int:
    parser = argparse.ArgumentParser(description="Migrate, seed and, if asked, load the demo")
    parser.add_argument("--demo", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dealership.settings")

    import django
    from django.core.management import call_command, get_commands

    django.setup()

    from dealership.kernel.seeds import seed_all

    call_command("migrate", database="owner", interactive=False, verbosity=0)
    seed_all()
    if options.demo and "demo" in get_commands():
        call_command("demo")
    if not options.demo and "setup_code" in get_commands():
        call_command("setup_code")
    return 0


if __name__ == "__main__":
    sys.exit(main())
