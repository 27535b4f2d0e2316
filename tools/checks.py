"""`make test`, `make test-fast`, `make lint`, `make format`: the checks, one after the other.

Every stage runs, also after one has failed, and the end names those that did.
"""

import base64
import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tools import browser
from tools.programs import ROOT, manage

BIN = Path(sys.prefix) / "bin"
DATA = "not journey and not slow"
# More processes than cores: each waits half of its time, for a sandbox, a server or a clock.
PROCESSES = "3"
# Of no database, or of addresses, which answer the same on each: these run on PostgreSQL alone.
ON_ONE_DATABASE = ("bokio", "contract", "isolation", "look", "sandbox", "tools")
QUICK = f"{DATA} and not fault"
INPROCESS = {"TEST_INPROCESS": "1"}
SEEDS = "2000"  # of the simulation; `make simulate` plays more
SANDBOX_SETTINGS = {"DJANGO_SETTINGS_MODULE": "bokio_app.sandbox.settings"}


@dataclass(frozen=True)
class Stage:
    """One check. A loud one writes to the terminal; of a quiet one only failures are shown.

    One that runs `behind` takes what the others leave of the processors, from its turn to the end.
    """

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)
    loud: bool = False
    behind: bool = False


def main() -> None:
    """Run the set of stages that the argument names."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else "all"
    with scratch() as var:
        sets = {
            "all": [*install_missing(), *lint(var), *django(var), *tests()],
            "fast": [*formatting(check=True), types(var)[0], *fast_tests()],
            "lint": lint(var),
            "format": formatting(),
        }
        if wanted not in sets:
            sys.exit(f"{wanted}: not one of {', '.join(sets)}")
        started = time.monotonic()
        results = run_all(sets[wanted])
    report(results, total=time.monotonic() - started)


def tool(name: str, *arguments: str) -> list[str | Path]:
    """Return the command line of a tool that the environment brings."""
    return [BIN / name, *arguments]


def formatting(*, check: bool = False) -> list[Stage]:
    """Return what puts the code into its format, or only looks whether it is."""
    if check:
        return [
            Stage("ruff format", tool("ruff", "format", "--check", ".")),
            Stage("ruff check", tool("ruff", "check", ".")),
        ]
    return [
        Stage("ruff check --fix", tool("ruff", "check", "--fix", "--quiet", "."), loud=True),
        Stage("ruff format", tool("ruff", "format", "--quiet", "."), loud=True),
    ]


def lint(var: Path) -> list[Stage]:
    """Return the checks that read the code and run none of it."""
    return [
        *formatting(check=True),
        *types(var),
        Stage("import order", tool("lint-imports")),
        Stage("templates", tool("djlint", "--lint", "--quiet", "templates")),
    ]


def types(var: Path) -> list[Stage]:
    """Return mypy for product and sandbox: it knows one set of Django settings in a run."""
    embedded = {"VAR_DIR": str(var)}
    config = (ROOT / "pyproject.toml").read_text()
    config = config.replace('"bokio_app.settings"', '"bokio_app.sandbox.settings"')
    sandbox = var / "sandbox.toml"
    sandbox.write_text(
        config.replace('packages = ["bokio_app"]', 'packages = ["bokio_app.sandbox"]')
    )
    flags = ("--config-file", str(sandbox), "--cache-dir", ".mypy_cache/sandbox")
    return [
        Stage("types", tool("mypy", "--exclude", "^bokio_app/sandbox/"), embedded),
        Stage("types of the sandbox", tool("mypy", *flags), embedded),
    ]


def django(var: Path) -> list[Stage]:
    """Return Django's own checks, and those of the translations."""
    embedded = {"VAR_DIR": str(var), "DATABASE_URL": "", "REDIS_URL": ""}
    migrations = manage("makemigrations", "--check", "--dry-run")
    return [
        Stage("manage.py check", manage("check", "--fail-level", "WARNING"), embedded),
        Stage(
            "manage.py check --deploy",
            manage("check", "--deploy", "--fail-level", "WARNING"),
            production(var),
        ),
        Stage("migrations", migrations, embedded),
        Stage("migrations of the sandbox", migrations, embedded | SANDBOX_SETTINGS),
        Stage("translations", [sys.executable, "-m", "tools.messages", "check"]),
    ]


