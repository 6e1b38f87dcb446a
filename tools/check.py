"""``make check``: style, types, import order, migrations, translations and the API's description, one after another."""

import difflib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
BIN = BASE_DIR / ".venv" / "bin"
OPENAPI = BASE_DIR / "docs" / "openapi.yaml"


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


def api_description_is_current() -> bool:
    """The committed description equals what the code makes."""
    if not OPENAPI.exists():
        print("docs/openapi.yaml is not there yet")
        return True
    made = subprocess.run(
        [str(BIN / "python"), "manage.py", "spectacular", "--validate", "--fail-on-warn"],
        cwd=BASE_DIR, capture_output=True, text=True,
    )  # fmt: skip
    if made.returncode:
        print(made.stderr[-4000:])
        return False
    differs = list(
        difflib.unified_diff(
            OPENAPI.read_text(encoding="utf-8").splitlines(),
            made.stdout.splitlines(),
            "docs/openapi.yaml",
            "code",
            "",
            "",
            2,
        )
    )
    print("\n".join(differs[:80]) or "docs/openapi.yaml is current")
    if differs:
        print("Write it again: .venv/bin/python manage.py spectacular --validate --file docs/openapi.yaml")
    return not differs


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
    "API description": api_description_is_current,
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
