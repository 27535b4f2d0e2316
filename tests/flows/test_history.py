"""The history of runs: found by what people know of it, saved as a file, trimmed by a setting."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from bokio_app.core import clock
from bokio_app.flows import trimming
from bokio_app.flows.models import Flow, FlowState, Step, StepState
from bokio_app.tenants.models import User
from tests.support import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def of_person(client: Client) -> Callable[[], User]:
    def sign_in() -> User:
        person = make.member()
        client.force_login(person)
        return person

    return sign_in


def ordered(of: Any, reference: str, *, number: str = "", **fields: Any) -> Flow:
    flow = make.flow(of, kind="run_invoice", state=FlowState.DONE, **fields)
    flow.steps.filter(op="create_invoice").update(payload={"external_id": reference})
    flow.steps.filter(op="publish_invoice").update(result={"number": number})
    return flow


def seen(client: Client, **asked: str) -> set[str]:
    page = client.get("/runs/", asked).content.decode()
    return {
        str(flow.public_id) for flow in Flow.objects.all() if f"/runs/{flow.public_id}/" in page
    }


def test_runs_are_found_by_reference_number_kind_company_and_period(
    client: Client, of_person: Callable[[], User]
) -> None:
    tenant = of_person().memberships.get().tenant
    one, other = make.connection(tenant), make.connection(tenant)
    first = ordered(one, "Order 1", number="1017")
    second = ordered(other, "Order 2", number="1018")
    third = make.flow(one, state=FlowState.DONE)
    Flow.objects.filter(pk=third.pk).update(created_at=clock.now() - timedelta(days=9))
    ids = {
        name: str(flow.public_id) for name, flow in zip("123", (first, second, third), strict=True)
    }
    today, before = clock.today(), clock.today() - timedelta(days=5)

    assert seen(client) == set(ids.values())
    assert seen(client, q="Order 1") == {ids["1"]}
    assert seen(client, q="1018") == {ids["2"]}
    assert seen(client, q=ids["3"]) == {ids["3"]}
    assert seen(client, kind="send_invoice") == {ids["3"]}
    assert seen(client, company=str(other.pk)) == {ids["2"]}
    assert seen(client, since=str(before)) == {ids["1"], ids["2"]}
    assert seen(client, until=str(before)) == {ids["3"]}
    assert seen(client, since=str(today), until=str(today), q="Order 2") == {ids["2"]}
    assert seen(client, since="no day", kind="no kind", company="no id") == set(ids.values())


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_time_are_no_days_to_ask_for(
    client: Client, of_person: Callable[[], User], day: str
) -> None:
    run = ordered(make.connection(of_person().memberships.get().tenant), "Order 1")

    assert seen(client, since=day, until=day) == {str(run.public_id)}


def test_of_many_companies_one_is_typed_and_the_text_decides(
    client: Client, of_person: Callable[[], User]
) -> None:
    """Without script the id that was picked before is sent along with the new text."""
    tenant = of_person().memberships.get().tenant
    almgren, bergdal = (make.connection(tenant, name=name) for name in ("Almgren", "Bergdal"))
    for _ in range(12):
        make.connection(tenant)
    mine, theirs = (str(ordered(each, "Order").public_id) for each in (almgren, bergdal))
    strangers = make.connection(name="Cedergren")
    ordered(strangers, "Order")

    assert seen(client, company_text="bergd") == {theirs}
    assert seen(client, company_text="Bergdal", company=str(almgren.pk)) == {theirs}
    assert seen(client, company_text="Almgren", company=str(almgren.pk)) == {mine}
    assert seen(client, company_text="", company=str(almgren.pk)) == {mine, theirs}
    assert seen(client, company_text="Cedergren", company=str(strangers.pk)) == set()
    assert seen(client, company_text="Nobody", company=str(almgren.pk)) == set()
    page = client.get("/runs/", {"company_text": "Nobody"}).content.decode()
    assert 'value="Nobody"' in page
    saved = client.get("/runs/export.csv", {"company_text": "Nobody"})
    text = b"".join(saved.streaming_content).decode()  # type: ignore[attr-defined]
    assert len(text.splitlines()) == 1  # the heads alone


def test_the_same_runs_are_saved_as_a_file_that_holds_no_formula(
    client: Client, of_person: Callable[[], User]
) -> None:
    tenant = of_person().memberships.get().tenant
    connection = make.connection(tenant)
    ordered(connection, "=1+1", number="1017")
    ordered(connection, "Order 2")
    ordered(make.connection(), "somebody else's")

    answer = client.get("/runs/export.csv", {"kind": "run_invoice"})

    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "text/csv"
    head, *rows = csv.reader(StringIO(text.removeprefix("\ufeff")))
    assert len(head) == 10
    assert sorted(row[3] for row in rows) == ["'=1+1", "Order 2"]
    assert {row[2] for row in rows} == {str(connection)}


def test_answers_are_kept_until_the_setting_trims_them_and_the_rest_for_good(settings: Any) -> None:
    connection = make.connection()
    old, new, open_ = (make.flow(connection, state=state) for state in ("done", "done", "stuck"))
    days = {old: 400, new: 10, open_: 400}
    for flow, ago in days.items():
        flow.steps.update(
            state=StepState.DONE,
            result={"number": "1017"},
            remote_id="x",
            done_at=clock.now() - timedelta(days=ago),
        )

    assert trimming.trim_answers() == 0  # seven years by default

    settings.FLOW_ANSWERS_DAYS = 365
    assert trimming.trim_answers() == 4
    kept = set(Step.objects.exclude(result={}).values_list("flow", flat=True))
    assert kept == {new.pk, open_.pk}
    assert set(old.steps.values_list("remote_id", "state")) == {("x", "done")}
    assert trimming.trim_answers() == 0
