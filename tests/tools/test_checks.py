"""What runs the checks: every stage, and an end that names those that failed."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tools import browser, checks
from tools.checks import Stage


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_stage_that_fails_shows_what_it_said(capfd: pytest.CaptureFixture[str]) -> None:
    passed, _seconds = checks.run(Stage("types", python("print('line 7'); raise SystemExit(3)")))

    assert not passed
    assert "line 7" in capfd.readouterr().out


def test_a_stage_that_passes_is_quiet_and_gets_its_environment(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = "import os; print('noise'); assert os.environ['A'] == 'b'"

    passed, _seconds = checks.run(Stage("types", python(code), {"A": "b"}))

    assert passed
    assert capfd.readouterr().out == "→ types\n"


def test_the_end_names_each_stage_that_failed(capfd: pytest.CaptureFixture[str]) -> None:
    stages = {name: Stage(name, []) for name in ("format", "types", "tests")}
    results = [(stages["format"], True, 1.0), (stages["types"], False, 2.0)]

    with pytest.raises(SystemExit) as ended:
        checks.report([*results, (stages["tests"], False, 3.0)], total=5.0)

    assert ended.value.code == "Failed after 5 s: types, tests"
    assert "ok        1.0 s  format" in capfd.readouterr().out


def test_what_runs_behind_the_others_counts_as_they_do(tmp_path: Path) -> None:
    mark = tmp_path / "begun"
    waits = f"import os, sys, time; open({str(mark)!r}, 'w'); time.sleep(0.3); sys.exit(os.nice(0))"
    meets = (
        f"import os, time; ends = time.monotonic() + 20\n"
        f"while not os.path.exists({str(mark)!r}): assert time.monotonic() < ends"
    )

    results = checks.run_all(
        [Stage("behind", python(waits), behind=True), Stage("first", python(meets))]
    )

    assert [(stage.name, passed) for stage, passed, _ in results] == [
        ("first", True),
        ("behind", False),
    ]


def test_a_missing_package_fails_by_its_name_where_it_may_not_be_installed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    found = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name: None if name in browser.NAMES else found(name)
    )
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    (stage,) = checks.install_missing()

    assert checks.run(stage)[0] is False
    line = f"Missing: {browser.PACKAGE}. Debian, Ubuntu: sudo apt-get install"
    assert line in capfd.readouterr().out
