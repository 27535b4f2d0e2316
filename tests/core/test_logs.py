"""Logs, error pages and crash reports tell where it happened, and nothing of what was at work."""

from __future__ import annotations

import io
import logging
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.debug import ExceptionReporter

from bokio_app.connections.models import Connection
from bokio_app.console import views
from bokio_app.core.logs import LineFormatter, hidden
from bokio_app.core.personal import DOTS
from tests.support import make

TOKEN = "eyJhbGciOiJIUzI1NiJ9.payload.signature"
NUMBER = "19640823-3234"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the installation's handler would write."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    line = settings.LOGGING["formatters"]["line"]
    assert line["()"] == f"{LineFormatter.__module__}.{LineFormatter.__qualname__}"
    handler.setFormatter(LineFormatter(line["format"], line["datefmt"], line["style"]))
    root = logging.getLogger()
    root.addHandler(handler)
    yield written
    root.removeHandler(handler)


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {TOKEN}",
        f"authorization: bearer {TOKEN}",
        f"GET /bokio/callback?state={TOKEN}&code=abc failed",
        f"https://api.example/v1/authorize?code={TOKEN}",
        f"duplicate key\nDETAIL:  Key (name, org_number)=({TOKEN}, 1) already exists.\nCONTEXT: x",
    ],
)
def test_a_token_is_hidden_wherever_it_may_stand(text: str) -> None:
    assert TOKEN not in hidden(text)
    assert DOTS in hidden(text)


@pytest.mark.parametrize("number", ["640823-3234", NUMBER, "196408233234", "640883-3234"])
def test_a_persons_number_is_hidden(number: str) -> None:
    assert number not in hidden(f"No customer {number}.")


@pytest.mark.parametrize(
    "text",
    [
        "call operation=post-invoice status=200 seconds=0.123 bokio_error_id=-",
        "2026-11-21T19:03:45+0000 bell_failed connection=6f2f1f5e-4a3e-4c58-9a3c-0d7b6f1b2c11",
        "organisation 556016-0680, what now? Nothing = all",
        "ocr=1001720261 total=100000",
    ],
)
def test_an_ordinary_line_stays_as_it_is(text: str) -> None:
    assert hidden(text) == text


def test_the_installations_own_secrets_are_hidden_in_every_form() -> None:
    pair = f"{settings.BOKIO_CLIENT_ID}:{settings.BOKIO_CLIENT_SECRET}".encode()
    key = b64encode(settings.FIELD_ENCRYPTION_KEYS[0]).decode()
    secrets = [settings.BOKIO_CLIENT_SECRET, settings.SECRET_KEY, key, b64encode(pair).decode()]

    said = hidden(f"settings: {secrets}")

    assert not [secret for secret in secrets if secret in said]


def test_a_traceback_tells_no_local_and_no_secret_of_its_message(log: io.StringIO) -> None:
    def fail(access_token: str) -> None:
        raise ValueError(f"refused: Bearer {access_token}, person {NUMBER}")

    try:
        fail(TOKEN)
    except ValueError:
        logging.getLogger("bokio_app.test").exception("call_failed")

    assert "call_failed" in log.getvalue()
    assert "ValueError: refused" in log.getvalue()
    assert not [word for word in (TOKEN, NUMBER) if word in log.getvalue()]


@pytest.mark.django_db
def test_what_the_database_says_of_a_refused_row_is_not_logged(log: io.StringIO) -> None:
    company = make.connection(name="Sjögren & Dotter")
    twin = Connection(tenant=company.tenant, company_id=company.company_id, name="Sjögren & Dotter")

    try:
        with transaction.atomic():
            twin.generation = 1
            twin.save()
    except IntegrityError:
        logging.getLogger("bokio_app.test").exception("not_saved")

    assert "IntegrityError" in log.getvalue()
    assert str(company.company_id) not in log.getvalue()


@pytest.mark.django_db
def test_a_page_that_breaks_tells_nothing_to_the_reader_and_no_secret_to_the_log(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make.member()

    def breaks(*_args: Any, **_kwargs: Any) -> None:
        access_token = TOKEN
        raise RuntimeError(f"no room for {NUMBER}: Bearer {access_token}")

    monkeypatch.setattr(views, "queue_of", breaks)
    browser = Client(raise_request_exception=False)
    browser.force_login(person)

    answer = browser.get(reverse("start"), {"q": NUMBER})

    page = answer.content.decode()
    assert answer.status_code == 500
    assert not [word for word in (TOKEN, NUMBER, "RuntimeError", "Traceback") if word in page]
    assert "RuntimeError: no room for" in log.getvalue()
    assert not [word for word in (TOKEN, NUMBER) if word in log.getvalue()]


def test_a_crash_report_holds_neither_locals_nor_forms_nor_cookies() -> None:
    browser = RequestFactory()
    browser.cookies["bokio_app_session"] = TOKEN
    request = browser.post("/companies/", {"private_token": TOKEN}, headers={"x-token": TOKEN})
    try:
        personal_number = NUMBER
        raise RuntimeError
    except RuntimeError as error:
        report = ExceptionReporter(request, type(error), error, error.__traceback__)
        texts = report.get_traceback_text(), report.get_traceback_html()

    assert personal_number
    for text in texts:
        frames = text.split("RuntimeError", 1)[1]
        assert TOKEN not in frames
        assert f"'{NUMBER}'" not in text
