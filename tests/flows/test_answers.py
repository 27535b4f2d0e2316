"""What is kept of Bokio's answers: enough to see what happened, nothing that names a person."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from django.test import Client

from bokio_app.bokio.answers import Answer
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows import answers, trimming
from bokio_app.flows.models import Attempt
from bokio_app.invoicing import services as invoicing
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess


def kept(body: object, *, status: int = 200) -> str:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return answers.kept(Answer(status, httpx2.Headers(), content))


def test_ids_days_amounts_and_states_are_kept_and_all_other_texts_are_masked() -> None:
    number = str(uuid4())
    body = {
        "id": number,
        "name": "Anna Andersson",
        "email": "anna@example.com",
        "address": {"line1": "Storgatan 1", "line2": None, "city": "Lund", "country": "SE"},
        "contactsDetails": [{"name": "Bo", "phone": "0701234567", "isDefault": True}],
        "orgNumber": "556677-8899",
        "vatNumber": "SE800101123401",
        "taxReduction": {"personalNumber": 198001011234},
        "invoiceNumber": "1017",
        "status": "draft",
        "invoiceDate": "2026-11-21",
        "totalAmount": 1234.5,
        "lineItems": [],
        "metadata": {
            "op_key": number,
            "externalId": "A-1 for 19800101-1234",
            "Anna": 1,
            "type": "Anna",
        },
    }

    assert json.loads(kept(body)) == {
        "id": number,
        "name": "••••",
        "email": "••••",
        "address": {"line1": "••••", "city": "••••", "country": "SE"},
        "contactsDetails": [{"name": "••••", "phone": "••••", "isDefault": True}],
        "orgNumber": "556677-8899",
        "vatNumber": "800101-••••",
        "taxReduction": {"personalNumber": "••••"},
        "invoiceNumber": "1017",
        "status": "draft",
        "invoiceDate": "2026-11-21",
        "totalAmount": "1234.5",
        "metadata": {"op_key": number, "externalId": "A-1 for ••••••-••••"},
    }


def test_a_refusals_words_are_kept_without_the_numbers_of_people() -> None:
    refused = {"code": "validation-error", "message": "19800101-1234 is no customer", "errors": []}

    assert json.loads(kept(refused, status=400)) == {
        "code": "validation-error",
        "message": "••••••-•••• is no customer",
    }


@pytest.mark.parametrize(
    "body, shown",
    [
        (b"", ""),
        (b"<html>Anna</html>", "(17 B)"),
        (b" " * (answers.LARGEST + 1), "(65537 B)"),
        ([{"total": 1}] * 1000, "…"),
    ],
)
def test_what_is_empty_foreign_or_long_is_kept_as_little_as_it_tells(
    body: object, shown: str
) -> None:
    copy = kept(body)

    assert copy.endswith(shown)
    assert len(copy) <= answers.LONGEST + 1
    assert "Anna" not in copy


def test_each_call_keeps_what_bokio_answered_and_members_see_it(
    sandbox: SandboxProcess, connection: Connection, person: User, client: Client
) -> None:
    invoice = bokio.guide_draft(connection, by=person)
    invoice.lines.filter(position=0).update(account=3001)
    sandbox.lose_answer("post-customer")
    flow, _ = invoicing.start_sending(invoice, by=person)
    bokio.work(connection)

    calls = {(each.step.op, each.outcome): each for each in Attempt.objects.filter(step__flow=flow)}
    assert calls["ensure_customer", "unknown"].answer == ""
    [found] = json.loads(calls["ensure_customer", "found"].answer)["items"]
    assert found["name"] == "••••"
    refused = calls["create_invoice", "not_executed"]
    assert json.loads(refused.answer)["code"] == refused.code
    stopped = flow.steps.get(op="create_invoice")
    assert json.loads(refused.answer)["errors"][0]["field"] == stopped.error_fields[0][0]

    client.force_login(person)
    page = client.get(f"/runs/{flow.public_id}/").content.decode()
    assert refused.code in page
    assert "<pre>{" in page
    assert not Attempt.objects.filter(step__flow__kind="read_company").exclude(answer="").exists()


@pytest.mark.django_db
def test_answers_of_calls_go_when_the_setting_says_so(settings: Any) -> None:
    flow = make.flow(make.connection(), state="done")
    flow.steps.update(done_at=clock.now() - timedelta(days=400))
    call = make.attempt(flow.steps.get(pos=0), answer='{"id":1}')
    settings.FLOW_ANSWERS_DAYS = 365

    assert trimming.trim_answers() == 1

    call.refresh_from_db()
    assert call.answer == ""