def tests() -> list[Stage]:
    """Return all tests on PostgreSQL, those of the data layer on SQLite, those that run product and
    sandbox in one process, and the simulation.
    """
    pytest = tool("pytest", "--numprocesses", PROCESSES, "--dist", "loadfile", "--durations", "8")
    pytest.append("--no-loadscope-reorder")  # `tests/conftest.py` has put the longest first
    once = [f"--ignore=tests/{folder}" for folder in ON_ONE_DATABASE]
    computing = [*pytest, "--numprocesses", "2", "--dist", "loadgroup"]  # these wait for nothing
    inside = [*computing, "-m", "not slow", "tests/inprocess"]
    seeds = [sys.executable, "-m", "tools.simulate", "--seeds", SEEDS, "--processes", "2"]
    # Their worker processes wait for Bokio nearly always, so these few do not disturb each other,
    # and what runs behind gives way at once.
    timed = [*computing, "--dist", "load", "-m", "timed", "tests/flows"]
    most = [*pytest, "-m", "not timed"]
    return [
        Stage("simulation", seeds, loud=True, behind=True),
        Stage("moments on PostgreSQL", timed, {"TEST_EMBEDDED": ""}, loud=True),
        Stage("tests on PostgreSQL", most, {"TEST_EMBEDDED": ""}, loud=True),
        Stage("tests on SQLite", [*pytest, "-m", DATA, *once], {"TEST_EMBEDDED": "1"}, loud=True),
        Stage("in one process, PostgreSQL", inside, INPROCESS | {"TEST_EMBEDDED": ""}, loud=True),
        Stage("in one process, SQLite", inside, INPROCESS | {"TEST_EMBEDDED": "1"}, loud=True),
    ]


def fast_tests() -> list[Stage]:
    """Return the tests of the product's inner loop: not those of the programs beside it."""
    others = [f"--ignore=tests/{folder}" for folder in ("contract", "sandbox", "tools")]
    pytest = tool("pytest", "--numprocesses", "2", "--dist", "loadfile", "-m", QUICK)
    return [Stage("tests on SQLite", [*pytest, *others], {"TEST_EMBEDDED": "1"}, loud=True)]


def production(var: Path) -> dict[str, str]:
    """Return an environment such as a deployment has; nothing is ever sent to its addresses."""
    return {
        "APP_URL": "https://bokio-app.example",
        "BOKIO_CLIENT_ID": str(uuid.uuid4()),
        "BOKIO_CLIENT_SECRET": secrets.token_urlsafe(32),
        "DATABASE_URL": "postgres://app:secret@database.example/app",
        "FIELD_ENCRYPTION_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
        "REDIS_URL": "redis://redis.example/0",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "VAR_DIR": str(var),
    }


def install_missing() -> list[Stage]:
    """Return what brings the system's packages that tests need and the machine lacks."""
    needed = {browser.PACKAGE: browser.NAMES, "gettext": ("msgfmt",)}
    missing = [
        package for package, names in needed.items() if not any(shutil.which(n) for n in names)
    ]
    if not missing:
        return []
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    name = f"system packages: {', '.join(missing)}"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        both = f"apt-get update && {' '.join(install)}"
        return [Stage(name, ["sh", "-c", both], {"DEBIAN_FRONTEND": "noninteractive"})]
    line = f"Missing: {', '.join(missing)}. Debian, Ubuntu: sudo {' '.join(install)}"
    return [Stage(name, ["sh", "-c", f"echo '{line}' >&2; exit 1"])]


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder for what the checks write."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def run_all(stages: Sequence[Stage]) -> list[tuple[Stage, bool, float]]:
    """Run one after the other, and those behind them meanwhile."""
    results, behind = [], []
    with ThreadPoolExecutor() as pool:
        for stage in stages:
            if stage.behind:
                behind.append((stage, pool.submit(run, stage)))
            else:
                results.append((stage, *run(stage)))
        return results + [(stage, *ended.result()) for stage, ended in behind]


def run(stage: Stage) -> tuple[bool, float]:
    """Run a stage; return whether it passed, and the seconds it took."""
    print(f"→ {stage.name}", flush=True)
    started = time.monotonic()
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    last = ["nice", "-n", "19"] if stage.behind else []
    done = subprocess.run(
        [*last, *map(str, stage.command)],
        cwd=ROOT,
        env=env | dict(stage.env),
        check=False,
        stdout=None if stage.loud else subprocess.PIPE,
        stderr=None if stage.loud else subprocess.STDOUT,
    )
    if done.returncode != 0 and not stage.loud:
        print((done.stdout or b"").decode(errors="replace"), flush=True)
    return done.returncode == 0, time.monotonic() - started


def report(results: Sequence[tuple[Stage, bool, float]], *, total: float) -> None:
    """Print what each stage took, and all of them together; end with the names that failed."""
    print()
    for stage, passed, seconds in results:
        print(f"  {'ok    ' if passed else 'FAILED'} {seconds:6.1f} s  {stage.name}")
    failed = [stage.name for stage, passed, _ in results if not passed]
    if failed:
        sys.exit(f"Failed after {total:.0f} s: {', '.join(failed)}")
    print(f"All passed in {total:.0f} s.")


if __name__ == "__main__":
    main()
