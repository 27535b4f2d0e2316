"""`make contract-cases CASES=10000 SEED=1`: a long run of generated cases against the sandbox.

The same tests as in `make test`, on both cores; a failure prints what to send again.
"""

import os
import subprocess
import sys

from tools.checks import tool
from tools.programs import ROOT

TESTS = ("tests/contract/test_generated.py", "tests/contract/test_histories.py")


def main() -> None:
    """Run them as often as `CONTRACT_CASES` says. The contract is named by `BOKIO_OPENAPI_DIR`."""
    if not os.environ.get("BOKIO_OPENAPI_DIR"):
        sys.exit("BOKIO_OPENAPI_DIR names no folder with Bokio's published files.")
    print(f"{os.environ['CONTRACT_CASES']} cases, seed {os.environ['CONTRACT_SEED']}", flush=True)
    command = tool("pytest", "--quiet", "--numprocesses", "2", "--dist", "worksteal", *TESTS)
    environment = {key: value for key, value in os.environ.items() if "SETTINGS" not in key}
    environment["TEST_EMBEDDED"] = "1"
    sys.exit(subprocess.call([str(part) for part in command], cwd=ROOT, env=environment))


if __name__ == "__main__":
    main()
