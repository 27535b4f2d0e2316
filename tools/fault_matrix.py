"""`make fault-matrix`: every operation under every fault on both databases, then the page of it.

Exits non-zero, and writes nothing, when a run is red.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from tools.programs import ROOT

MATRIX = "tests/inprocess/test_fault_matrix.py"
PYTEST = Path(sys.prefix) / "bin" / "pytest"
DATABASES = {"PostgreSQL": "", "SQLite": "1"}
PROCESSES = "2"
PAGE_TEST = "test_the_page_says_what_is_tested"


def main() -> None:
    """Run the matrix on each database, and write `docs/fault-matrix.md` when all is green."""
    write_page(MATRIX, page="docs/fault-matrix.md", named="WRITE_FAULT_MATRIX")


def write_page(tests: str, *, page: str, named: str) -> None:
    """Run a file of tests on each database, then its last one, which writes the page that says
    what was run when the variable that is `named` is set.
    """
    its_page = f"{tests}::{PAGE_TEST}"
    red = []
    for name, embedded in DATABASES.items():
        print(f"→ {tests} on {name}", flush=True)
        started = time.monotonic()
        parallel = ("--numprocesses", PROCESSES, "--dist", "loadgroup")
        if not passes(tests, *parallel, "--deselect", its_page, TEST_EMBEDDED=embedded):
            red.append(name)
        print(f"  {time.monotonic() - started:.0f} s", flush=True)
    if red:
        sys.exit(f"{tests} is red on {' and '.join(red)}.")
    if not passes(its_page, TEST_EMBEDDED="1", **{named: "1"}):
        sys.exit("The page could not be written.")
    print(f"{page} is written.")


def passes(*arguments: str, **env: str) -> bool:
    """Run pytest with the sandbox in its own process."""
    inherited = {
        name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"
    }
    done = subprocess.run(
        [PYTEST, "--quiet", *arguments],
        cwd=ROOT,
        env=inherited | {"TEST_INPROCESS": "1"} | env,
        check=False,
    )
    return done.returncode == 0


if __name__ == "__main__":
    main()
