"""Mails without a mail server: kept sealed, shown only where the installation says so."""

from __future__ import annotations

import logging
from importlib import reload

import pytest
from django.core.mail import send_mail
from django.test import Client
from django.urls import clear_url_caches

from bokio_app import urls
from bokio_app.core import crypto
from bokio_app.mailbox import backend
from bokio_app.mailbox.models import Mail

pytestmark = pytest.mark.django_db

TEXT = "The code is QX7-PLT."


@pytest.fixture(autouse=True)
def no_mail_server(settings):
    settings.EMAIL_BACKEND = "bokio_app.mailbox.backend.DatabaseBackend"


@pytest.fixture
def with_page(settings):
    settings.MAILBOX_PAGE = True
    reload(urls)
    clear_url_caches()
    yield
    settings.MAILBOX_PAGE = False
    reload(urls)
    clear_url_caches()


def write(subject: str = "Your code") -> Mail:
    send_mail(subject, TEXT, "from@example.com", ["anna@example.com"])
    return Mail.objects.get(subject=subject)


def test_a_mail_is_kept_sealed_and_never_logged(caplog):
    caplog.set_level(logging.DEBUG)

    kept = write()

    assert kept.text == TEXT
    assert b"QX7" not in bytes(kept.body)
    assert "QX7" not in caplog.text
    with pytest.raises(crypto.CannotDecrypt):
        Mail(body=kept.body).text  # noqa: B018  a copy in another row does not open


def test_only_the_latest_mails_are_kept(monkeypatch):
    monkeypatch.setattr(backend, "KEPT", 2)

    for subject in ("first", "second", "third"):
        send_mail(subject, TEXT, "from@example.com", ["anna@example.com"])

    assert list(Mail.objects.values_list("subject", flat=True)) == ["third", "second"]


def test_there_is_no_mailbox_page_unless_the_installation_says_so(client: Client):
    assert client.get("/mailbox/").status_code == 404


@pytest.mark.usefixtures("with_page")
def test_the_page_shows_the_mails_and_each_as_it_would_have_been_sent(client: Client):
    assert client.get("/mailbox/").status_code == 200
    kept = write()

    assert "Your code" in client.get("/mailbox/").content.decode()
    shown = client.get(f"/mailbox/{kept.pk}/")
    assert TEXT in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
