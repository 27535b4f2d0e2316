"""A company that another workspace holds: the consent proves the right, and nothing is lost."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from bokio_app.audit.models import Event
from bokio_app.connections import services
from bokio_app.connections.models import Connection, Notice, State, TokenGrant
from bokio_app.core import clock
from bokio_app.flows import engine, leaving
from bokio_app.flows.claim import claim
from bokio_app.flows.models import FlowState
from bokio_app.invoicing import services as invoicing
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def old(sandbox: SandboxProcess, person: User) -> Connection:
    return bokio.connect(sandbox, by=person)


def take(sandbox: SandboxProcess, company: object, *, by: User) -> Connection:
    """Connect the company to another workspace by a consent."""
    tenant = by.memberships.get().tenant
    address = services.start_connect(tenant, by=by, browser="theirs")
    return services.finish_connect(
        by=by,
        browser="theirs",
        state=parse_qs(urlsplit(address).query)["state"][0],
        code=sandbox.authorize_directly(str(company), services.SCOPES),
        error="",
    ).connection


def test_the_company_moves_and_nothing_is_deleted_at_bokio(
    old: Connection, sandbox: SandboxProcess
) -> None:
    stranger = make.member()

    new = take(sandbox, old.company_id, by=stranger)

    old.refresh_from_db()
    assert (old.state, new.state) == (State.ENDED, State.ACTIVE)
    assert not TokenGrant.objects.filter(connection=old).exists()
    assert old.accounts.exists()
    assert sandbox.count("delete-connection-by-id") == 0
    assert [each["id"] for each in sandbox.connections()] == [str(new.remote_id)]
    bokio.work(new)
    assert new.accounts.exists()
    told = Event.objects.filter(action__in=["connection.given_up", "connection.taken_over"])
    assert {(each.tenant_id, each.action) for each in told} == {
        (old.tenant_id, "connection.given_up"),
        (new.tenant_id, "connection.taken_over"),
    }


def test_both_workspaces_are_told_and_neither_who_the_other_is(
    old: Connection, person: User, sandbox: SandboxProcess
) -> None:
    stranger = make.member()
    Notice.objects.all().delete()

    new = take(sandbox, old.company_id, by=stranger)

    told = Notice.objects.order_by("pk").values_list("person", "tenant", "connection", "kind")
    assert list(told) == [
        (person.pk, old.tenant_id, old.pk, Notice.Kind.GIVEN_UP),
        (stranger.pk, new.tenant_id, new.pk, Notice.Kind.TAKEN_OVER),
    ]
    reader = Client()
    reader.force_login(stranger)
    reader.cookies["bokio_app_language"] = "en"
    page = reader.get("/companies/notices/").content.decode()
    assert "Moved here from another workspace" in page
    assert old.tenant.name not in page


def test_work_that_had_not_begun_is_cancelled(
    old: Connection, person: User, sandbox: SandboxProcess
) -> None:
    draft = bokio.guide_draft(old, by=person)
    flow, _started = invoicing.start_sending(draft, by=person)

    take(sandbox, old.company_id, by=make.member())

    flow.refresh_from_db()
    assert flow.state == FlowState.CANCELLED
    assert sandbox.books(str(old.company_id))["invoices"] == []


def test_what_may_have_taken_effect_stops_for_the_old_workspace_with_its_proof_kept(
    old: Connection, person: User, sandbox: SandboxProcess
) -> None:
    draft = bokio.guide_draft(old, by=person)
    flow, _started = invoicing.start_sending(draft, by=person)
    sandbox.lose_answer("post-invoice")
    bokio.work_until(old, flow.steps.filter(state="unknown").exists)

    take(sandbox, old.company_id, by=make.member())

    flow.refresh_from_db()
    assert (flow.state, flow.stuck_code) == (FlowState.STUCK, "disconnected")
    step = flow.steps.get(op="create_invoice")
    assert step.state == "unknown"
    assert step.attempts.exists()


def test_a_call_under_way_is_left_to_its_worker_and_the_rest_is_cancelled_afterwards(
    old: Connection, person: User, sandbox: SandboxProcess
) -> None:
    draft = bokio.guide_draft(old, by=person)
    flow, _started = invoicing.start_sending(draft, by=person)
    claimed = claim(old.pk)
    assert claimed

    take(sandbox, old.company_id, by=make.member())
    flow.refresh_from_db()
    assert flow.state == FlowState.RUNNING
    engine.run(claimed, until=clock.now())
    leaving.end_left_over()

    flow.refresh_from_db()
    assert flow.state == FlowState.CANCELLED
