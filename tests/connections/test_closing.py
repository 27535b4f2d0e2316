"""Closing a workspace: read-only at once, its companies leave, and its books are erased in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bokio_app.audit.models import Event
from bokio_app.connections import (
    closing,
    company_access,
    disconnecting,
    general,
    invitations,
    notices,
)
from bokio_app.connections.models import (
    ConnectAttempt,
    Connection,
    Invitation,
    Leaving,
    Notice,
    State,
    TokenGrant,
)
from bokio_app.core import clock
from bokio_app.flows import errands
from bokio_app.flows.claim import claim
from bokio_app.flows.engine import run
from bokio_app.flows.models import FlowState, HeldFile, ListedPage, Listing, Reading
from bokio_app.invoicing import services as invoicing
from bokio_app.invoicing.listing.kept import ListSettings, SavedView
from bokio_app.invoicing.models import CreditNote, Item
from bokio_app.invoicing.more import InvoiceMore, Opened, Writing
from bokio_app.invoicing.tax_reduction import Deduction, TaxReduction
from bokio_app.ledger.models import JournalEntry, JournalItem
from bokio_app.mirror.models import Mirror
from bokio_app.payments.models import Payment, Settlement
from bokio_app.tenants.models import Member, Role, Tenant, User
from tests.isolation.scene import Scene
from tests.support import bokio, make
from tests.support.rows import all_rows, changed
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/workspace/close/"


@pytest.fixture(autouse=True)
def afresh(settings: Any) -> None:
    general._tokens.clear()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant(name="Byrån Lagerkvist")


@pytest.fixture
def owner(tenant: Tenant) -> User:
    person = make.member(tenant, name="Maja Lindqvist", language="en")
    person.memberships.update(role=Role.OWNER)
    return person


@pytest.fixture
def client(owner: User) -> Client:
    return browser_of(owner)


def browser_of(person: User) -> Client:
    browser = Client()
    browser.force_login(person)
    browser.cookies["bokio_app_language"] = "en"
    return browser


def close(client: Client, work: str = "finish", name: str = "Byrån Lagerkvist") -> Any:
    return client.post(PAGE, {"name": name, "work": work})


def reopen(client: Client) -> Any:
    return client.post(PAGE, {"do": "reopen"})


def is_closed(tenant: Tenant) -> bool:
    return Tenant.objects.filter(pk=tenant.pk, closed_at__isnull=False).exists()


def errands_until(reached: Callable[[], bool], *, work: Connection | None = None) -> None:
    """Be the workers until something has come about."""
    ends = time.monotonic() + bokio.PATIENCE
    while not reached():
        assert time.monotonic() < ends
        errands.run_due()
        if work and (flow := claim(work.pk)):
            run(flow, until=clock.now() + timedelta(seconds=60))
        bokio.pause()


def all_ended(tenant: Tenant) -> Callable[[], bool]:
    return lambda: not closing.connected(tenant).exists()


def test_the_owner_closes_and_every_company_is_disconnected_at_bokio(
    client: Client, tenant: Tenant, owner: User, sandbox: SandboxProcess
) -> None:
    sandbox.reset(companies=2)
    companies = [bokio.connect(sandbox, by=owner, company=number) for number in range(2)]
    draft = bokio.guide_draft(companies[0], by=owner)
    flow, _started = invoicing.start_sending(draft, by=owner)

    assert close(client)["Location"] == PAGE
    assert "2 companies are still being disconnected" in client.get(PAGE).content.decode()
    errands_until(all_ended(tenant), work=companies[0])

    flow.refresh_from_db()
    assert flow.state == FlowState.DONE
    assert sandbox.connections() == []
    assert not TokenGrant.objects.exists()
    assert "All companies are disconnected" in client.get(PAGE).content.decode()
    told = Event.objects.get(action="workspace.closed")
    assert (told.actor, told.data) == (owner, {"finishes_first": True})


def test_queued_work_is_cancelled_where_the_owner_chooses_that(
    client: Client, tenant: Tenant, owner: User, sandbox: SandboxProcess
) -> None:
    connection = bokio.connect(sandbox, by=owner)
    draft = bokio.guide_draft(connection, by=owner)
    flow, _started = invoicing.start_sending(draft, by=owner)
    close(client)
    errands.run_due()
    flow.refresh_from_db()
    assert flow.state == FlowState.READY

    closing.close(tenant, finishes_first=False, by=owner)
    errands_until(all_ended(tenant), work=connection)

    flow.refresh_from_db()
    assert flow.state == FlowState.CANCELLED
    assert sandbox.books(str(connection.company_id))["invoices"] == []


def test_only_an_owner_who_signed_in_lately_and_types_the_name_closes_it(
    client: Client, tenant: Tenant
) -> None:
    member = make.member(tenant)

    assert close(client, name="Another").status_code == 422
    assert close(browser_of(member)).status_code == 403
    with pytest.raises(PermissionDenied):
        closing.close(tenant, finishes_first=True, by=member)
    session = client.session
    session["signed_in_at"] = 0.0
    session.save()
    assert close(client)["Location"].startswith("/account/reauthenticate/")

    assert not is_closed(tenant)


def test_members_are_told_here_and_by_mail_and_each_page_says_so(
    client: Client, tenant: Tenant, owner: User
) -> None:
    make.connection(tenant)
    member = make.member(tenant, language="sv")
    theirs = browser_of(member)

    close(client)
    tenant.refresh_from_db()
    assert tenant.kept_until
    assert tenant.closed_at == tenant.kept_until - timedelta(days=90)
    day = timezone.localtime(tenant.kept_until).date().isoformat()
    Notice.objects.update(mail_not_before=clock.now() - timedelta(seconds=1))
    notices.send_due()

    texts = {each.to[0]: f"{each.subject} {each.body}" for each in mail.outbox}
    assert "Byrån Lagerkvist: Workspace closed" in texts[owner.email]
    assert "Arbetsytan är stängd" in texts[member.email]
    assert all(day in text for text in texts.values())
    assert "Workspace closed" in theirs.get("/companies/notices/").content.decode()
    for page in ("/", "/companies/", "/invoices/", "/runs/"):
        assert "nothing can be started" in theirs.get(page).content.decode()


def test_nobody_is_let_in_and_no_company_comes_in_while_it_is_closed(
    client: Client, tenant: Tenant, owner: User, sandbox: SandboxProcess
) -> None:
    asked = client.post(reverse("connections:connect"))["Location"]
    state = asked.partition("state=")[2].partition("&")[0]
    invitations.invite(tenant, by=owner, for_name="", email="", chosen=[])
    code = sandbox.authorize_directly(sandbox.companies()[0]["id"], ["invoices:read"])

    close(client)
    back = client.get("/bokio/callback", {"state": state, "code": code})

    assert back["Location"] == reverse("connections:failed", args=["unknown"])
    assert not Connection.objects.exists()
    assert not invitations.usable().exists()
    assert Invitation.objects.exists()


def test_opened_again_companies_whose_work_was_coming_to_rest_stay(
    client: Client, tenant: Tenant, owner: User
) -> None:
    stays, asked_before, goes = (make.connection(tenant) for _ in range(3))
    make.flow(stays)  # so that its work is not at rest
    disconnecting.ask(asked_before, finishes_first=True, by=owner)
    close(client)
    closing.disconnect_all()
    Connection.objects.filter(pk=goes.pk).update(state=State.ENDING)
    goes.leavings.update(stage=Leaving.Stage.CLOSING)

    assert reopen(client)["Location"] == "/workspace/"
    closing.disconnect_all()

    assert not is_closed(tenant)
    open_ = Leaving.objects.filter(stage__in=disconnecting.OPEN)
    assert {each.connection for each in open_} == {asked_before, goes}
    assert client.post(reverse("connections:connect")).status_code == 302
    assert Event.objects.filter(action="workspace.opened").count() == 1
    assert [each.kind for each in Notice.objects.order_by("pk")] == ["closed", "opened"]


def test_a_company_that_stays_connected_meanwhile_is_asked_to_leave_again(
    client: Client, tenant: Tenant
) -> None:
    connection = make.connection(tenant)
    close(client)
    closing.disconnect_all()
    disconnecting.call_off(connection)  # as a consent does that was kept at that very moment

    closing.disconnect_all()

    assert connection.leavings.filter(stage=Leaving.Stage.EMPTYING).count() == 1


def erasable() -> Scene:
    """A closed workspace with rows of each kind, whose companies are disconnected."""
    scene = Scene()
    of = {"tenant": scene.tenant, "connection": scene.company}
    CreditNote.objects.create(**of, remote_id="1", credit_date="2026-01-01")
    Item.objects.create(**of, remote_id="1")
    entry = JournalEntry.objects.create(connection=scene.company, remote_id="1", date="2026-01-01")
    JournalItem.objects.create(entry=entry, position=0, account=1930, debit=1, credit=0)
    InvoiceMore.objects.create(invoice=scene.draft)
    reduction = TaxReduction.objects.create(invoice=scene.draft, type="rot")
    Deduction.objects.create(reduction=reduction, position=0, number=b"1", amount=1)
    Writing.objects.create(invoice=scene.draft, saved_at=clock.now())
    Opened.objects.create(invoice=scene.draft, user=scene.person, seen_at=clock.now())
    payment = Payment.objects.create(
        invoice=scene.published, date="2026-01-01", amount=1, account=1930, gone_at=clock.now()
    )
    Settlement.objects.create(
        invoice=scene.published, payment=payment, date="2026-01-01", amount=1, type="bankFee"
    )
    Mirror.objects.create(
        connection=scene.company, next_at=clock.now(), all_at=clock.now(), open_at=clock.now()
    )
    listing = Listing.objects.create(connection=scene.company, name="customers")
    ListedPage.objects.create(listing=listing, number=1, ids=b"", asked_at=clock.now())
    Reading.objects.create(connection=scene.company, subject="x", asked_at=clock.now())
    ConnectAttempt.objects.create(
        tenant=scene.tenant,
        user=scene.person,
        state_hash=str(scene.elsewhere),
        expires_at=clock.now(),
    )
    ListSettings.objects.create(member=scene.person.memberships.get())
    SavedView.objects.create(tenant=scene.tenant, name="Everybody's")
    Notice.objects.filter(person=scene.person).update(connection=scene.company)
    company_access.set_access(
        scene.colleague, sees_all=False, companies=[scene.company.pk], by=scene.person
    )
    HeldFile.objects.create(tenant=scene.tenant, name="a", sha256="b", content=b"c")
    closing.close(scene.tenant, finishes_first=False, by=scene.person)
    Connection.objects.filter(tenant=scene.tenant).update(
        state=State.ENDED, org_number="19121212-1212"
    )
    return scene


# What stays of a workspace that was erased: its name, companies, runs and audit trail, and
# accounts, which may work in other workspaces.
KEPT = {
    "account_emailaddress",
    "audit_event",
    "batches_bulkline",
    "connections_connection",
    "connections_leaving",
    "connections_tokengrant",  # the test has taken its companies off the list by hand
    "connections_usage",
    "flows_attempt",
    "flows_finding",
    "flows_flow",
    "flows_pace",
    "flows_remotebinding",
    "flows_shortreference",
    "flows_step",
    "tenants_tenant",
    "tenants_user",
}


def test_erasing_takes_our_copy_and_who_worked_there_and_nothing_of_others(
    pass_time: Callable[[timedelta], None],
) -> None:
    scene = erasable()
    mine = all_rows()
    other = erasable()
    Tenant.objects.filter(pk=other.tenant.pk).update(closed_at=None)
    theirs = {key: row for key, row in all_rows().items() if key not in mine}

    pass_time(timedelta(days=89))
    assert closing.erase_due() == 0
    assert changed(mine, all_rows()) == []
    pass_time(timedelta(days=2))
    assert closing.erase_due() == 1

    after = all_rows()
    left = {table for table, key in mine if (table, key) in after}
    assert left - KEPT == {"django_admin_log"} & left
    assert {"invoicing_customer", "payments_payment"}.isdisjoint(left)
    assert changed(theirs, after) == []
    assert not Member.objects.filter(tenant=scene.tenant).exists()
    company = Connection.objects.get(pk=scene.company.pk)
    assert (company.name, company.org_number) == (scene.company.name, "19121212-••••")
    assert Event.objects.get(action="workspace.erased").tenant == scene.tenant
    assert closing.erase_due() == 0
    assert Event.objects.filter(action="workspace.erased").count() == 1


def test_every_table_of_a_workspace_is_in_the_scene_or_known_to_stay() -> None:
    """A new table fails here until `erasable` makes a row of it, or `KEPT` says that it stays."""
    erasable()
    filled = {table for table, _key in all_rows()}
    of_workspaces = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and model.__module__.startswith("bokio_app")
    } - {"tenants_user_groups", "tenants_user_user_permissions"}

    assert of_workspaces - filled - KEPT == set()


def test_an_erasing_that_was_cut_off_goes_on_and_cannot_be_undone(
    monkeypatch: Any, pass_time: Callable[[timedelta], None]
) -> None:
    scene = erasable()
    pass_time(timedelta(days=91))
    first, *rest = closing.ERASERS
    monkeypatch.setattr(closing, "ERASERS", [first, fails, *rest])
    assert closing.erase_due() == 0
    with pytest.raises(closing.NotClosed):
        closing.reopen(scene.tenant, by=scene.person)
    assert scene.tenant.members.exists()

    monkeypatch.setattr(closing, "ERASERS", [first, *rest])

    assert closing.erase_due() == 1
    assert not scene.tenant.customers.exists()


def fails(_connection: Connection) -> None:
    raise ValueError("cut off")


def test_nothing_is_erased_before_every_company_is_disconnected(
    pass_time: Callable[[timedelta], None],
) -> None:
    scene = erasable()
    Connection.objects.filter(pk=scene.private.pk).update(state=State.ENDING)
    pass_time(timedelta(days=91))

    assert closing.erase_due() == 0

    assert scene.tenant.customers.exists()


def test_operators_see_which_workspaces_are_closing(admin_client: Client, tenant: Tenant) -> None:
    make.tenant(name="An open one")
    Tenant.objects.filter(pk=tenant.pk).update(closed_at=clock.now())

    page = admin_client.get("/admin/tenants/tenant/?closed_at__isempty=0").content.decode()

    assert "Byrån Lagerkvist" in page
    assert "An open one" not in page
    assert admin_client.get(f"/admin/tenants/tenant/{tenant.pk}/change/").status_code == 200
