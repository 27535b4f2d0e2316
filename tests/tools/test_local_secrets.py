"""The demo's secrets: made once, agreed on by everyone, readable by nobody else."""

import base64
import multiprocessing
import stat
import uuid
from pathlib import Path

from bokio_app.core import local_secrets


def test_processes_that_start_at_the_same_moment_agree_on_the_secrets(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("spawn")

    with processes.Pool(6) as pool:
        answers = pool.map(local_secrets.ensure_secrets, [tmp_path / "var"] * 12, chunksize=1)

    assert all(answer == answers[0] for answer in answers)
    assert set(answers[0]) == set(local_secrets.NAMES)


def test_only_the_owner_may_read_the_secrets(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    folder.mkdir(mode=0o755)

    local_secrets.ensure_secrets(folder)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / local_secrets.FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [local_secrets.FILE_NAME]


def test_the_secrets_are_of_the_kind_that_their_readers_expect(tmp_path: Path) -> None:
    made = local_secrets.ensure_secrets(tmp_path / "var")

    assert len(base64.b64decode(made["FIELD_ENCRYPTION_KEYS"], validate=True)) == 32
    assert str(uuid.UUID(made["BOKIO_CLIENT_ID"])) == made["BOKIO_CLIENT_ID"]
    assert len(made["SECRET_KEY"]) >= 50
    assert len(made["DEMO_PASSWORD"]) >= 16


def test_a_second_start_keeps_the_secrets_and_makes_only_what_is_missing(tmp_path: Path) -> None:
    first = local_secrets.ensure_secrets(tmp_path)
    path = tmp_path / local_secrets.FILE_NAME
    lines = [line for line in path.read_text().splitlines() if not line.startswith("DEMO_PASSWORD")]
    path.write_text("\n".join(lines))

    second = local_secrets.ensure_secrets(tmp_path)

    assert second | {"DEMO_PASSWORD": ""} == first | {"DEMO_PASSWORD": ""}
    assert second["DEMO_PASSWORD"] not in ("", first["DEMO_PASSWORD"])
    assert local_secrets.ensure_secrets(tmp_path) == second


def test_two_folders_never_share_a_secret(tmp_path: Path) -> None:
    one, other = (
        local_secrets.ensure_secrets(tmp_path / "one"),
        local_secrets.ensure_secrets(tmp_path / "other"),
    )

    assert not set(one.values()) & set(other.values())
