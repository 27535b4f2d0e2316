"""`make pins`: resolve the direct requirements into complete, pinned lists for every platform."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.programs import ROOT


def main() -> None:
    """Write `requirements.txt` and `requirements-test.txt`; what may keep its version keeps it."""
    here = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    uv = shutil.which("uv", path=here)
    if uv is None:
        sys.exit("uv is missing: .venv/bin/pip install uv, then again.")
    for name in ("requirements", "requirements-test"):
        command = [
            *(uv, "pip", "compile", "--quiet"),
            *("--universal", "--python-version", "3.11"),
            *("--no-header", "--no-annotate", "--no-emit-index-url"),
            *("--output-file", f"{name}.txt", f"{name}.in"),
        ]
        if subprocess.call(command, cwd=ROOT) != 0:
            sys.exit(f"Could not resolve {name}.in: the messages above name the reason.")


if __name__ == "__main__":
    main()
