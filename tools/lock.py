"""``make lock``: compile both requirements files from ``pyproject.toml``, and the front-end's lock, without addresses.

pip-tools lives in a folder of its own under ``VAR_DIR``, so that it doesn't lock itself.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tools.check import locks_name_no_addresses

BASE_DIR = Path(__file__).resolve().parent.parent
OPTIONS = ["-q", "--allow-unsafe", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--strip-extras"]


def main() -> int:
    place = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").resolve() / "lock-tools"
    python = place / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "pip-tools"], check=True)
    compile_command = [str(python), "-m", "piptools", "compile", *OPTIONS, *sys.argv[1:]]
    quiet = {**os.environ, "CUSTOM_COMPILE_COMMAND": "make lock"}
    for more in (["-o", "requirements.txt"], ["--extra", "dev", "-o", "requirements-dev.txt"]):
        subprocess.run([*compile_command, *more, "pyproject.toml"], cwd=BASE_DIR, check=True, env=quiet)
    subprocess.run(
        ["npm", "install", "--package-lock-only", "--silent", "--omit-lockfile-registry-resolved"],
        cwd=BASE_DIR,
        check=True,
    )
    lock = BASE_DIR / "package-lock.json"
    whole = json.loads(lock.read_text())
    for package in whole["packages"].values():
        package.pop("resolved", None)
    lock.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
    return 0 if locks_name_no_addresses() else 1


if __name__ == "__main__":
    sys.exit(main())
