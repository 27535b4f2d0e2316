"""The real processes, side by side, with a database of their own."""

from pathlib import Path

import pytest

from tests.support.net import http_status
from tests.support.processes import Stack

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("embedded", [False, True], ids=["postgresql", "sqlite"])
def test_the_whole_application_starts_survives_kills_and_ends(
    tmp_path: Path, embedded: bool
) -> None:
    with Stack(tmp_path, embedded=embedded) as stack:
        stack.start()
        assert http_status(f"{stack.app_url}/healthz") == 200
        assert len(stack.sandbox.companies()) == 1

        stack.worker.restart()
        stack.web.kill()
        assert http_status(f"{stack.app_url}/healthz") is None
        stack.web.start()
        assert http_status(f"{stack.app_url}/healthz") == 200

        assert stack.worker.terminate() == 0
        programs = [stack.web, stack.worker, stack.beat]

    assert not any(program.alive for program in programs)
    assert http_status(f"{stack.app_url}/healthz") is None


def test_without_a_broker_the_worker_still_starts(tmp_path: Path) -> None:
    with Stack(tmp_path, embedded=True, broker=False) as stack:
        stack.start()

        assert stack.worker.alive
        assert http_status(f"{stack.app_url}/healthz") == 200
        assert http_status(f"{stack.app_url}/static/app.css") == 200
        assert http_status(f"{stack.app_url}/static/icons.svg") == 200
        assert "Warning" not in stack.web.output()
