"""The client stands alone: whoever copies the folder needs nothing else of this project."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

IMPORT_ALL = """
import importlib, pkgutil, sys
import bokio_app.bokio
names = [each.name for each in pkgutil.walk_packages(bokio_app.bokio.__path__, "bokio_app.bokio.")]
assert len(names) > 20, names
for name in names:
    importlib.import_module(name)
foreign = [
    name for name in sys.modules
    if name.partition(".")[0] in {"django", "celery"}
    or (name.startswith("bokio_app.") and not name.startswith("bokio_app.bokio"))
]
print(foreign)
"""


def test_all_of_it_loads_without_django_and_without_the_rest_of_the_project():
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout.strip()) == (0, "[]"), ended.stderr
