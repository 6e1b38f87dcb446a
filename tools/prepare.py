"""Set-up for every other command: ``python tools/prepare.py [--dev]``. Standard library only.

Makes ``.venv``, installs the locked packages, compiles translations and collects static files; each only when what it
comes from has changed. A ``.venv`` or ``node_modules`` that is a link belongs to somebody else and is left alone.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
VENV = BASE_DIR / ".venv"
PYTHON = VENV / "bin" / "python"
NODE_MODULES = BASE_DIR / "node_modules"
NODE_WANTED = 18


class Missing(Exception):
    """Something this machine lacks; the text says what and how to get it."""


def say(text: str) -> None:
    print(text, flush=True)


def _hash(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + (path.read_bytes() if path.exists() else b"") + b"\0")
    return digest.hexdigest()


def _run(*command: str | Path, **more: object) -> None:
    subprocess.run([str(part) for part in command], cwd=BASE_DIR, check=True, **more)  # type: ignore[call-overload]


def check_python() -> None:
    if not (3, 11) <= sys.version_info[:2] < (3, 13):
        found = ".".join(map(str, sys.version_info[:2]))
        raise Missing(
            f"Python {found} is not supported: install Python 3.12 (Debian 12: apt-get install python3.11 "
            "python3.11-venv), or name one: make PYTHON=/path/to/python3.12"
        )


def make_venv(*, dev: bool) -> None:
    if VENV.is_symlink():
        return
    works = PYTHON.exists() and not subprocess.run([str(PYTHON), "-c", "import pip"], capture_output=True).returncode
    if works:
        version = subprocess.check_output([str(PYTHON), "-c", "import sys; print(sys.version_info[:2])"], text=True)
        works = version.strip() in {"(3, 11)", "(3, 12)"}
    if not works:
        say("Making .venv …")
        shutil.rmtree(VENV, ignore_errors=True)
        made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
        if made.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            name = f"python3.{sys.version_info[1]}-venv"
            raise Missing(f"Python can't make a virtual environment: apt-get install -y {name} (the module venv)")
    # The development lock holds everything of the ordinary one, so what has it needs no second installation.
    for name in ["requirements-dev.txt"] if dev else ["requirements-dev.txt", "requirements.txt"]:
        stamp = VENV / f".installed-{name}"
        if stamp.exists() and stamp.read_text() == _hash(BASE_DIR / name):
            return
    name = "requirements-dev.txt" if dev else "requirements.txt"
    say(f"Installing Python packages of {name} (a few minutes the first time) …")
    try:
        _run(PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes", "-r", name)
    except subprocess.CalledProcessError as error:
        raise Missing(
            f"Installing {name} failed (see above): is the package index reachable? Then run it again."
        ) from error
    (VENV / f".installed-{name}").write_text(_hash(BASE_DIR / name))


def install_node_packages() -> None:
    if NODE_MODULES.is_symlink():
        return
    stamp = NODE_MODULES / ".installed-lock"
    if stamp.exists() and stamp.read_text() == _hash(BASE_DIR / "package-lock.json"):
        return
    how = f"install Node {NODE_WANTED} or newer with npm (Debian: apt-get install -y nodejs npm; or https://nodejs.org)"
    if not shutil.which("node"):
        raise Missing(f"Node is missing: {how}")
    version = subprocess.check_output(["node", "--version"], text=True).strip()
    if int(version.lstrip("v").split(".")[0]) < NODE_WANTED:
        raise Missing(f"Node {version} is too old: {how}")
    if not shutil.which("npm"):
        raise Missing(f"npm is missing: {how}")
    say("Installing front-end packages …")
    try:
        _run("npm", "ci", "--ignore-scripts", "--silent", "--no-audit", "--no-fund")
    except subprocess.CalledProcessError as error:
        raise Missing("npm ci failed (see above): is the npm registry reachable? Then run it again.") from error
    stamp.write_text(_hash(BASE_DIR / "package-lock.json"))


def compile_translations() -> None:
    for source in BASE_DIR.glob("locale/*/*/LC_MESSAGES/django.po"):
        made = source.with_suffix(".mo")
        if not made.exists() or made.stat().st_mtime_ns < source.stat().st_mtime_ns:
            _run(PYTHON, "-m", "tools.messages", "--compile")
            return


def collect_static(var: Path) -> None:
    stamp = var / ".static-stamp"
    digest = hashlib.sha256(_hash(BASE_DIR / "package-lock.json", BASE_DIR / "dealership" / "settings.py").encode())
    for path in sorted((BASE_DIR / "static").rglob("*")):
        digest.update(f"{path}\0{path.stat().st_mtime_ns}\0".encode())
    if stamp.exists() and stamp.read_text() == digest.hexdigest() and (var / "static").exists():
        return
    say("Collecting static files …")
    shutil.rmtree(var / "static", ignore_errors=True)
    _run(PYTHON, "manage.py", "collectstatic", "--noinput", "-v", "0")
    stamp.write_text(digest.hexdigest())


def install_side_by_side(*, dev: bool) -> None:
    """Python and front-end packages at once: each waits mostly for the network."""
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(make_venv, dev=dev), pool.submit(install_node_packages)]
    for one in both:
        one.result()


def prepare(*, dev: bool = False, static: bool = True) -> None:
    check_python()
    var = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").resolve()
    try:
        var.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Missing(f"VAR_DIR {var} can't be made: {error.strerror}. Name another: VAR_DIR=/path make run") from error
    lock = os.open(BASE_DIR, os.O_RDONLY)  # two starts side by side share .venv: one installs, the other waits
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install_side_by_side(dev=dev)
        compile_translations()
        if static:
            collect_static(var)
    finally:
        os.close(lock)


def main() -> int:
    parser = argparse.ArgumentParser(description="Set up what the other commands need")
    parser.add_argument("--dev", action="store_true", help="with the tools for tests and checks")
    parser.add_argument("--no-static", action="store_true")
    options = parser.parse_args()
    try:
        prepare(dev=options.dev, static=not options.no_static)
    except Missing as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"Set-up stopped: {' '.join(error.cmd)} failed (see above).", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
