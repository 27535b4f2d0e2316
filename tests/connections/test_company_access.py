"""A member who sees some of the companies: pages, lists, sums, runs and exports hold no other."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from bokio_app.audit.models import Event
from bokio_app.connections import company_access
from bokio_app.connections.models import CompanyAccess, Connection, Invitation, State
from bokio_app.connections.services import SCOPES
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing.models import Invoice
from bokio_app.tenants.models import Member, Role, Tenant, User
from bokio_app.tenants.seen import SeenManager
from tests.support import make
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db


@dataclass
class Books:
    """A company with an invoice that is overdue, one that is a draft, and a stuck run."""

    company: Connection
    invoice: Invoice
    draft: Invoice
    flow: Flow


def books(tenant: Tenant, name: str) -> Books:
    company = make.connection(tenant, name=name)
    make.fiscal_year(company)
    customer = make.customer(company, name=f"Kund hos {name}")
    invoice = make.invoice(
        company, status=Invoice.Status.PUBLISHED, customer=customer, due_date="2020-01-01"
    )
    draft = make.invoice(company, customer=customer)
    flow = make.flow(company, state=FlowState.STUCK, resource_key=invoice.resource_key)
    return Books(company, invoice, draft, flow)


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant()


@pytest.fixture
def given(tenant: Tenant) -> Books:
    return books(tenant, "Given AB")


@pytest.fixture
def hidden(tenant: Tenant) -> Books:
    return books(tenant, "Hidden AB")


@pytest.fixture
def person(tenant: Tenant, given: Books) -> User:
    """A member who was given one company."""
    person = make.member(tenant)
    member = person.memberships.get()
    company_access.set_access(member, sees_all=False, companies=[given.company.pk], by=person)
    return person


def browser_of(person: User) -> Client:
    browser = Client()
    browser.force_login(person)
    browser.cookies["bokio_app_language"] = "en"
    return browser


@pytest.fixture
def client(person: User) -> Client:
    return browser_of(person)


@pytest.fixture
def owner(tenant: Tenant) -> Client:
    person = make.member(tenant)
    person.memberships.update(role=Role.OWNER)
    return browser_of(person)


def pages_of(of: Books) -> list[str]:
    company, flow = of.company.pk, of.flow.public_id
    return [
        reverse("connections:detail", args=[company]),
        reverse("connections:result", args=[company]),
        reverse("connections:renewed", args=[company]),
        reverse("invoicing:detail", args=[of.invoice.pk]),
        reverse("invoicing:edit", args=[of.draft.pk]),
        f"{reverse('invoicing:new')}?company={company}",
        reverse("invoicing:company_list", args=[company]),
        reverse("invoicing:company_sums", args=[company]),
        reverse("invoicing:company_export", args=[company]),
        reverse("payments:register", args=[of.invoice.pk]),
        reverse("flows:detail", args=[flow]),
        reverse("flows:progress", args=[flow]),
    ]


def acts_on(of: Books) -> list[str]:
    company, flow = of.company.pk, of.flow.public_id
    return [
        reverse("connections:read", args=[company]),
        reverse("connections:reconnect", args=[company]),
        reverse("invoicing:send", args=[of.draft.pk]),
        reverse("invoicing:delete", args=[of.draft.pk]),
        reverse("payments:register", args=[of.invoice.pk]),
        reverse("payments:refresh", args=[of.invoice.pk]),
        reverse("flows:retry", args=[flow]),
        reverse("flows:cancel", args=[flow]),
    ]


def test_every_page_of_a_company_that_was_not_given_is_not_there(
    client: Client, given: Books, hidden: Books
) -> None:
    for address in pages_of(given):
        assert client.get(address).status_code == 200, address
    for address in pages_of(hidden):
        assert client.get(address).status_code == 404, address


def test_nothing_can_be_done_to_a_company_that_was_not_given(client: Client, hidden: Books) -> None:
    for address in acts_on(hidden):
        assert client.post(address, {"reason": "because"}).status_code == 404, address

    assert Invoice.objects.filter(pk=hidden.draft.pk).exists()
    assert list(hidden.company.flows.all()) == [hidden.flow]


def test_no_list_and_no_export_names_a_company_that_was_not_given(
    client: Client, given: Books, hidden: Books
) -> None:
    lists = [
        reverse("start"),
        reverse("connections:list"),
        f"{reverse('connections:list')}?q=AB",
        f"{reverse('connections:options')}?company_text=AB",
        reverse("invoicing:list"),
        f"{reverse('invoicing:list')}?q=Kund",
        reverse("flows:list"),
        f"{reverse('flows:list')}?company={hidden.company.pk}",
        reverse("flows:export"),
    ]
    for address in lists:
        answer = client.get(address)
        body = b"".join(answer) if answer.streaming else answer.content
        assert b"Hidden AB" not in body, address
        assert str(hidden.flow.public_id).encode() not in body, address
        if str(hidden.company.pk) not in address:
            assert b"Given AB" in body, address


def test_sums_and_counts_are_those_of_the_given_companies(
    client: Client, owner: Client, given: Books, hidden: Books
) -> None:
    mine, everything = (each.get(reverse("start")).context["queue"] for each in (client, owner))
    listed, all_listed = (
        each.get(reverse("invoicing:sums")).context["sums"] for each in (client, owner)
    )

    assert (mine.companies, mine.stuck, mine.total.drafts, mine.total.overdue) == (1, 1, 1, 1)
    assert (everything.companies, everything.stuck, everything.total.drafts) == (2, 2, 2)
    assert (listed.count, listed.amounts[0].total) == (2, Decimal("2500.00"))
    assert (all_listed.count, all_listed.amounts[0].total) == (4, Decimal("5000.00"))


def test_what_is_given_and_taken_holds_from_the_next_page(
    client: Client, person: User, given: Books, hidden: Books
) -> None:
    member, page = person.memberships.get(), reverse("connections:detail", args=[hidden.company.pk])

    company_access.set_access(member, sees_all=True, companies=[], by=person)
    assert client.get(page).status_code == 200
    company_access.set_access(member, sees_all=False, companies=[hidden.company.pk], by=person)
    assert client.get(page).status_code == 200
    assert client.get(reverse("connections:detail", args=[given.company.pk])).status_code == 404
    company_access.set_access(member, sees_all=False, companies=[], by=person)

    assert client.get(page).status_code == 404
    assert client.get(reverse("connections:list")).status_code == 200


def test_every_row_of_a_company_is_asked_for_through_the_manager_that_limits_it() -> None:
    limited = {
        model
        for model in apps.get_models()
        if {"tenant", "connection"} <= {field.name for field in model._meta.get_fields()}
        and model._meta.get_field("tenant").remote_field.related_name not in {None, "+"}
    }
    # Lines of orders from files have no page; invitations are their maker's, see
    # `open_invitations`.
    limited -= {apps.get_model("batches", "BulkLine"), Invitation}

    assert {"Invoice", "Customer", "Flow", "Finding"} <= {model.__name__ for model in limited}
    for model in limited:
        assert isinstance(model._default_manager, SeenManager), model
    assert isinstance(Connection._default_manager, SeenManager)


def test_an_owner_sees_everything_and_cannot_be_limited(tenant: Tenant) -> None:
    person = make.member(tenant)
    person.memberships.update(role=Role.OWNER)
    member = person.memberships.get()

    with pytest.raises(company_access.OwnerSeesAll):
        company_access.set_access(member, sees_all=False, companies=[], by=person)
    with pytest.raises(IntegrityError):
        Member.objects.filter(pk=member.pk).update(sees_all=False)


def test_an_owner_chooses_on_the_members_page_and_the_audit_trail_tells(
    owner: Client, tenant: Tenant, given: Books, hidden: Books
) -> None:
    member = make.member(tenant, name="Oskar Berglund").memberships.get()
    page = reverse("connections:member", args=[member.pk])
    other = make.connection()

    assert "Oskar Berglund" in owner.get(reverse("connections:members")).content.decode()
    assert owner.get(page).status_code == 200
    chosen = {"sees": "listed", "companies": [given.company.pk]}
    assert owner.post(page, chosen)["Location"] == reverse("connections:members")
    assert owner.post(page, {"sees": "listed", "companies": [other.pk]}).status_code == 422

    member.refresh_from_db()
    assert not member.sees_all
    assert [each.connection for each in CompanyAccess.objects.all()] == [given.company]
    told = Event.objects.get(action="member.access_changed")
    assert told.data == {"sees_all": False, "companies": [str(given.company.pk)]}


def test_the_members_page_is_for_owners_of_this_workspace_alone(
    client: Client, owner: Client, given: Books
) -> None:
    stranger = make.member().memberships.get()

    assert client.get(reverse("connections:members")).status_code == 403
    assert owner.get(reverse("connections:member", args=[stranger.pk])).status_code == 404


def connect(client: Client, sandbox: SandboxProcess) -> Any:
    """Connect the sandbox's first company; the address that the callback leads to."""
    asked = client.post(reverse("connections:connect"))["Location"]
    state = asked.partition("state=")[2].partition("&")[0]
    code = sandbox.authorize_directly(sandbox.companies()[0]["id"], SCOPES)
    return client.get("/bokio/callback", {"state": state, "code": code})["Location"]


def test_who_connects_a_company_sees_it(client: Client, sandbox: SandboxProcess) -> None:
    address = connect(client, sandbox)

    assert client.get(address).status_code == 200


def test_a_consent_for_a_company_of_the_workspace_that_was_not_given_gives_it_to_nobody(
    client: Client, tenant: Tenant, sandbox: SandboxProcess
) -> None:
    company = make.connection(
        tenant, company_id=sandbox.companies()[0]["id"], state=State.BROKEN, name="Hidden AB"
    )

    address = connect(client, sandbox)

    company.refresh_from_db()
    assert address == reverse("connections:failed", args=["not-given"])
    assert "Nothing was kept" not in client.get(address).content.decode()
    assert (company.state, company.generation) == (State.ACTIVE, 2)  # Bokio's newest pair is kept
    assert client.get(reverse("connections:detail", args=[company.pk])).status_code == 404
