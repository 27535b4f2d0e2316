"""The search for secrets finds what is planted, wherever that is, and else nothing."""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Callable

import pytest
from celery.signals import before_task_publish
from django.conf import settings
from django.core import mail
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from bokio_app.audit.services import record
from bokio_app.connections.models import TokenGrant
from bokio_app.console import views
from bokio_app.flows.models import HeldFile
from tests.support import make
from tests.support.watch import Watch

pytestmark = pytest.mark.django_db


@pytest.fixture
def token() -> str:
    """A token that has been encrypted, as that of any connection."""
    return (
        TokenGrant.objects.select_related("connection")
        .get(connection=make.connection())
        .access_token
    )


def found(watch: Watch) -> list[str]:
    """What the search finds, which then does not fail the test."""
    places = watch.found(stored=True)
    watch.forget()
    mail.outbox.clear()
    return places


def test_nothing_is_found_where_nothing_is_planted(watch: Watch, token: str) -> None:
    browser = Client()
    browser.force_login(make.member())
    browser.get(reverse("start"))
    logging.getLogger("bokio_app.test").warning("connection=%s", "all is well")

    assert token in watch.secrets
    assert found(watch) == []


def in_a_log(token: str) -> None:
    logging.getLogger("bokio_app.test").warning("token %s was refused", token)


def in_the_audit_trail(token: str) -> None:
    record("test", tenant=make.tenant(), subject="test", subject_id=1, told=token)


def in_bytes(token: str) -> None:
    HeldFile.objects.create(tenant=make.tenant(), name="x", sha256="", content=token.encode())


def in_a_session(token: str) -> None:
    session = Client().session
    session["planted"] = base64.b64encode(token.encode()).decode()
    session.save()


def in_a_mail(token: str) -> None:
    mail.send_mail("subject", f"Your token is {token}", "a@example.com", ["b@example.com"])


def in_a_task_message(token: str) -> None:
    before_task_publish.send("work", body=[[token], {}, {}], headers={})


@pytest.mark.parametrize(
    "plant, place",
    [
        (in_a_log, "log bokio_app.test"),
        (in_the_audit_trail, "audit_event.data"),
        (in_bytes, "flows_heldfile.content"),
        (in_a_session, "session"),
        (in_a_mail, "mail"),
        (in_a_task_message, "task message"),
    ],
)
def test_what_is_planted_is_found(
    plant: Callable[[str], None], place: str, watch: Watch, token: str
) -> None:
    plant(token)

    assert found(watch) == [place]


def in_the_body(token: str) -> HttpResponse:
    return HttpResponse(f"<p>{token}</p>")


def in_a_redirect(token: str) -> HttpResponse:
    return HttpResponse(status=302, headers={"Location": f"/?token={token}"})


def in_a_cookie(token: str) -> HttpResponse:
    answer = HttpResponse()
    answer.set_cookie("token", token)
    return answer


def in_a_stream(token: str) -> StreamingHttpResponse:
    return StreamingHttpResponse([b"a line, ", token.encode()])


@pytest.mark.parametrize("answers", [in_the_body, in_a_redirect, in_a_cookie, in_a_stream])
def test_what_a_page_gives_away_is_found(
    answers: Callable[[str], HttpResponse],
    watch: Watch,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def render(_request: HttpRequest, *_args: object) -> HttpResponse:
        return answers(token)

    monkeypatch.setattr(views, "render", render)
    browser = Client()
    browser.force_login(make.member())

    answer = browser.get(reverse("start"))
    assert answer.status_code in {200, 302}
    b"".join(answer)

    assert found(watch) == [f"answer {reverse('start')}"]


def test_the_installations_own_secret_is_looked_for_too(watch: Watch) -> None:
    watch.hear("planted", f"key {settings.SECRET_KEY}")

    assert found(watch) == ["planted"]


def test_a_persons_number_is_found_in_a_payload_that_was_not_encrypted(watch: Watch) -> None:
    number = f"19640823-{secrets.randbelow(9000) + 1000}"
    flow = make.flow(make.connection())
    watch.secrets.add(number)
    flow.steps.update(payload={"org_number": number})

    assert found(watch) == ["flows_step.payload"]
