"""Keys that rotate: all that is encrypted comes under the newest, whatever happens meanwhile."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection as database
from django.db import connections, models, transaction

from bokio_app.connections.models import TokenGrant
from bokio_app.core import crypto, rotation, sealing
from bokio_app.core.crypto import CannotDecrypt
from bokio_app.documents.models import Document
from bokio_app.flows import sealed, services
from bokio_app.flows.listing.rows import ListedPage
from bokio_app.flows.models import Flow, HeldFile, Step
from bokio_app.flows.operations import StepContext
from tests.support import make

NUMBER = "19640823-3234"
NOT_ENCRYPTED = {
    Document: {"content"},  # of files that the company sends with or as its invoices
    HeldFile: {"content"},  # files of invoices on their way, as Bokio gets them
    ListedPage: {"ids"},  # of rows at Bokio
}


@pytest.fixture
def old_key(settings: Any) -> bytes:
    """The key of what is stored before the test rotates."""
    return bytes(settings.FIELD_ENCRYPTION_KEYS[0])


@pytest.fixture
def new_key(old_key: bytes, settings: Any) -> bytes:
    return secrets.token_bytes(32)


def put_first(new_key: bytes, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [new_key, *settings.FIELD_ENCRYPTION_KEYS]


def step_with_a_persons_number() -> Step:
    payload = {"org_number": sealed.seal(NUMBER, private=True), "persons": [{"number": ""}]}
    flow, _new = services.start(
        "send_invoice",
        connection=make.connection(),
        steps=[services.NewStep("ensure_customer", payload)],
        business_key=secrets.token_hex(4),
        by=None,
        rings=False,
    )
    return flow.steps.get()


def number_in(step: Step, *, flow: Flow | None = None, key: str = "org_number") -> str:
    context = StepContext(flow=flow or step.flow, step=step, results={})
    return sealed.unseal(step.payload[key], context)


def rotated() -> tuple[int, str]:
    """What `rotate_keys` ends with, and what it says."""
    return run("rotate_keys")


def run(*command: str) -> tuple[int, str]:
    from io import StringIO

    said = StringIO()
    try:
        call_command(*command, stdout=said)
    except SystemExit as ended:
        return int(ended.code or 0), said.getvalue()
    return 0, said.getvalue()


@pytest.mark.django_db
def test_everything_comes_under_the_newest_key_and_the_old_one_may_go(
    new_key: bytes, settings: Any
) -> None:
    grant, step = make.connection().grants.get(), step_with_a_persons_number()
    tokens = grant.access_token, grant.refresh_token
    put_first(new_key, settings)
    assert run("rotate_keys", "--check")[0] == 1

    status, said = rotated()

    settings.FIELD_ENCRYPTION_KEYS = [new_key]
    grant.refresh_from_db()
    step.refresh_from_db()
    assert (status, (grant.access_token, grant.refresh_token)) == (0, tokens)
    assert number_in(step) == NUMBER
    assert run("rotate_keys", "--check")[0] == 0
    assert "the others may go" in said


@pytest.mark.django_db
def test_checking_changes_nothing_and_counts_by_key(new_key: bytes, settings: Any) -> None:
    make.connection()
    put_first(new_key, settings)
    make.connection()
    newest, older = crypto.key_ids()
    before = list(TokenGrant.objects.order_by("pk").values("access", "refresh"))

    status, said = run("rotate_keys", "--check")

    assert status == 1
    assert f"TokenGrant.access: 1 under key 1 ({newest})" in said
    assert f"TokenGrant.access: 1 under key 2 ({older})" in said
    assert list(TokenGrant.objects.order_by("pk").values("access", "refresh")) == before


@pytest.mark.django_db
def test_interrupted_it_goes_on_with_what_is_left(
    new_key: bytes, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        make.connection()
    put_first(new_key, settings)
    monkeypatch.setattr(rotation, "TOGETHER", 2)
    [column] = [each for each in sealing.columns() if str(each) == "TokenGrant.access"]

    class Killed(BaseException):
        pass

    def die(_written: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        rotation.rotate(column, report=die)
    left = rotation.count()["TokenGrant.access"].left
    status, said = rotated()

    assert left == 3
    assert (status, "TokenGrant.access: 3 rows" in said) == (0, True)


@pytest.mark.django_db
def test_what_cannot_be_opened_is_told_of_and_left_as_it_is(new_key: bytes, settings: Any) -> None:
    grant = make.connection().grants.get()
    settings.FIELD_ENCRYPTION_KEYS = [new_key]
    make.connection()

    status, said = rotated()

    assert status == 1
    assert "TokenGrant.access: 1 cannot be opened" in said
    assert bytes(TokenGrant.objects.get(pk=grant.pk).access) == bytes(grant.access)


@pytest.mark.django_db
def test_an_erased_token_needs_no_key(new_key: bytes, settings: Any) -> None:
    grant = make.connection().grants.get()
    TokenGrant.objects.update(access=b"", refresh=b"")
    put_first(new_key, settings)

    assert rotated()[0] == 0
    assert bytes(TokenGrant.objects.get(pk=grant.pk).access) == b""


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    not database.features.has_select_for_update_skip_locked, reason="SQLite has one writer"
)
def test_a_row_that_somebody_writes_is_left_to_them_and_met_again(
    new_key: bytes, settings: Any
) -> None:
    make.connection()
    held, other = TokenGrant.objects.get(), make.connection().grants.get()
    put_first(new_key, settings)
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                TokenGrant.objects.select_for_update().get(pk=held.pk)
                locked.set()
                assert done.wait(60)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as elsewhere:
        holding = elsewhere.submit(hold)
        assert locked.wait(60)
        left = [rotation.rotate(column) for column in sealing.columns()]
        done.set()
        holding.result()

    assert sum(left) == 2  # both tokens of the other row, and nothing was waited for
    assert rotation.count()["TokenGrant.access"].left == 1
    assert rotated()[0] == 0
    other.refresh_from_db()
    assert crypto.key_id_of(bytes(other.access)) == crypto.key_ids()[0]


@pytest.mark.django_db(transaction=True)
def test_tokens_come_and_are_read_while_the_keys_rotate(new_key: bytes, settings: Any) -> None:
    companies = [make.connection() for _ in range(20)]
    put_first(new_key, settings)
    stop = threading.Event()

    def work() -> int:
        """Read every token over and over, and store new pairs, as workers do."""
        read = 0
        try:
            while not stop.is_set():
                for company in companies:
                    company.refresh_from_db()
                    assert company.grants.latest("generation").access_token.startswith("access-")
                    read += 1
                company.generation += 1
                company.save(update_fields=["generation"])
                make.grant(company)
        finally:
            connections.close_all()
        return read

    with ThreadPoolExecutor(1) as elsewhere:
        working = elsewhere.submit(work)
        status, _said = rotated()
        stop.set()
        assert working.result() > 0

    assert status == 0
    settings.FIELD_ENCRYPTION_KEYS = [new_key]
    for grant in TokenGrant.objects.select_related("connection"):
        assert grant.access_token


@pytest.mark.django_db
def test_a_persons_number_copied_to_another_step_does_not_open() -> None:
    mine, theirs = step_with_a_persons_number(), step_with_a_persons_number()

    assert number_in(mine) == NUMBER
    with pytest.raises(CannotDecrypt):
        number_in(mine, flow=theirs.flow)


@pytest.mark.django_db
def test_rotating_binds_what_an_earlier_release_bound_to_no_step() -> None:
    step = step_with_a_persons_number()
    loose = sealed._kept(crypto.encrypt(NUMBER, place=sealed.ANYWHERE))
    Step.objects.filter(pk=step.pk).update(payload={"org_number": loose, "lines": [[loose]]})
    step.refresh_from_db()
    assert number_in(step) == NUMBER
    assert rotation.count()["Step.payload"].unbound == 2

    assert rotated()[0] == 0

    step.refresh_from_db()
    assert number_in(step) == NUMBER
    assert rotation.count()["Step.payload"].unbound == 0
    with pytest.raises(CannotDecrypt):
        number_in(step, flow=step_with_a_persons_number().flow)


@pytest.mark.django_db
def test_a_payload_cannot_be_stored_with_a_number_that_is_not_encrypted() -> None:
    step = step_with_a_persons_number()
    step.payload = {"org_number": sealed.seal(NUMBER, private=True)}

    with pytest.raises(TypeError, match="Personal is not JSON"):
        step.save()


def test_a_kind_that_rotating_would_not_find_cannot_be_encrypted() -> None:
    with pytest.raises(LookupError, match="new_kind"):
        crypto.encrypt("secret", place="new_kind/1")


def binary_columns() -> Iterator[tuple[type[models.Model], str]]:
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.BinaryField):
                yield model, field.name


def test_every_binary_column_is_known_to_rotation_or_named_as_not_encrypted() -> None:
    known = {(column.model, column.field) for column in sealing.columns()}
    plain = {(model, name) for model, names in NOT_ENCRYPTED.items() for name in names}

    assert set(binary_columns()) - plain <= known
    assert not plain & known
