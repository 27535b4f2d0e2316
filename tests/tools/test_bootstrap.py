"""The set-up of a fresh machine: one clear line for whatever it lacks, and quick when complete."""

import ast
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.programs import ROOT

SCRIPT = ROOT / "tools" / "bootstrap.py"


def miniature(folder: Path) -> Path:
    """Make a project of the set-up, no requirements, and one tool that greets."""
    (folder / "tools").mkdir()
    shutil.copy(SCRIPT, folder / "tools")
    (folder / "tools" / "greet.py").write_text(
        "import sys; print('hello', *sys.argv[1:], *['slowly'] * sys.dont_write_bytecode)"
    )
    (folder / "requirements.txt").write_text("")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return miniature(tmp_path)


def run(project: Path, *, before: str = "", path: str | None = None) -> tuple[int, str]:
    """Run the set-up, after the code `before`; return exit code and everything it printed."""
    script = project / "tools" / "bootstrap.py"
    code = (
        f"import runpy, sys\n{before}\n"
        f"sys.argv = ['bootstrap.py', 'requirements.txt', 'tools.greet', 'you']\n"
        f"runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    env = {**os.environ, "PATH": os.environ["PATH"] if path is None else path}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_an_old_python_can_read_it() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 7))


def test_an_old_python_gets_one_line_that_says_what_to_do(project: Path) -> None:
    code, output = run(project, before="sys.version_info = (3, 9, 2, 'final', 0)", path="")

    assert code == 1
    (line,) = output.splitlines()
    assert line.startswith("bokio_app needs Python 3.11 or newer, and this is Python 3.9.")
    assert "make demo PYTHON=" in line
    assert not (project / ".venv").exists()


def test_an_old_python_gives_way_to_a_newer_one_on_path(project: Path, tmp_path: Path) -> None:
    newer = tmp_path / "bin" / "python3.11"
    newer.parent.mkdir()
    newer.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "newer one, $2 $3 $4"\n')
    newer.chmod(0o755)

    code, output = run(
        project, before="sys.version_info = (3, 9, 2, 'final', 0)", path=str(newer.parent)
    )

    assert (code, output) == (0, "newer one, requirements.txt tools.greet you\n")


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_missing_venv_module_names_the_package_to_install(project: Path, module: str) -> None:
    hidden = (
        "import importlib.util\nfind = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda name: None if name == {module!r} else find(name)"
    )

    code, output = run(project, before=hidden)

    assert code == 1
    (line,) = output.splitlines()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"sudo apt-get install python{version}-venv" in line


@pytest.fixture(scope="module")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """A fresh folder after its set-up, which takes long; what that ended with and printed."""
    project = miniature(tmp_path_factory.mktemp("project"))
    return project, *run(project)


@pytest.mark.slow
def test_a_fresh_folder_is_set_up_once_and_then_starts_at_once(
    set_up: tuple[Path, int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, code, output = set_up
    assert code == 0, output
    assert output.splitlines()[-1] == "hello you"
    assert "Creating .venv" in output

    # Some machines say so for everybody; then each of our processes would compile all anew.
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    started = time.monotonic()
    assert run(project) == (0, "hello you\n")
    assert time.monotonic() - started < 1

    (project / "requirements.txt").write_text("no-such-project-anywhere @ file:///no/such/file\n")
    code, output = run(project)
    assert code == 1
    assert output.splitlines()[-1].startswith("Could not install requirements.txt")
    assert "Traceback" not in output


@pytest.mark.slow
def test_an_environment_that_no_longer_runs_is_made_anew(
    set_up: tuple[Path, int, str], tmp_path: Path
) -> None:
    project = shutil.copytree(set_up[0], tmp_path / "project", symlinks=True)
    (project / "requirements.txt").write_text("")
    python = project / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/no/such/python")

    code, output = run(project)

    assert code == 0, output
    assert output.splitlines()[-1] == "hello you"
