"""One permission more: asked for where it is missed, and what waited for it goes on."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from bokio_app.connections.features import NEEDED, scopes_for
from bokio_app.connections.models import Connection
from bokio_app.flows.models import FlowState
from bokio_app.invoicing import services as invoicing
from bokio_app.tenants.models import Tenant, User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant(person: User) -> Tenant:
    return person.memberships.get().tenant


@pytest.fixture
def client(person: User) -> Client:
    browser = Client()
    browser.force_login(person)
    browser.cookies["bokio_app_language"] = "en"
    return browser


def test_a_run_that_lacks_a_permission_leads_to_it_and_goes_on_after_the_consent(
    client: Client, person: User, sandbox: SandboxProcess
) -> None:
    had = [each for each in NEEDED if each != "invoices:write"]
    connection = bokio.connect(sandbox, by=person, scopes=had)
    draft = bokio.guide_draft(connection, by=person)
    flow, _started = invoicing.start_sending(draft, by=person)
    bokio.work(connection)
    address = reverse("connections:more", args=[connection.pk]) + "?scope=invoices%3Awrite"
    shown = client.get(reverse("flows:detail", args=[flow.public_id])).content.decode()
    assert f'href="{address}"' in shown
    assert 'value="invoices" checked' in client.get(address).content.decode()

    answer = client.post(address, {"feature": "invoices"})
    asked = parse_qs(urlsplit(answer["Location"]).query)
    assert asked["bokio_tenantid"] == [str(connection.company_id)]
    scopes = asked["scope"][0].split()
    assert set(scopes) == set(NEEDED)
    code = sandbox.authorize_directly(str(connection.company_id), scopes)
    client.get("/bokio/callback", {"state": asked["state"][0], "code": code})
    bokio.work(connection)

    flow.refresh_from_db()
    assert flow.state == FlowState.DONE
    assert Connection.objects.get() == connection


def test_what_is_allowed_is_not_offered_again_and_elevated_permissions_only_where_approved(
    client: Client, tenant: Tenant, settings: Any
) -> None:
    connection = make.connection(tenant, scopes=list(scopes_for(["items"])))
    address = reverse("connections:more", args=[connection.pk])

    page = client.get(address)
    offered = [each.key for each in page.context["missing"]]
    settings.BOKIO_BANK_PAYMENTS = True
    approved = [each.key for each in client.get(address).context["missing"]]

    assert offered == ["credit-notes", "bookkeeping"]
    assert approved == [*offered, "bank-payments"]


def test_a_reconnect_asks_also_for_what_the_runs_lack(client: Client, tenant: Tenant) -> None:
    connection = make.connection(tenant, lacks=["items:write"])

    answer = client.post(reverse("connections:reconnect", args=[connection.pk]))

    asked = parse_qs(urlsplit(answer["Location"]).query)["scope"][0].split()
    assert set(asked) == {*connection.scopes, "items:read", "items:write"}


def test_what_is_refused_though_it_was_asked_for_can_be_asked_for_once_more(
    client: Client, tenant: Tenant, settings: Any
) -> None:
    settings.BOKIO_BANK_PAYMENTS = False
    everything = scopes_for(["items", "credit-notes", "bookkeeping"])
    connection = make.connection(tenant, scopes=list(everything), lacks=["items:write"])

    page = client.get(reverse("connections:more", args=[connection.pk])).content.decode()

    assert reverse("connections:reconnect", args=[connection.pk]) in page


def test_what_a_company_has_is_asked_for_again_with_what_is_new(
    client: Client, tenant: Tenant
) -> None:
    connection = make.connection(tenant, scopes=list(scopes_for(["items"])))

    answer = client.post(
        reverse("connections:more", args=[connection.pk]),
        {"feature": ["credit-notes", "bank-payments"]},
    )

    asked = parse_qs(urlsplit(answer["Location"]).query)["scope"][0].split()
    assert set(asked) == set(scopes_for(["items", "credit-notes"]))
