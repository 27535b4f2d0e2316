"""The operators' console: who gets in, what is never shown, and what can be done there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.test import Client
from django.urls import reverse
from django.utils import translation

from bokio_app.audit.models import Event
from bokio_app.connections.models import Connection, TokenGrant
from bokio_app.flows.models import Attempt, Flow, FlowState, Step
from bokio_app.invoicing.models import Customer, Invoice
from tests.support import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Client:
    browser = Client()
    browser.force_login(make.user(is_staff=True, is_superuser=True, email="op@example.com"))
    browser.cookies["bokio_app_language"] = "en"
    return browser


def listed(model: type[Any]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def opened(row: Any) -> str:
    label = f"{row._meta.app_label}_{row._meta.model_name}"
    return reverse(f"admin:{label}_change", args=[row.pk])


def test_the_consoles_door_is_the_apps_own_sign_in() -> None:
    answer = Client().get(reverse("admin:index"), follow=True)

    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))


def test_a_member_who_is_no_operator_is_sent_away() -> None:
    browser = Client()
    browser.force_login(make.member())

    assert browser.get(reverse("admin:index"), follow=True).status_code == 403


def test_every_page_of_the_console_opens(operator: Client) -> None:
    company = make.connection()
    make.fiscal_year(company)
    invoice = make.invoice(company, status="published")
    invoice.payments.create(date=invoice.invoice_date, amount=1, account=1930)
    make.attempt(make.flow(company).steps.get(pos=0))
    Event.objects.create(tenant=company.tenant, action="test", subject="test:1")

    for model in admin.site._registry:
        row = model._default_manager.first()
        assert operator.get(listed(model)).status_code == 200, model
        assert row is None or operator.get(opened(row)).status_code == 200, model


def test_tokens_are_on_no_page(operator: Client) -> None:
    company = make.connection()
    grant = company.grants.get()

    page = operator.get(opened(company)).content.decode()

    assert TokenGrant not in admin.site._registry
    for secret in (grant.access_token, grant.refresh_token, bytes(grant.access).hex()):
        assert secret not in page
    assert str(bytes(grant.access)) not in page


def test_a_stuck_flow_is_found_by_company_and_let_go_on(operator: Client) -> None:
    flow = make.flow(make.connection(name="Granliden AB"), state=FlowState.STUCK)
    make.flow(make.connection(), state=FlowState.STUCK)

    found = operator.get(listed(Flow), {"q": "Granliden", "state__exact": "stuck"})
    operator.post(listed(Flow), {"action": "retry", "_selected_action": [flow.pk]})

    flow.refresh_from_db()
    event = Event.objects.get(action="flow.retried")
    assert [each.pk for each in found.context["cl"].result_list] == [flow.pk]
    assert flow.state == FlowState.READY
    assert (event.actor and event.actor.email, event.data["reason"]) == (
        "op@example.com",
        "admin console",
    )


def test_letting_a_finished_flow_go_on_changes_nothing(operator: Client) -> None:
    flow = make.flow(make.connection(), state=FlowState.DONE)

    operator.post(listed(Flow), {"action": "retry", "_selected_action": [flow.pk]})

    flow.refresh_from_db()
    assert flow.state == FlowState.DONE
    assert not Event.objects.filter(action="flow.retried").exists()


def test_an_operator_without_the_right_cannot_let_flows_go_on() -> None:
    flow = make.flow(make.connection(), state=FlowState.STUCK)
    browser = Client()
    browser.force_login(make.user(is_staff=True))

    browser.post(listed(Flow), {"action": "retry", "_selected_action": [flow.pk]})

    flow.refresh_from_db()
    assert flow.state == FlowState.STUCK


@pytest.mark.parametrize("model", [Connection, Flow, Attempt, Event, Invoice, Customer])
def test_what_the_app_writes_is_never_edited_by_hand(operator: Client, model: type[Any]) -> None:
    company = make.connection()
    make.invoice(company)
    make.attempt(make.flow(company).steps.get(pos=0))
    Event.objects.create(tenant=company.tenant, action="test", subject="test:1")
    row = model._default_manager.first()
    label = f"admin:{model._meta.app_label}_{model._meta.model_name}"

    assert operator.get(reverse(f"{label}_add")).status_code == 403
    assert operator.post(opened(row), {"state": "ended"}).status_code == 403
    assert operator.post(reverse(f"{label}_delete", args=[row.pk])).status_code == 403


def test_looking_at_an_invoice_leaves_a_line_in_the_workspaces_audit(operator: Client) -> None:
    invoice = make.invoice(make.connection())

    operator.get(opened(invoice))

    event = Event.objects.get(action="operator.viewed")
    assert (event.tenant, event.subject) == (invoice.tenant, f"invoice:{invoice.pk}")


def test_a_private_persons_number_is_masked(operator: Client) -> None:
    customer = make.customer(make.connection(), type="private", org_number="790412-1234")

    page = operator.get(opened(customer)).content.decode()

    assert "790412-••••" in page
    assert "1234" not in page


@pytest.mark.parametrize("model", [Connection, Flow, Attempt, Invoice])
def test_a_long_list_costs_no_more_queries_than_a_short_one(
    operator: Client, model: type[Any], django_assert_max_num_queries: Any
) -> None:
    for _number in range(20):
        company = make.connection()
        make.invoice(company)
        make.attempt(make.flow(company).steps.get(pos=0))

    with django_assert_max_num_queries(10):
        assert operator.get(listed(model)).status_code == 200
    assert Step.objects.count() == 80


def test_an_operator_makes_a_person_who_can_sign_in(operator: Client) -> None:
    form = {
        "email": "new@example.com",
        "name": "Nora Ny",
        "usable_password": "true",
        "password1": make.PASSWORD,
        "password2": make.PASSWORD,
    }

    operator.post(reverse("admin:tenants_user_add"), form)

    assert Client().login(email="new@example.com", password=make.PASSWORD)


def _field(filtered: object) -> str:
    """The field of a filter, which stands there alone or with the kind of filter."""
    return str(filtered[0] if isinstance(filtered, tuple) else filtered)


def test_every_column_of_the_console_has_a_swedish_title() -> None:
    """But for words that are the same in both languages."""

    def titles(language: str) -> list[str]:
        with translation.override(language):
            return [
                str(label_for_field(name, model, shown))
                for model, shown in admin.site._registry.items()
                if model.__module__.startswith("bokio_app.")
                for name in [*shown.list_display, *map(_field, shown.list_filter)]
                if "__" not in name
            ]

    pairs = zip(titles("en"), titles("sv"), strict=True)

    assert {english for english, swedish in pairs if english == swedish} <= {
        "person",
        "slug",
        "status",
    }
