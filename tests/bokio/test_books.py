"""The operations on a company's books: what is asked, and what becomes of the answer."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.customers import Contact, CustomerDraft, CustomerType
from bokio_app.bokio.errors import OutcomeUnknown, Unsendable, Verdict
from bokio_app.bokio.filters import F
from bokio_app.bokio.invoices import InvoiceDraft, InvoiceStatus
from bokio_app.bokio.line_items import ItemType, LineItem, ProductType
from bokio_app.bokio.payments import PaymentDraft
from bokio_app.bokio.settlements import SettlementDraft, SettlementType, VatScheme
from tests.bokio.server import answers, json_of

INVOICE, CUSTOMER, PART, ENTRY = uuid4(), uuid4(), uuid4(), uuid4()
DAY = date(2024, 10, 10)

INVOICE_BODY = {
    "id": str(INVOICE),
    "type": "invoice",
    "customerRef": {"id": str(CUSTOMER), "name": "John Doe"},
    "invoiceNumber": "2024-1001",
    "paymentReference": "100117",
    "currency": "SEK",
    "currencyRate": 1,
    "totalAmount": 64625.1,
    "totalTax": 12925,
    "paidAmount": 0,
    "status": "published",
    "publishedDateTime": "2024-10-10T10:30:00Z",
    "invoiceDate": "2024-10-10",
    "dueDate": "2024-11-09",
    "lineItems": [
        {
            "id": 18320626,
            "itemType": "salesItem",
            "productType": "goods",
            "unitType": "hour",
            "description": "Consultancy",
            "quantity": 180,
            "unitPrice": 290,
            "taxRate": 25,
            "bookkeepingAccountNumber": 3730,
            "discount": {"percent": 5},
        },
        {"id": 18320627, "itemType": "descriptionOnlyItem", "description": "Thank you"},
    ],
    "metadata": {"op_key": "k"},
    "journalEntryRef": {"id": str(ENTRY)},
    "creditNoteRefs": [{"id": str(PART)}],
    "totalRoundingEnabled": True,
    "giftWrapping": "red",
}
PAYMENT_BODY = {
    "id": str(PART),
    "invoiceId": str(INVOICE),
    "date": "2024-11-01",
    "sumBaseCurrency": 64609.5,
    "bookkeepingAccountNumber": 1940,
    "journalEntryRef": None,
}
SETTLEMENT_BODY = {
    "id": str(PART),
    "invoiceId": str(INVOICE),
    "type": "bankFee",
    "invoiceSettlementDetails": {"date": "2024-10-15", "sumBaseCurrency": 15.5},
    "journalEntryRef": {"id": str(ENTRY)},
}


def guide_invoice(**changes):
    hours = LineItem(
        description="Consultancy services",
        product_type=ProductType.GOODS,
        unit_type="hour",
        quantity=Decimal(180),
        unit_price=Decimal("290.10"),
    )
    discount = LineItem(description="Discount", unit_price=Decimal(-500), account=3730)
    thanks = LineItem(description="Thank you", item_type=ItemType.DESCRIPTION)
    options = {
        "customer_id": CUSTOMER,
        "invoice_date": DAY,
        "line_items": (hours, discount, thanks),
        "metadata": {"op_key": "k"},
    }
    return InvoiceDraft(**options | changes)


class TestInvoices:
    def test_a_draft_is_sent_whole_with_exact_prices(self, server, bokio, company_id):
        server.will(answers(INVOICE_BODY))

        bokio.invoices.create(guide_invoice(due_date=DAY))

        (seen,) = server.seen
        assert (seen.method, seen.target) == ("POST", f"/v1/companies/{company_id}/invoices")
        assert b'"unitPrice":290.10,' in seen.body
        body = json_of(seen)
        assert (body["type"], body["customerRef"]) == ("invoice", {"id": str(CUSTOMER)})
        assert (body["invoiceDate"], body["dueDate"]) == ("2024-10-10", "2024-10-10")
        assert body["metadata"] == {"op_key": "k"}
        hours, discount, thanks = body["lineItems"]
        assert (hours["quantity"], hours["unitType"]) == ("180", "hour")
        assert "bookkeepingAccountNumber" not in hours
        assert (discount["unitPrice"], discount["bookkeepingAccountNumber"]) == ("-500", "3730")
        assert thanks == {"description": "Thank you", "itemType": "descriptionOnlyItem"}

    def test_everything_bokio_tells_is_read_and_what_is_new_is_kept(self, server, bokio):
        server.will(answers(INVOICE_BODY))

        invoice = bokio.invoices.get(INVOICE)

        assert (invoice.number, invoice.ocr) == ("2024-1001", "100117")
        assert invoice.status == InvoiceStatus.PUBLISHED
        assert (invoice.total, invoice.total_tax) == (Decimal("64625.1"), Decimal(12925))
        assert invoice.paid == 0
        assert (invoice.customer_id, invoice.customer_name) == (CUSTOMER, "John Doe")
        assert (invoice.invoice_date, invoice.due_date) == (DAY, date(2024, 11, 9))
        assert invoice.published_at == datetime(2024, 10, 10, 10, 30, tzinfo=UTC)
        assert (invoice.journal_entry_id, invoice.credit_note_ids) == (ENTRY, (PART,))
        assert dict(invoice.metadata) == {"op_key": "k"}
        assert invoice.total_rounding is True
        assert invoice.extra == {"giftWrapping": "red"}
        line, thanks = invoice.line_items
        assert (line.id, line.quantity, line.account) == ("18320626", Decimal(180), 3730)
        assert line.extra == {"discount": {"percent": 5}}
        assert (thanks.item_type, thanks.unit_price) == (ItemType.DESCRIPTION, 0)

    def test_a_draft_has_neither_number_nor_reference_and_a_new_state_is_just_a_word(
        self, server, bokio
    ):
        nothing = {"invoiceNumber": None, "paymentReference": "", "status": "sentByPost"}
        server.will(answers(INVOICE_BODY | nothing | {"journalEntryRef": {"id": None}}))

        invoice = bokio.invoices.get(INVOICE)

        assert (invoice.number, invoice.ocr, invoice.status) == (None, None, "sentByPost")
        assert invoice.journal_entry_id is None

    @pytest.mark.parametrize(
        "act, method, tail",
        [
            (lambda invoices: invoices.get(INVOICE), "GET", ""),
            (lambda invoices: invoices.publish(INVOICE), "POST", "/publish"),
            (lambda invoices: invoices.record(INVOICE), "POST", "/record"),
            (lambda invoices: invoices.update(INVOICE, guide_invoice()), "PUT", ""),
        ],
    )
    def test_an_answer_about_another_invoice_is_no_answer(self, server, bokio, act, method, tail):
        server.will(answers(INVOICE_BODY), answers(INVOICE_BODY | {"id": str(uuid4())}))

        assert act(bokio.invoices).id == INVOICE
        with pytest.raises(OutcomeUnknown, match="another"):
            act(bokio.invoices)

        assert {seen.method for seen in server.seen} == {method}
        assert server.seen[0].target.endswith(f"/invoices/{INVOICE}{tail}")

    def test_a_short_answer_to_publish_is_settled_by_a_read_and_not_guessed(self, server, bokio):
        server.will(answers({"id": str(INVOICE), "status": "published", "invoiceNumber": "1"}))

        with pytest.raises(OutcomeUnknown):
            bokio.invoices.publish(INVOICE)

    def test_a_line_that_stays_in_an_update_carries_its_number(self, server, bokio):
        server.will(answers(INVOICE_BODY))
        kept = LineItem(id="18320626", description="Hours")

        bokio.invoices.update(INVOICE, guide_invoice(line_items=(kept,)))

        assert b'"id":18320626' in server.seen[0].body

    @pytest.mark.parametrize("status", [200, 204])
    def test_a_deleted_draft_needs_no_body_in_the_answer(self, server, bokio, status):
        server.will(answers(b"", status))

        assert bokio.invoices.delete(INVOICE) is None
        assert server.seen[0].method == "DELETE"

    def test_a_pdf_comes_as_it_is_and_an_empty_file_is_no_pdf(self, server, bokio):
        server.will(answers(b"%PDF-1.7\0\xff"), answers(b""))

        assert bokio.invoices.download(INVOICE) == b"%PDF-1.7\0\xff"
        with pytest.raises(OutcomeUnknown, match="empty"):
            bokio.invoices.download(INVOICE)

    @pytest.mark.parametrize(
        "metadata",
        [
            {f"k{number}": "" for number in range(11)},
            {"k" * 26: ""},
            {"1k": ""},
            {"k-k": ""},
            {"k": "x" * 251},
        ],
    )
    def test_metadata_that_bokio_would_refuse_is_refused_before_sending(self, metadata):
        with pytest.raises(ValueError, match="metadata"):
            guide_invoice(metadata=metadata)

    @pytest.mark.parametrize(
        "line",
        [
            LineItem(description=" "),
            LineItem(description="x", unit_price=Decimal("0.001")),
            LineItem(description="x", unit_price=0.5),
            LineItem(description="x", quantity=1.5),
            LineItem(description="x", id="x18"),
        ],
    )
    def test_a_line_that_cannot_be_right_is_refused_before_sending(self, server, bokio, line):
        with pytest.raises(Unsendable, match=r"amount|description|id of a line"):
            bokio.invoices.create(guide_invoice(line_items=(line,)))

        assert server.seen == []


class TestPaymentsAndSettlements:
    def test_a_payment_is_sent_to_the_ore_and_read_back(self, server, bokio, company_id):
        server.will(answers(PAYMENT_BODY))
        draft = PaymentDraft(date=date(2024, 11, 1), amount=Decimal("64609.50"), account=1940)

        payment = bokio.payments.create(INVOICE, draft)

        (seen,) = server.seen
        assert seen.target == f"/v1/companies/{company_id}/invoices/{INVOICE}/payments"
        assert seen.body == (
            b'{"date":"2024-11-01","sumBaseCurrency":64609.50,"bookkeepingAccountNumber":1940}'
        )
        assert (payment.id, payment.invoice_id) == (PART, INVOICE)
        assert (payment.date, payment.amount) == (draft.date, Decimal("64609.5"))
        assert (payment.account, payment.journal_entry_id) == (1940, None)

    def test_a_bank_fee_is_sent_without_a_vat_scheme_and_read_back(self, server, bokio):
        server.will(answers(SETTLEMENT_BODY))
        draft = SettlementDraft(
            type=SettlementType.BANK_FEE, date=date(2024, 10, 15), amount=Decimal("15.50")
        )

        settlement = bokio.settlements.create(INVOICE, draft)

        assert json_of(server.seen[0]) == {
            "type": "bankFee",
            "invoiceSettlementDetails": {"date": "2024-10-15", "sumBaseCurrency": "15.50"},
        }
        assert (settlement.type, settlement.amount) == ("bankFee", Decimal("15.5"))
        assert (settlement.vat_scheme, settlement.journal_entry_id) == (None, ENTRY)

    def test_details_of_a_settlement_are_found_under_their_other_name(self, server, bokio):
        body = {key: value for key, value in SETTLEMENT_BODY.items() if "Details" not in key}
        details = {"date": "2024-10-15", "sumBaseCurrency": 9, "vatScheme": "eu"}
        server.will(answers(body | {"type": "paymentServiceFee", "settlementDetails": details}))

        settlement = bokio.settlements.get(INVOICE, PART)

        assert (settlement.amount, settlement.vat_scheme) == (9, VatScheme.EU)

    def test_what_is_new_in_a_settlement_or_its_details_is_kept(self, server, bokio):
        details = SETTLEMENT_BODY["invoiceSettlementDetails"] | {"reason": "rate"}
        server.will(answers(SETTLEMENT_BODY | {"invoiceSettlementDetails": details, "by": "app"}))

        assert bokio.settlements.get(INVOICE, PART).extra == {"reason": "rate", "by": "app"}

    @pytest.mark.parametrize(
        "name, body", [("payments", PAYMENT_BODY), ("settlements", SETTLEMENT_BODY)]
    )
    def test_both_are_listed_fetched_recorded_and_taken_back_under_their_invoice(
        self, server, bokio, company_id, name, body
    ):
        below = f"/v1/companies/{company_id}/invoices/{INVOICE}/{name}"
        server.will(
            answers({"items": [body], "totalPages": 1}),
            answers(body),
            answers(body),
            answers(status=204),
        )
        parts = getattr(bokio, name)

        (listed,) = parts.list(INVOICE, F("date") == DAY)
        assert listed == parts.get(INVOICE, PART) == parts.record(INVOICE, PART)
        parts.delete(INVOICE, PART)

        assert [(seen.method, seen.path) for seen in server.seen] == [
            ("GET", below),
            ("GET", f"{below}/{PART}"),
            ("POST", f"{below}/{PART}/record"),
            ("DELETE", f"{below}/{PART}"),
        ]
        assert "query=date%3D%3D2024-10-10" in server.seen[0].target

    @pytest.mark.parametrize(
        "name, body", [("payments", PAYMENT_BODY), ("settlements", SETTLEMENT_BODY)]
    )
    def test_money_of_another_invoice_is_never_taken_for_this_ones(self, server, bokio, name, body):
        elsewhere = body | {"invoiceId": str(uuid4())}
        server.will(answers({"items": [elsewhere], "totalPages": 1}))

        with pytest.raises(OutcomeUnknown, match="another invoice"):
            getattr(bokio, name).list(INVOICE)

    @pytest.mark.parametrize(
        "options",
        [
            {"type": "bankFee", "amount": Decimal("1.005")},
            {"type": "bankFee", "amount": Decimal(1), "vat_scheme": "eu"},
            {"type": "paymentServiceFee", "amount": Decimal(1)},
            {"type": "paymentServiceFee", "amount": Decimal(0), "vat_scheme": "eu"},
        ],
    )
    def test_a_settlement_that_bokio_would_refuse_is_refused_before_sending(self, options):
        with pytest.raises(ValueError, match=r"fee|amount"):
            SettlementDraft(date=DAY, **options)

    @pytest.mark.parametrize(
        "date, message", [("2024\ud800", "Unicode"), (0.5, "float"), (datetime.now(UTC), "days")]
    )
    def test_what_has_no_exact_json_is_not_sent_and_says_so(self, server, bokio, date, message):
        draft = PaymentDraft(date=date, amount=Decimal(1), account=1930)

        with pytest.raises(Unsendable, match=message) as raised:
            bokio.payments.create(INVOICE, draft)

        assert raised.value.not_executed
        assert raised.value.verdict is Verdict.STOP
        assert server.seen == []

    def test_a_payment_of_fractions_of_an_ore_is_refused_before_sending(self):
        with pytest.raises(ValueError, match="two decimals"):
            PaymentDraft(date=DAY, amount=Decimal("0.001"), account=1930)


class TestTheRest:
    @pytest.mark.parametrize("wrap", [lambda body: body, lambda body: {"companyInformation": body}])
    def test_the_company_is_read_bare_or_wrapped(self, server, bokio, wrap):
        body = {
            "id": str(CUSTOMER),
            "name": "Aurora Works AB",
            "organizationNumber": "556677-8899",
            "companyType": "limitedCompany",
            "hasBBA": True,
            "address": {"line1": "Gatan 1", "city": "Umeå", "postalCode": "90325", "country": "SE"},
        }
        server.will(answers(wrap(body)))

        company = bokio.company.get()

        assert (company.name, company.org_number) == ("Aurora Works AB", "556677-8899")
        assert company.address == Address("Gatan 1", "90325", "Umeå")
        assert (company.email, company.has_business_account, company.extra) == ("", True, {})

    @pytest.mark.parametrize("wrap", [lambda body: body, lambda body: {"fiscalYear": body}])
    def test_fiscal_years_are_listed_and_one_is_read_bare_or_wrapped(self, server, bokio, wrap):
        body = {
            "id": str(PART),
            "startDate": "2024-01-01",
            "endDate": "2024-12-31",
            "accountingMethod": "accrual",
            "status": "open",
        }
        server.will(answers({"items": [body], "totalPages": 1}), answers(wrap(body)))

        (year,) = bokio.fiscal_years.list(F("status") == "open")

        assert year == bokio.fiscal_years.get(PART)
        assert (year.start, year.end) == (date(2024, 1, 1), date(2024, 12, 31))
        assert (year.method, year.status) == ("accrual", "open")

    def test_the_chart_of_accounts_comes_whole_and_a_balance_with_one_account(self, server, bokio):
        account = {"account": 1930, "name": "Företagskonto", "accountType": "basePlanAccount"}
        server.will(answers([account]), answers(account | {"accountBalance": -10.55}))

        assert [(each.number, each.balance) for each in bokio.accounts.list()] == [(1930, None)]
        assert bokio.accounts.get(1930).balance == Decimal("-10.55")
        assert server.seen[1].target.endswith("/chart-of-accounts/1930")

    def test_a_customer_is_sent_without_its_empty_parts_and_read_back(self, server, bokio):
        draft = CustomerDraft(
            name="John Doe",
            org_number="556677-8899",
            payment_terms="30",
            contacts=(Contact("Jane", "jane@example.com", is_default=True),),
            address=Address("Älvsborgsvägen 10", "123 45", "Göteborg"),
        )
        body = draft.to_json() | {"id": str(CUSTOMER), "modifiedDateTime": "2026-01-02T03:04:05"}
        server.will(
            answers(body),
            answers({"items": [body], "totalPages": 1}),
            answers(body),
            answers(status=204),
        )

        customer = bokio.customers.create(draft)
        (found,) = bokio.customers.find(F("orgNumber") == "556677-8899")
        updated = bokio.customers.update(CUSTOMER, draft)
        bokio.customers.delete(CUSTOMER)

        assert customer == found == updated
        assert "vatNumber" not in json_of(server.seen[0])
        assert customer.type == CustomerType.COMPANY
        assert (customer.contacts, customer.address) == (draft.contacts, draft.address)
        assert customer.modified_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def test_a_persons_numbers_show_in_no_representation(self, server, bokio):
        number = "19811218-9876"
        draft = CustomerDraft(name="Jane", type=CustomerType.PRIVATE, org_number=number)
        server.will(answers(draft.to_json() | {"id": str(CUSTOMER), "taxReduction": number}))

        assert number not in f"{draft!r} {bokio.customers.create(draft)!r}"

    def test_a_customer_without_a_name_is_refused_before_sending(self):
        with pytest.raises(ValueError, match="name"):
            CustomerDraft(name=" ")

    def test_a_journal_entry_is_read_with_its_rows(self, server, bokio):
        entry = {
            "id": str(ENTRY),
            "title": "Faktura",
            "journalEntryNumber": "V342",
            "date": "2024-10-10",
            "items": [
                {"id": 1, "account": 1510, "debit": 64625, "credit": 0},
                {"id": 2, "account": 2611, "credit": 12925.25},
            ],
            "reversedByJournalEntryId": str(PART),
        }
        server.will(answers(entry), answers({"items": [entry], "totalPages": 1}))

        read = bokio.journal_entries.get(ENTRY)
        (found,) = bokio.journal_entries.find(F("date") == DAY, tag_id=PART)

        assert read == found
        assert (read.number, read.reversing, read.reversed_by) == ("V342", None, PART)
        assert [(row.account, row.debit, row.credit) for row in read.items] == [
            (1510, Decimal(64625), Decimal(0)),
            (2611, Decimal(0), Decimal("12925.25")),
        ]
        assert f"tagId={PART}" in server.seen[1].target


@pytest.mark.parametrize(
    "field, value",
    [
        ("totalAmount", "64625"),
        ("totalAmount", True),
        ("totalAmount", None),
        ("status", ""),
        ("invoiceDate", "10/10/2024"),
        ("invoiceDate", None),
        ("id", "nonsense"),
        ("lineItems", {}),
        ("lineItems", ["x"]),
        ("metadata", []),
        ("customerRef", "x"),
        ("publishedDateTime", "yesterday"),
        ("journalEntryRef", {"id": "x"}),
        ("creditNoteRefs", [{}]),
    ],
)
def test_a_field_of_the_wrong_kind_makes_the_answer_worthless_but_is_not_quoted(
    server, bokio, field, value
):
    server.will(answers(INVOICE_BODY | {field: value}))

    with pytest.raises(OutcomeUnknown) as raised:
        bokio.invoices.get(INVOICE)

    assert "nonsense" not in str(raised.value)


@pytest.mark.parametrize("number", ["1E+300", "1E-300", "9" * 60])
def test_a_number_that_could_fill_the_memory_is_no_amount(server, bokio, number):
    server.will(
        answers(
            f'{{"id":"{PART}","date":"2024-01-01","sumBaseCurrency":{number},'
            '"bookkeepingAccountNumber":1930}'.encode()
        )
    )

    with pytest.raises(OutcomeUnknown, match="sumBaseCurrency"):
        bokio.payments.get(INVOICE, PART)


def test_a_company_sees_its_own_address_only(server, http, bokio, company_id):
    server.will(answers([]))

    bokio.accounts.list()

    assert server.seen[0].path.startswith(f"/v1/companies/{company_id}/")
    assert repr(bokio) == f"Bokio({company_id})"
    assert isinstance(bokio.company_id, UUID)
