"""Pages of runs: who sees them, what they tell, and what a person can decide there."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bokio_app.audit.models import Event
from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows.explain import Seen
from bokio_app.flows.models import Attempt, Flow, FlowState, StepState, WaitReason
from bokio_app.flows.queries import PAGE
from bokio_app.tenants.models import Tenant, User
from tests.support import make

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant()


@pytest.fixture
def person(tenant: Tenant) -> User:
    return make.member(tenant)


@pytest.fixture
def company(tenant: Tenant) -> Connection:
    return make.connection(tenant)


@pytest.fixture
def client(person: User) -> Client:
    """The member's browser, in English."""
    browser = Client()
    browser.force_login(person)
    browser.cookies["bokio_app_language"] = "en"
    return browser


def address(name: str, flow: Flow) -> str:
    return reverse(f"flows:{name}", args=[flow.public_id])


def text_of(response: Any) -> str:
    """The page's text without its tags, spaces joined."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def ambiguous(company: Connection, **payload: Any) -> Flow:
    """A flow that stopped at creating an invoice, because Bokio holds something like it."""
    flow = make.flow(
        company,
        state=FlowState.STUCK,
        stuck_code="ambiguous",
        cursor=1,
        resource_key=f"invoice:{make.invoice(company).pk}",
    )
    flow.steps.filter(op="ensure_customer").update(state=StepState.DONE, done_at=clock.now())
    flow.steps.filter(op="create_invoice").update(
        state=StepState.UNKNOWN,
        attempt=1,
        payload={"total": "1250.00", "currency": "SEK", **payload},
        error_code="ambiguous",
        evidence=[{"remote_id": "r-1", "total": "1000.00", "currency": "SEK"}],
    )
    return flow


@pytest.mark.parametrize("name", ["detail", "progress", "retry", "cancel"])
def test_a_member_of_another_workspace_finds_nothing(name: str, company: Connection) -> None:
    flow = make.flow(company, state=FlowState.STUCK)
    stranger = Client()
    stranger.force_login(make.member())
    post = name in {"retry", "cancel"}

    found = (stranger.post if post else stranger.get)(address(name, flow))

    assert found.status_code == 404
    flow.refresh_from_db()
    assert flow.state == FlowState.STUCK


def test_the_lists_hold_only_the_workspaces_own_runs(client: Client, company: Connection) -> None:
    make.flow(company)
    make.flow(make.connection())

    page = client.get(reverse("flows:list"))

    assert [row.flow.connection for row in page.context["rows"]] == [company]


def test_each_list_counts_and_shows_the_runs_of_its_states(
    client: Client, company: Connection
) -> None:
    for state in FlowState:
        make.flow(company, state=state)

    page = client.get(reverse("flows:list"), {"view": "waiting"})
    late = client.get(reverse("flows:list"), {"view": "waiting", "counts": "1"}, headers=HTMX)

    at_once = {"Needs you": 1, "Waiting": 2, "Running": 1, "Done": None, "All": None}
    assert {tab.label: tab.count for tab in page.context["tabs"]} == at_once
    assert {tab.label: tab.count for tab in late.context["tabs"]} == {
        "Needs you": 1,
        "Waiting": 2,
        "Running": 1,
        "Done": 2,
        "All": 6,
    }
    assert {row.flow.state for row in page.context["rows"]} == {"ready", "parked"}


def test_runs_that_only_read_are_hidden_until_asked_for_or_stuck(
    client: Client, company: Connection
) -> None:
    make.flow(company, kind="read_books", ops=["read_company"], state=FlowState.DONE)
    stuck = make.flow(company, kind="read_books", ops=["read_company"], state=FlowState.STUCK)

    plain = client.get(reverse("flows:list"))
    asked = client.get(reverse("flows:list"), {"reads": "1"})

    assert [row.flow for row in plain.context["rows"]] == [stuck]
    assert len(asked.context["rows"]) == 2


def test_the_list_is_paged_newest_first_without_a_gap(client: Client, company: Connection) -> None:
    flows = [make.flow(company, ops=[]) for _number in range(PAGE + 3)]
    newest_first = [flow.pk for flow in reversed(flows)]

    first = client.get(reverse("flows:list"))
    second = client.get(first.context["older_url"])

    seen = [row.flow.pk for page in (first, second) for row in page.context["rows"]]
    assert seen == newest_first
    assert second.context["older_url"] == ""


def test_the_list_asks_as_little_for_a_hundred_runs_as_for_one(
    client: Client, company: Connection, django_assert_max_num_queries: Any
) -> None:
    for _number in range(PAGE):
        make.flow(company, resource_key=f"invoice:{make.invoice(company, lines=()).pk}")

    with django_assert_max_num_queries(9):
        page = client.get(reverse("flows:list"))

    assert page.status_code == 200


@pytest.mark.parametrize("text", ["not-a-uuid", "6f2f1f5e-4a3e-4c58-9a3c-0d7b6f1b2c11"])
def test_an_address_with_a_made_up_place_shows_the_beginning(
    text: str, client: Client, company: Connection
) -> None:
    make.flow(company)

    page = client.get(reverse("flows:list"), {"before": text, "view": "nonsense"})

    assert len(page.context["rows"]) == 1


def test_a_waiting_run_says_why_and_until_when(client: Client, company: Connection) -> None:
    until = clock.now() + timedelta(minutes=20)
    flow = make.flow(company, wait_reason=WaitReason.BOKIO_DOWN, not_before=until)

    page = text_of(client.get(address("detail", flow)))

    local = until.astimezone(clock.STOCKHOLM)
    assert "Bokio does not answer. We try again. Nothing is lost." in page
    assert f"Next look at {local:%H:%M:%S}" in page


def test_the_page_shows_every_call_with_bokios_reference(
    client: Client, company: Connection
) -> None:
    flow = make.flow(company)
    step = flow.steps.get(op="create_invoice")
    make.attempt(
        step,
        outcome=Attempt.Outcome.REFUSED,
        status=400,
        code="validation-error",
        remote_error_id="err-123",
        milliseconds=412,
    )

    page = client.get(address("detail", flow))

    assert 'data-copy="err-123"' in page.content.decode()
    shown = text_of(page)
    assert all(each in shown for each in ("Refused by Bokio", "400", "validation-error", "412"))


def test_both_sides_of_an_unclear_outcome_stand_beside_each_other(
    client: Client, company: Connection
) -> None:
    page = client.get(address("detail", ambiguous(company)))

    facts = {fact.label: fact for fact in page.context["facts"]}
    assert facts["Total"].ours == ["1,250.00"]
    assert facts["Total"].theirs == [Seen(["1,000.00"], differs=True)]
    assert (facts["Total"].same, facts["Currency"].same) == (False, True)
    assert facts["Bokio's id"].same is None
    assert "Is this already in Bokio?" in text_of(page)


@pytest.mark.parametrize("number", ["19790412-1234", "790412-1234", "7904121234"])
def test_the_number_of_a_private_person_is_masked(
    number: str, client: Client, company: Connection
) -> None:
    flow = ambiguous(company, type="private", org_number=number)

    page = client.get(address("detail", flow)).content.decode()

    assert "1234" not in page
    assert "0412-••••" in page


def test_a_company_number_is_shown_whole(client: Client, company: Connection) -> None:
    flow = ambiguous(company, type="company", org_number="556016-0680")

    assert "556016-0680" in client.get(address("detail", flow)).content.decode()


def test_trying_again_lets_the_run_go_on_and_keeps_the_note(
    client: Client, person: User, company: Connection
) -> None:
    flow = ambiguous(company)

    answer = client.post(address("retry", flow), {"retry-reason": "Looked in Bokio"})

    flow.refresh_from_db()
    event = Event.objects.get(action="flow.retried")
    assert (answer.status_code, answer["Location"]) == (302, address("detail", flow))
    assert flow.state == FlowState.READY
    assert (event.actor, event.data["reason"]) == (person, "Looked in Bokio")


def test_a_second_person_who_tries_again_is_told_and_changes_nothing(
    client: Client, company: Connection
) -> None:
    flow = ambiguous(company)
    client.post(address("retry", flow))

    page = client.post(address("retry", flow), follow=True)

    assert "somebody has let it go on" in text_of(page)
    assert Event.objects.filter(action="flow.retried").count() == 1


def test_cancelling_without_a_note_keeps_everything_and_asks_for_one(
    client: Client, company: Connection
) -> None:
    flow = ambiguous(company)

    page = client.post(address("cancel", flow), {"cancel-reason": " "})

    flow.refresh_from_db()
    assert page.status_code == 422
    assert "Say why, so that others can follow it later." in text_of(page)
    assert flow.state == FlowState.STUCK


def test_cancelling_asks_the_workers_to_drop_the_rest(client: Client, company: Connection) -> None:
    flow = make.flow(company)

    client.post(address("cancel", flow), {"cancel-reason": "Wrong customer"})

    flow.refresh_from_db()
    assert flow.cancel_requested
    assert Event.objects.get(action="flow.cancel_requested").data["reason"] == "Wrong customer"


def test_cancelling_a_run_that_has_ended_is_told_as_such(
    client: Client, company: Connection
) -> None:
    flow = make.flow(company, state=FlowState.DONE)

    page = client.post(address("cancel", flow), {"cancel-reason": "Too late"}, follow=True)

    assert "The run had already ended." in text_of(page)


def test_decisions_are_never_taken_by_following_a_link(client: Client, company: Connection) -> None:
    flow = ambiguous(company)

    assert client.get(address("retry", flow)).status_code == 405
    assert client.get(address("cancel", flow)).status_code == 405


def test_progress_asks_again_while_the_run_moves(client: Client, company: Connection) -> None:
    flow = make.flow(company, state=FlowState.RUNNING, cursor=1)
    flow.steps.filter(pos=0).update(state=StepState.DONE, result={"name": "Kund AB"})

    page = client.get(address("progress", flow), headers=HTMX)

    body = page.content.decode()
    assert f'data-follows="flow:{flow.public_id}" data-poll="1"' in body
    assert "HX-Trigger" not in page
    assert "Kund AB" in body
    assert "1 of 4 steps done. Draft in Bokio: running" in body
    assert "no-store" in page["Cache-Control"]


def test_progress_that_the_page_has_already_is_not_sent_again(
    client: Client, company: Connection
) -> None:
    flow = make.flow(company)
    seen = re.search(r"\?seen=(\w+)", client.get(address("progress", flow)).content.decode())
    assert seen

    same = client.get(address("progress", flow), {"seen": seen[1]}, headers=HTMX)
    flow.steps.filter(pos=0).update(state=StepState.DONE)
    other = client.get(address("progress", flow), {"seen": seen[1]}, headers=HTMX)

    assert (same.status_code, same.content) == (204, b"")
    assert other.status_code == 200


@pytest.mark.parametrize("state", [FlowState.DONE, FlowState.STUCK, FlowState.CANCELLED])
def test_progress_of_a_run_at_rest_tells_the_page_and_stops_asking(
    state: FlowState, client: Client, company: Connection
) -> None:
    flow = make.flow(company, state=state)

    page = client.get(address("progress", flow), headers=HTMX)

    assert page["HX-Trigger"] == "flow-ended"
    assert "hx-get" not in page.content.decode()


def test_an_adopted_effect_is_told_plainly(client: Client, company: Connection) -> None:
    flow = make.flow(company, cursor=1)
    flow.steps.filter(pos=0).update(state=StepState.DONE, resolved_by="proof", attempt=1)

    page = text_of(client.get(address("progress", flow)))

    assert "No answer came. Read in Bokio: it was there. Adopted." in page


def test_a_skipped_step_says_why(client: Client, company: Connection) -> None:
    flow = make.flow(company, cursor=1)
    flow.steps.filter(pos=0).update(state=StepState.SKIPPED, skip_reason="known")

    assert "Bokio has the customer already." in text_of(client.get(address("progress", flow)))


def test_the_number_of_a_journal_entry_is_shown_once_it_is_read(
    client: Client, company: Connection
) -> None:
    flow = make.flow(company, state=FlowState.DONE)
    flow.steps.filter(op="record_invoice").update(result={"journal_entry_id": "entry-1"})
    company.journal_entries.create(remote_id="entry-1", number="V389", date=clock.today())

    assert "V389" in text_of(client.get(address("progress", flow)))
