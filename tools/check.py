"""``make check``: style, types, import order, migrations, translations and the API's description, one after another."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
BIN = BASE_DIR / ".venv" / "bin"


def _call(*command: str) -> bool:
    return subprocess.run([str(BIN / command[0]), *command[1:]], cwd=BASE_DIR).returncode == 0


def locks_name_no_addresses() -> bool:
    """A lock that records download addresses would send every reader to one index."""
    wrong = []
    for name in ("requirements.txt", "requirements-dev.txt", "package-lock.json"):
        for number, line in enumerate((BASE_DIR / name).read_text().splitlines(), 1):
            if any(
                mark in line for mark in ("--index-url", "--extra-index-url", "--find-links", '"resolved"', "file:")
            ) and not line.lstrip().startswith("#"):
                wrong.append(f"{name}:{number}: {line.strip()}")
    print("\n".join(wrong) or "no addresses in the locks")
    return not wrong


CHECKS: dict[str, Callable[[], bool]] = {
    "style": lambda: _call("ruff", "check", "."),
    "format": lambda: _call("ruff", "format", "--check", "."),
    "import order": lambda: _call("lint-imports"),
    "locks": locks_name_no_addresses,
    "translations": lambda: _call("python", "-m", "tools.messages", "--check"),
    "system": lambda: _call("python", "manage.py", "check", "--fail-level", "WARNING"),
    "migrations": lambda: _call(
        "python", "-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run", "-v", "1"
    ),
    "API description": lambda: _call("python", "manage.py", "openapi", "--check"),
    "types": lambda: _call("mypy"),
}


def main() -> int:
    wanted = sys.argv[1:] or list(CHECKS)
    failed = []
    for name in wanted:
        start = time.monotonic()
        print(f"── {name}", flush=True)
        if not CHECKS[name]():
            failed.append(name)
        print(f"   {time.monotonic() - start:.1f} s", flush=True)
    print(f"check: {', '.join(failed)} failed" if failed else "check: clean")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
