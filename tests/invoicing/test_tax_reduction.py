"""ROT and RUT in the editor: whose numbers are kept, what Bokio gets, what the customer pays."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from bokio_app.connections import grants
from bokio_app.connections.models import Connection
from bokio_app.connections.remote import bokio_for
from bokio_app.core import clock
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing import services, tax_reduction
from bokio_app.invoicing.models import Customer, Invoice
from bokio_app.invoicing.more import Writing
from bokio_app.invoicing.overview import Overview, flows_of
from bokio_app.tenants.models import User
from tests.support import bokio, make
from tests.support.sandbox import SandboxProcess

pytestmark = pytest.mark.django_db
JANE, JOHN = "19811218-9876", "19790412-1238"
HOME = {"property_type": "realEstate", "real_estate_number": "Berga 1:23"}


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def books():
    made = make.connection(make.tenant())
    make.fiscal_year(made)
    return made


@pytest.fixture
def customer(books):
    return make.customer(books)


@pytest.fixture
def page(client, books):
    client.force_login(make.member(books.tenant))
    client.cookies["bokio_app_language"] = "en"
    return client


def form(customer: Customer, *people: tuple[str, str], **head: str) -> dict[str, str]:
    """As the editor posts it: two hours of painting, and the paint."""
    lines = ({"product": "services", "unit": "hour"}, {"product": "goods", "unit": "liter"})
    data = {
        "draft_id": str(uuid.uuid4()),
        "request_key": str(uuid.uuid4()),
        "version": "0",
        "customer": str(customer.pk),
        "customer_text": customer.name,
        "invoice_date": clock.today().isoformat(),
        "terms": "30",
        "action": "save",
        "reduction-type": "rot",
        "reduction-job": "rotPainting",
        "reduction-description": "Målning av huset",
    }
    data |= {f"reduction-{name}": value for name, value in HOME.items()}
    for place, line in enumerate(lines):
        row = {"type": "salesItem", "description": f"Rad {place}", "quantity": "2"} | line
        row |= {"unit_price": "500", "tax_rate": "25"}
        data |= {f"lines-{place}-{name}": value for name, value in row.items()}
    for place, (number, amount) in enumerate(people):
        data[f"people-{place}-key"] = uuid.uuid4().hex
        data |= {f"people-{place}-number": number, f"people-{place}-amount": amount}
    return data | head


def new(connection: Connection) -> str:
    return f"{reverse('invoicing:new')}?company={connection.pk}"


def saved(page: Client, books: Connection, data: dict[str, str]) -> Invoice:
    answer = page.post(new(books), data)
    assert answer.status_code == 302, answer.content.decode()
    return Invoice.objects.get()


def test_a_number_is_kept_encrypted_and_shown_in_part_on_every_page(page, books, customer) -> None:
    invoice = saved(page, books, form(customer, (JANE.replace("-", ""), "300"), (JOHN, "150,50")))

    kept = tax_reduction.kept(invoice.pk)
    assert kept is not None
    assert [(each.number, each.amount) for each in kept.people] == [
        (JANE, "300"),
        (JOHN, "150.50"),
    ]
    for name in ("edit", "detail"):
        shown = page.get(reverse(f"invoicing:{name}", args=[invoice.pk])).content.decode()
        assert "19811218-••••" in shown
        assert "19790412-••••" in shown
        assert "9876" not in shown


def test_saving_the_page_again_keeps_the_numbers_that_it_showed_in_part(
    page, books, customer
) -> None:
    data = form(customer, (JANE, "300"))
    invoice = saved(page, books, data)

    again = data | {"version": "1", "people-0-number": "19811218-••••", "people-0-amount": "250"}
    page.post(reverse("invoicing:edit", args=[invoice.pk]), again)

    kept = tax_reduction.kept(invoice.pk)
    assert kept is not None
    assert [(each.number, each.amount) for each in kept.people] == [(JANE, "250")]


def test_the_same_form_sent_twice_is_one_draft(page, books, customer) -> None:
    data = form(customer, (JANE, "300"))

    assert [page.post(new(books), data).status_code for _ in range(2)] == [302, 302]

    assert Invoice.objects.get().version == 1


def test_a_part_of_a_number_that_the_draft_does_not_have_is_asked_for_whole(
    page, books, customer
) -> None:
    answer = page.post(new(books), form(customer, ("19811218-••••", "300")))

    assert answer.status_code == 422
    assert "Write all twelve digits" in answer.content.decode()
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"people-0-number": "19811218-9875"}, "check digit"),
        ({"people-0-number": "19811318-9876"}, "date is wrong"),
        ({"people-0-number": "811218-9876"}, "twelve digits"),
        ({"people-0-amount": ""}, "how many kronor"),
        ({"people-0-amount": "-1"}, "how many kronor"),
        ({"people-0-amount": "2500"}, "less than the total"),
        ({"reduction-job": "rutCleaning"}, "Choose work that ROT is for"),
        ({"reduction-description": ""}, "Write what was done"),
        ({"reduction-property_type": ""}, "needs to know the home"),
        ({"reduction-real_estate_number": ""}, "This kind of home needs it"),
        ({"lines-0-unit": "piece"}, "No line is a service"),
        ({"currency": "EUR", "rate": "11"}, "need an invoice in SEK"),
    ],
)
def test_what_bokio_would_refuse_is_told_and_what_was_typed_stays(
    page, books, customer, changes, told
) -> None:
    answer = page.post(new(books), form(customer, (JANE, "300")) | changes)

    text = answer.content.decode()
    assert answer.status_code == 422
    assert told in text
    for name, typed in changes.items():
        assert not name.startswith("people") or f'value="{typed}"' in text
    assert not Invoice.objects.exists()


def test_a_coordination_number_is_a_persons(page, books, customer) -> None:
    invoice = saved(page, books, form(customer, ("19811278-9873", "300")))

    kept = tax_reduction.kept(invoice.pk)
    assert kept is not None
    assert kept.people[0].number == "19811278-9873"


def test_autosave_of_a_draft_that_is_not_whole_keeps_the_number_nowhere_in_clear(
    page, books, customer
) -> None:
    data = form(customer, (JANE, "tre"), action="autosave", seq="1")

    assert page.post(new(books), data).status_code == 200

    invoice = Invoice.objects.get()
    assert JANE not in str(Writing.objects.get(invoice=invoice).typed)
    again = page.get(reverse("invoicing:edit", args=[invoice.pk])).content.decode()
    assert "19811218-••••" in again
    assert 'value="tre"' in again


def test_people_are_added_and_removed_by_buttons_without_scripts(page, books, customer) -> None:
    data = form(customer, (JANE, "300"))

    more = page.post(new(books), data | {"action": "add_person"}).content.decode()
    fewer = page.post(new(books), data | {"action": "remove_person:0"}).content.decode()

    assert 'name="people-1-number"' in more
    assert f'value="{JANE}"' in more
    assert JANE not in fewer


def test_turned_off_nothing_of_it_is_kept(page, books, customer) -> None:
    data = form(customer, (JANE, "300"))
    invoice = saved(page, books, data)

    off = data | {"version": "1", "reduction-type": ""}
    page.post(reverse("invoicing:edit", args=[invoice.pk]), off)

    assert tax_reduction.kept(invoice.pk) is None
    assert not tax_reduction.Deduction.objects.exists()


def test_beside_the_lines_stands_what_the_customer_pays_and_the_agencys_account(
    page, books, customer
) -> None:
    data = form(customer, (JANE, "300"), (JOHN, "200"))

    shown = page.post(reverse("invoicing:preview", args=[books.pk]), data).content.decode()

    assert "2,000.00" in shown  # 2,500 with VAT, less 500
    assert "1513" in shown


class TestInBokio:
    """Sent to the sandbox, which judges as Bokio does."""

    def send(self, connection: Connection, person: User) -> Invoice:
        customer = make.customer(connection, org_number="556016-0680")
        client = Client()
        client.force_login(person)
        data = form(customer, (JANE, "300"), (JOHN, "200"), action="send")
        assert client.post(new(connection), data).status_code == 302
        bokio.work(connection)
        return Invoice.objects.get(connection=connection, customer=customer)

    def test_bokio_gets_the_people_and_the_work_and_records_the_agencys_part(
        self, sandbox: SandboxProcess, connection: Connection, person: User
    ) -> None:
        invoice = self.send(connection, person)

        [flow] = Flow.objects.filter(kind=services.SEND_INVOICE)
        assert flow.state == FlowState.DONE, flow.steps.get(pos=flow.cursor).error_message
        access = grants.access(connection)
        there = bokio_for(connection, access=access, before_call=bokio.uncounted)
        found = there.invoices.get(uuid.UUID(invoice.remote_id))
        assert found.tax_reduction is not None
        assert [(each.personal_number, each.amount) for each in found.tax_reduction.people] == [
            (JANE, 300),
            (JOHN, 200),
        ]
        assert found.tax_reduction.real_estate_number == "Berga 1:23"
        assert [bool(each.tax_reduction) for each in found.line_items] == [True, False]
        assert JANE not in str(found.metadata)
        assert sandbox.balance(str(connection.company_id), 1513) == Decimal(500)
        entry = Overview(invoice, flows_of(invoice)).comparisons[0]
        assert [each.wanted for each in entry.rows if each.account == 1513] == [(500, 0)]

    def test_a_lost_answer_is_found_again_by_people_and_amounts(
        self, sandbox: SandboxProcess, connection: Connection, person: User, hurry: None
    ) -> None:
        sandbox.lose_answer("post-invoice")

        invoice = self.send(connection, person)

        assert sandbox.count("post-invoice") == 1
        assert invoice.number
