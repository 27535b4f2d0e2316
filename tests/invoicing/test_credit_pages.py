"""The pages of credit notes, without a worker: what they show, start and refuse."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.flows.models import Flow, FlowState
from bokio_app.invoicing import crediting
from bokio_app.invoicing.models import Invoice
from tests.support import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Connection:
    made = make.connection(make.tenant())
    make.fiscal_year(made)
    for number in (1510, 2611, 3011):
        make.account(made, number)
    return made


@pytest.fixture
def invoice(company: Connection) -> Invoice:
    """Three hours at 1 000, 3 750 with VAT; recorded."""
    rows = [{"quantity": Decimal(3)}]
    return make.invoice(company, status="published", lines=rows, journal_entry_id="e1")


@pytest.fixture
def page(client: Client, company: Connection) -> Client:
    client.force_login(make.member(company.tenant))
    client.cookies["bokio_app_language"] = "en"
    return client


def url_of(invoice: Invoice, name: str = "credit") -> str:
    return reverse(f"invoicing:{name}", args=[invoice.pk])


def typed(invoice: Invoice, quantity: str, *, seen: str, **more: str) -> dict[str, str]:
    [line] = invoice.lines.all()
    form = {"request_key": str(uuid.uuid4()), "action": "credit", "seen": seen}
    return form | {str(line.pk): quantity} | more


def operations(flow: Flow) -> list[str]:
    return list(flow.steps.order_by("pos").values_list("op", flat=True))


def test_the_form_proposes_all_that_is_left(page: Client, invoice: Invoice) -> None:
    make.credit_note(invoice, total=Decimal(1250), tax=Decimal(250), lines=[_line("1.000")])

    effect = page.get(url_of(invoice)).context["effect"]

    assert effect.amount.total == Decimal(2500)
    rows = [(row.account, row.debit, row.credit) for row in effect.entry.rows]
    assert rows == [(1510, 0, 2500), (3011, 2000, 0), (2611, 500, 0)]
    assert effect.left.total == 0


def _line(quantity: str) -> dict[str, Any]:
    return {
        "type": "salesItem",
        "product": "services",
        "description": "Rådgivning",
        "quantity": quantity,
        "unit": "unspecified",
        "unit_price": "1000.00",
        "tax_rate": 25,
        "account": None,
    }


def test_the_preview_says_what_a_part_comes_to(page: Client, invoice: Invoice) -> None:
    answer = page.post(url_of(invoice, "credit_preview"), typed(invoice, "1,5", seen="3750.00"))

    assert answer.context["effect"].amount.total == Decimal(1875)
    assert "Credit SEK\u00a01,875.00" in answer.content.decode()
    assert not Flow.objects.exists()


def test_one_post_starts_one_flow_for_the_part(page: Client, invoice: Invoice) -> None:
    form = typed(invoice, "1,5", seen="1875.00")
    for _each in range(2):
        answer = page.post(url_of(invoice), form)

    assert answer["Location"] == url_of(invoice, "detail")
    flow = Flow.objects.get()
    assert operations(flow) == [
        "credit_invoice",
        "credit_part",
        "publish_credit_note",
        "record_credit_note",
    ]


def test_all_of_an_invoice_needs_no_step_of_its_own(page: Client, invoice: Invoice) -> None:
    page.post(url_of(invoice), typed(invoice, "3", seen="3750.00"))

    [flow] = Flow.objects.all()
    assert operations(flow) == ["credit_invoice", "publish_credit_note", "record_credit_note"]


@pytest.mark.parametrize(
    "quantity, seen, said",
    [
        ("4", "5000.00", "More than what is left to credit."),
        ("0", "0.00", "Choose what is to be credited"),
        ("all", "3750.00", "Write an amount such as"),
        ("1", "3750.00", "The amount has changed."),
    ],
)
def test_what_cannot_be_credited_comes_back_as_it_was_typed(
    quantity: str, seen: str, said: str, page: Client, invoice: Invoice
) -> None:
    answer = page.post(url_of(invoice), typed(invoice, quantity, seen=seen))

    text = answer.content.decode()
    assert answer.status_code == 422
    assert said in text
    assert f'value="{quantity}"' in text
    assert not Flow.objects.exists()


def test_a_draft_keeps_the_invoice_from_being_credited(page: Client, invoice: Invoice) -> None:
    draft = make.credit_note(invoice, status="draft", number="")

    text = page.get(url_of(invoice)).content.decode()

    assert reverse("credit_notes:detail", args=[draft.pk]) in text
    assert 'name="action" value="credit"' not in text


def test_a_note_says_what_it_credits_and_its_next_step(page: Client, invoice: Invoice) -> None:
    note = make.credit_note(invoice)
    url = reverse("credit_notes:detail", args=[note.pk])

    assert (
        "Next step: record the credit note of SEK\u00a03,750.00" in page.get(url).content.decode()
    )
    for _each in range(2):
        page.post(reverse("credit_notes:finish", args=[note.pk]), {"request_key": "once"})

    flow = Flow.objects.get()
    assert (flow.kind, operations(flow)) == (crediting.FINISH, ["record_credit_note"])
    assert "Run in progress" in page.get(url).content.decode()


def test_the_list_narrows_to_a_company_and_to_what_needs_doing(
    page: Client, invoice: Invoice, company: Connection
) -> None:
    make.credit_note(invoice, journal_entry_id="e2")
    draft = make.credit_note(invoice, status="draft", number="")
    elsewhere = make.invoice(make.connection(company.tenant), status="published")
    other = make.credit_note(elsewhere)

    def shown(url: str) -> set[int]:
        return {row.note.pk for row in page.get(url).context["page"].rows}

    url = reverse("credit_notes:list")
    assert len(shown(url)) == 3
    assert shown(f"{url}?view=draft") == {draft.pk}
    assert shown(f"{url}?view=unrecorded") == {other.pk}
    assert shown(reverse("credit_notes:company", args=[elsewhere.connection_id])) == {other.pk}


def test_the_list_goes_on_where_the_page_ended(page: Client, invoice: Invoice) -> None:
    made = [make.credit_note(invoice).pk for _each in range(101)]

    first = page.get(reverse("credit_notes:list"))
    rest = page.get(reverse("credit_notes:list") + first.context["next_url"])

    shown = [row.note.pk for answer in (first, rest) for row in answer.context["page"].rows]
    assert shown == made[::-1]


def credited_before(invoice: Invoice) -> None:
    make.flow(
        invoice.connection,
        kind=crediting.CREDIT,
        ops=("credit_invoice", "publish_credit_note"),
        state=FlowState.DONE,
        resource_key=invoice.resource_key,
    )


@pytest.mark.parametrize("name", ["credit_notes:list", "credit_notes:detail"])
def test_the_number_of_queries_is_the_same_whatever_the_rows(
    name: str, page: Client, invoice: Invoice, django_assert_max_num_queries: Any
) -> None:
    note = make.credit_note(invoice, journal_entry_id="e2")
    url = reverse(name, args=[note.pk] if name.endswith("detail") else [])
    credited_before(invoice)
    page.get(url)
    with django_assert_max_num_queries(40) as few:
        page.get(url)
    for _each in range(5):
        make.credit_note(make.invoice(invoice.connection, status="published"))
        credited_before(invoice)

    with django_assert_max_num_queries(len(few)) as many:
        page.get(url)

    assert len(many) == len(few)


def test_the_invoice_page_counts_what_was_credited(page: Client, invoice: Invoice) -> None:
    note = make.credit_note(invoice, total=Decimal(1250), tax=Decimal(250))

    view = page.get(url_of(invoice, "detail")).context["view"]

    [row] = view.open_rows
    assert (row.amount, row.day, row.label) == (-1250, clock.today(), f"Credit note {note.number}")
