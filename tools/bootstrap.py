"""Set up `.venv` with pinned requirements, then run one of the project's tools inside it.

    python3 tools/bootstrap.py requirements.txt tools.demo [arguments…]

Standard library only, and no syntax newer than Python 3.7, so that an old Python reads as far as
the one line that says what to do. A set-up that is already complete costs a few hundredths of a
second: a stamp beside the environment holds the hash of what was installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OLDEST = (3, 11)
NEWEST_TRIED = 20
UV = "uv==0.13.8"  # installs in seconds what takes pip most of a minute


def main(arguments: list[str]) -> None:
    """Prepare the environment, then become the tool: signals and the exit code are its own."""
    if sys.version_info < OLDEST:
        continue_with_newer_python(arguments)
    requirements, module = ROOT / arguments[0], arguments[1]
    lock = os.open(str(ROOT), os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)  # a second start waits until the first has installed
    prepare(requirements)
    os.close(lock)
    os.chdir(str(ROOT))
    # Web, workers and tests are many processes: without it, each compiles every module anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    python = str(VENV / "bin" / "python")
    os.execv(python, [python, "-m", module, *arguments[2:]])  # noqa: S606  # becoming it is the point


def fail(line: str) -> None:
    """End with one line on the terminal."""
    sys.exit(line)


def continue_with_newer_python(arguments: list[str]) -> None:
    """Start again with a Python that is new enough, if there is one on PATH."""
    for minor in range(NEWEST_TRIED, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and runs(found):
            os.execv(found, [found, str(Path(__file__).resolve()), *arguments])  # noqa: S606  # the same script
    fail(
        "bokio_app needs Python {}.{} or newer, and this is Python {}.{}. Install a newer one "
        "(Debian, Ubuntu: sudo apt-get install python3; macOS: brew install python), "
        "or name one: make demo PYTHON=/path/to/python3".format(*OLDEST, *sys.version_info[:2])
    )


def runs(python: str) -> bool:
    """Tell whether the program is a Python that is new enough."""
    test = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    try:
        return subprocess.call([python, "-c", test], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def prepare(requirements: Path) -> None:
    """Make the environment and install the requirements, unless the stamp says it is done."""
    stamp = VENV / (requirements.name + ".installed")
    wanted = fingerprint(requirements)
    if stamp.is_file() and stamp.read_text() == wanted and runs(str(VENV / "bin" / "python")):
        return
    if not runs(str(VENV / "bin" / "python")):
        make_environment()
    print(f"Installing {requirements.name} into .venv …", flush=True)
    if not install(requirements):
        fail(
            f"Could not install {requirements.name}: the messages above name the reason "
            "(no network, or a package index that cannot be reached?)."
        )
    stamp.write_text(wanted)


def fingerprint(requirements: Path) -> str:
    """Return a hash that changes with the pins and with the Python that runs them."""
    content = requirements.read_bytes() + sys.version.encode()
    return hashlib.sha256(content).hexdigest()


def make_environment() -> None:
    """Create `.venv`, replacing one that no longer runs."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        fail(
            "Python's venv module is missing. Debian, Ubuntu: "
            "sudo apt-get install python{}.{}-venv; then start again.".format(*sys.version_info[:2])
        )
    print("Creating .venv …", flush=True)
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)]) != 0:
        fail("Could not create .venv: the messages above name the reason.")


def install(requirements: Path) -> bool:
    """Install with uv where it can be had and used, else with pip."""
    python = str(VENV / "bin" / "python")
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1")
    pip = [python, "-m", "pip", "install", "--quiet"]
    if not pip_has_an_index_of_its_own(python):
        uv = shutil.which("uv") or str(VENV / "bin" / "uv")
        if Path(uv).exists() or quiet([*pip, UV], environment):
            command = [uv, "pip", "install", "--quiet", "--python", python, "-r", str(requirements)]
            if quiet(command, environment):
                return True
    return subprocess.call([*pip, "-r", str(requirements)], env=environment) == 0


def pip_has_an_index_of_its_own(python: str) -> bool:
    """Tell whether pip was told where packages come from: uv does not read pip's settings."""
    told = [python, "-m", "pip", "config", "list"]
    try:
        settings = subprocess.check_output(told, stderr=subprocess.DEVNULL).decode()
    except (OSError, subprocess.CalledProcessError):
        return False
    return any(name in settings for name in (".index-url=", ".no-index="))


def quiet(command: list[str], environment: dict[str, str]) -> bool:
    """Run something whose failure has a way round, so its complaints are of no use to anyone."""
    try:
        nowhere = subprocess.DEVNULL
        return subprocess.call(command, env=environment, stdout=nowhere, stderr=nowhere) == 0
    except OSError:
        return False


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        fail("Stopped; the next start installs what is missing.")
