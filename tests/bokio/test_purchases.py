"""Suppliers, their invoices, and payments from the company's account."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from bokio_app.bokio.addresses import Address
from bokio_app.bokio.bank_payments import BankPaymentDraft, BankPaymentStatus
from bokio_app.bokio.errors import Invalid, OutcomeUnknown, StateRefused, Unsendable
from bokio_app.bokio.filters import F
from bokio_app.bokio.payees import (
    BankAccount,
    Bankgiro,
    BankgiroRecipient,
    InternationalAccount,
    OtherPayee,
    Plusgiro,
    TransferRecipient,
)
from bokio_app.bokio.supplier_invoices import SupplierInvoiceDraft
from bokio_app.bokio.suppliers import SupplierDraft
from bokio_app.bokio.wire import BodyError
from tests.bokio.server import answers, json_of

SUPPLIER, INVOICE, UPLOAD, ENTRY, PAYMENT = (uuid4() for _ in range(5))
DAY, DUE = date(2024, 10, 1), date(2024, 10, 31)

SUPPLIER_BODY = {
    "id": str(SUPPLIER),
    "name": "Åkes Bygg AB",
    "orgNumber": "556677-8899",
    "vatNumber": "SE556677889901",
    "currency": "EUR",
    "address": {"line1": "Gatan 1", "city": "Umeå", "postalCode": "903 25", "floor": 3},
    "paymentDetails": {"type": "bankgiro", "bankgiroNumber": "5050-1055", "verified": True},
    "defaultAccount": 4010,
}
INVOICE_BODY = {
    "id": str(INVOICE),
    "supplierRef": {"id": str(SUPPLIER), "name": "Åkes Bygg AB"},
    "invoiceNumber": "F-17",
    "invoiceDate": "2024-10-01",
    "dueDate": "2024-10-31",
    "totalAmount": 1000.5,
    "remainingAmount": 0,
    "currency": "EUR",
    "currencyRate": 11.4321,
    "journalEntryRef": {"id": str(ENTRY)},
    "uploadRefs": [{"id": str(UPLOAD)}],
    "lineItems": [{"account": 4010, "amount": 800.4}],
    "projectRef": {"id": "p"},
}
RECIPIENT = TransferRecipient("Hyresvärden AB", "5011", "0379101", "HYRA 8")
PAYMENT_BODY = {
    "id": str(PAYMENT),
    "status": "readyToSign",
    "amount": 1200.25,
    "createdDateTime": "2025-08-25T08:15:00Z",
    "paymentDate": "2025-08-25",
    "ownNote": "ref 7HK2",
    "recipientRef": {
        "kind": "transfer",
        "recipientName": "Hyresvärden AB",
        "recipientReference": "HYRA 8",
        "clearingNumber": "5011",
        "accountNumber": "0379101",
    },
    "signedBy": None,
}


class TestSuppliers:
    def test_they_are_made_found_fetched_changed_and_deleted(self, server, bokio, company_id):
        server.will(
            answers(SUPPLIER_BODY),
            answers({"items": [SUPPLIER_BODY], "totalPages": 1}),
            answers(SUPPLIER_BODY),
            answers(SUPPLIER_BODY),
            answers(status=204),
        )
        draft = SupplierDraft(
            name="Åkes Bygg AB",
            org_number="556677-8899",
            address=Address("Gatan 1", "903 25", "Umeå", subdivision="X"),
            account=Bankgiro("5050-1055"),
        )

        made = bokio.suppliers.create(draft)
        (found,) = bokio.suppliers.find(F("orgNumber") == "556677-8899")
        assert bokio.suppliers.get(SUPPLIER) == made == found
        bokio.suppliers.update(SUPPLIER, SupplierDraft.from_supplier(found))
        bokio.suppliers.delete(SUPPLIER)

        below = f"/v1/companies/{company_id}/suppliers"
        assert [(seen.method, seen.path) for seen in server.seen] == [
            ("POST", below),
            ("GET", below),
            ("GET", f"{below}/{SUPPLIER}"),
            ("PUT", f"{below}/{SUPPLIER}"),
            ("DELETE", f"{below}/{SUPPLIER}"),
        ]
        assert json_of(server.seen[0]) == {
            "name": "Åkes Bygg AB",
            "orgNumber": "556677-8899",
            "currency": "SEK",
            "address": {
                "line1": "Gatan 1",
                "city": "Umeå",
                "postalCode": "903 25",
                "country": "SE",
            },
            "paymentDetails": {"type": "bankgiro", "bankgiroNumber": "5050-1055"},
        }
        assert (made.currency, made.account) == (
            "EUR",
            Bankgiro("5050-1055", {"verified": True}),
        )

    def test_an_update_writes_back_all_that_bokio_sent_even_what_is_new_to_us(self, server, bokio):
        server.will(answers(SUPPLIER_BODY), answers(SUPPLIER_BODY))

        supplier = bokio.suppliers.get(SUPPLIER)
        bokio.suppliers.update(SUPPLIER, SupplierDraft.from_supplier(supplier))

        sent = {key: value for key, value in SUPPLIER_BODY.items() if key != "id"}
        assert json_of(server.seen[1]) == sent | {
            "defaultAccount": "4010",
            "address": SUPPLIER_BODY["address"] | {"floor": "3"},
        }

    @pytest.mark.parametrize(
        "account, body",
        [
            (Bankgiro("123-4567"), {"type": "bankgiro", "bankgiroNumber": "123-4567"}),
            (Plusgiro("12345-6"), {"type": "plusgiro", "plusgiroNumber": "12345-6"}),
            (
                BankAccount("8327-9", "903 111 222"),
                {"type": "transfer", "clearingNumber": "8327-9", "accountNumber": "903 111 222"},
            ),
            (
                InternationalAccount("DE89370400440532013000", "COBADEFF"),
                {
                    "type": "internationalPayment",
                    "iban": "DE89370400440532013000",
                    "bic": "COBADEFF",
                },
            ),
            (
                OtherPayee("swish", {"type": "swish", "swishNumber": "1231231231"}),
                {"type": "swish", "swishNumber": "1231231231"},
            ),
        ],
        ids=["bankgiro", "plusgiro", "transfer", "international", "a new kind"],
    )
    def test_every_kind_of_account_is_sent_read_back_and_kept_out_of_sight(
        self, server, bokio, account, body
    ):
        server.will(answers(SUPPLIER_BODY | {"paymentDetails": body}))
        draft = SupplierDraft(name="Åke", account=account)

        supplier = bokio.suppliers.create(draft)

        assert json_of(server.seen[0])["paymentDetails"] == body
        assert supplier.account == account
        numbers = [value for key, value in body.items() if key != "type"]
        shown = f"{draft!r} {supplier!r} {account!r} {supplier.account!r}"
        assert not any(each in shown for each in numbers)

    @pytest.mark.parametrize(
        "account",
        [
            Bankgiro(""),
            Bankgiro("123456"),
            Bankgiro("12345-67890"),
            Bankgiro("١٢٣٤٥٦٧"),
            Bankgiro("bg 1234567"),
            Plusgiro("1"),
            BankAccount("", "1"),
            BankAccount("5011", " "),
            InternationalAccount("DE89370400440532013000", ""),
        ],
    )
    def test_an_account_that_is_none_is_refused_before_sending_and_not_quoted(
        self, server, bokio, account
    ):
        with pytest.raises(Unsendable) as raised:
            bokio.suppliers.create(SupplierDraft(name="Åke", account=account))

        assert server.seen == []
        assert "1234" not in str(raised.value)

    def test_a_supplier_without_a_name_is_refused_before_sending(self):
        with pytest.raises(Unsendable, match="name"):
            SupplierDraft(name=" ")

    def test_a_sole_traders_numbers_show_in_no_representation(self, server, bokio):
        number = "19811218-9876"
        draft = SupplierDraft(name="Jane", org_number=number, vat_number=number)
        server.will(answers(draft.to_json() | {"id": str(SUPPLIER), "personalNumber": number}))

        assert number not in f"{draft!r} {bokio.suppliers.create(draft)!r}"

    def test_a_supplier_with_invoices_stays(self, server, bokio):
        server.will(answers({"code": "operation-not-allowed", "message": "active invoices"}, 400))

        with pytest.raises(StateRefused, match="active"):
            bokio.suppliers.delete(SUPPLIER)


class TestSupplierInvoices:
    DRAFT = SupplierInvoiceDraft(
        supplier_id=SUPPLIER,
        invoice_date=DAY,
        due_date=DUE,
        total=Decimal("1000.50"),
        number="F-17",
    )

    def test_they_are_made_found_fetched_changed_and_deleted(self, server, bokio, company_id):
        server.will(
            answers(INVOICE_BODY),
            answers({"items": [INVOICE_BODY], "totalPages": 1}),
            answers(INVOICE_BODY),
            answers(INVOICE_BODY),
            answers(status=204),
        )
        invoices = bokio.supplier_invoices

        made = invoices.create(self.DRAFT)
        where = (F("supplierRef.id") == SUPPLIER) & (F("invoiceNumber") == "F-17")
        (found,) = invoices.find(where)
        assert made == found == invoices.get(INVOICE) == invoices.update(INVOICE, self.DRAFT)
        invoices.delete(INVOICE)

        below = f"/v1/companies/{company_id}/supplier-invoices"
        assert [(seen.method, seen.path) for seen in server.seen] == [
            ("POST", below),
            ("GET", below),
            ("GET", f"{below}/{INVOICE}"),
            ("PUT", f"{below}/{INVOICE}"),
            ("DELETE", f"{below}/{INVOICE}"),
        ]
        assert (
            f"query=supplierRef.id%3D%3D{SUPPLIER}%26%26invoiceNumber%3D%3DF-17"
            in server.seen[1].target
        )
        assert b'"totalAmount":1000.50' in server.seen[0].body
        assert json_of(server.seen[0]) == {
            "supplierRef": {"id": str(SUPPLIER)},
            "invoiceDate": "2024-10-01",
            "dueDate": "2024-10-31",
            "totalAmount": "1000.50",
            "invoiceNumber": "F-17",
        }
        assert (made.supplier_id, made.supplier_name) == (SUPPLIER, "Åkes Bygg AB")
        assert (made.total, made.remaining) == (Decimal("1000.5"), Decimal(0))
        assert (made.currency, made.currency_rate) == ("EUR", Decimal("11.4321"))
        assert (made.journal_entry_id, made.upload_ids) == (ENTRY, (UPLOAD,))
        assert made.line_items == ({"account": 4010, "amount": Decimal("800.4")},)
        assert made.extra["projectRef"] == {"id": "p"}

    @pytest.mark.parametrize(
        "rows, found",
        [
            ({"rows": [{"account": 4010}]}, ({"account": 4010},)),
            ({"lineItems": [None, 1]}, (None, 1)),
            ({"lineItems": {}}, ()),
            ({}, ()),
        ],
    )
    def test_rows_are_taken_as_they_come_under_their_older_name_too(
        self, server, bokio, rows, found
    ):
        body = {key: value for key, value in INVOICE_BODY.items() if key != "lineItems"}
        server.will(answers(body | rows))

        assert bokio.supplier_invoices.get(INVOICE).line_items == found

    def test_an_update_writes_back_rows_and_whatever_else_is_new_to_us(self, server, bokio):
        server.will(answers(INVOICE_BODY), answers(INVOICE_BODY))

        invoice = bokio.supplier_invoices.get(INVOICE)
        bokio.supplier_invoices.update(INVOICE, SupplierInvoiceDraft.from_invoice(invoice))

        assert json_of(server.seen[1]) == {
            "supplierRef": {"id": str(SUPPLIER)},
            "invoiceNumber": "F-17",
            "invoiceDate": "2024-10-01",
            "dueDate": "2024-10-31",
            "totalAmount": "1000.5",
            "lineItems": [{"account": "4010", "amount": "800.4"}],
            "projectRef": {"id": "p"},
        }

    def test_a_document_goes_with_a_new_invoice_and_never_with_an_update(self, server, bokio):
        server.will(answers(INVOICE_BODY))
        options = {"supplier_id": SUPPLIER, "invoice_date": DAY, "due_date": DUE}
        draft = SupplierInvoiceDraft(**options, total=Decimal(1), upload_id=UPLOAD)

        bokio.supplier_invoices.create(draft)
        bokio.supplier_invoices.update(INVOICE, draft)

        assert json_of(server.seen[0])["uploadRef"] == {"id": str(UPLOAD)}
        assert "uploadRef" not in json_of(server.seen[1])

    def test_a_document_is_connected_afterwards(self, server, bokio):
        server.will(answers({"id": str(UPLOAD)}))

        assert bokio.supplier_invoices.connect_upload(INVOICE, UPLOAD) == UPLOAD

        (seen,) = server.seen
        assert seen.path.endswith(f"/supplier-invoices/{INVOICE}/uploads")
        assert json_of(seen) == {"id": str(UPLOAD)}

    def test_a_document_connected_already_is_named_as_the_field_at_fault(self, server, bokio):
        fields = [{"field": "#/id", "message": "already connected"}]
        server.will(answers({"code": "validation-error", "errors": fields}, 400))

        with pytest.raises(Invalid) as raised:
            bokio.supplier_invoices.connect_upload(INVOICE, UPLOAD)

        assert raised.value.fields[0].path == ("id",)

    @pytest.mark.parametrize(
        "body", [{"id": str(uuid4())}, {"code": "not-found", "message": "no upload"}, {}]
    )
    def test_a_success_that_names_another_document_or_none_is_settled_by_a_read(
        self, server, bokio, body
    ):
        server.will(answers(body))

        with pytest.raises(OutcomeUnknown):
            bokio.supplier_invoices.connect_upload(INVOICE, UPLOAD)

    def test_fractions_of_an_ore_are_refused_before_sending(self):
        with pytest.raises(Unsendable, match="two decimals"):
            SupplierInvoiceDraft(
                supplier_id=SUPPLIER, invoice_date=DAY, due_date=DUE, total=Decimal("0.001")
            )

    def test_an_invoice_of_nobody_cannot_be_written_back(self, server, bokio):
        server.will(answers(INVOICE_BODY | {"supplierRef": None}))
        invoice = bokio.supplier_invoices.get(INVOICE)

        with pytest.raises(BodyError, match="no supplier"):
            SupplierInvoiceDraft.from_invoice(invoice)


def payment(**changes):
    options = {
        "amount": Decimal("1200.25"),
        "date": date(2025, 8, 25),
        "recipient": RECIPIENT,
        "note": "ref 7HK2",
    }
    return BankPaymentDraft(**options | changes)


class TestBankPayments:
    SENT = {
        "amount": "1200.25",
        "paymentDate": "2025-08-25",
        "ownNote": "ref 7HK2",
        "recipientRef": PAYMENT_BODY["recipientRef"],
    }

    def test_one_is_prepared_found_and_fetched(self, server, bokio, company_id):
        server.will(
            answers(PAYMENT_BODY),
            answers({"items": [PAYMENT_BODY], "totalPages": 1}),
            answers(PAYMENT_BODY),
        )

        made = bokio.bank_payments.create(payment())
        where = (F("amount") == Decimal("1200.25")) & (F("paymentDate") == date(2025, 8, 25))
        (found,) = bokio.bank_payments.find(where)
        assert made == found == bokio.bank_payments.get(PAYMENT)

        below = f"/v1/companies/{company_id}/bank-payments"
        assert [(seen.method, seen.path) for seen in server.seen] == [
            ("POST", below),
            ("GET", below),
            ("GET", f"{below}/{PAYMENT}"),
        ]
        assert json_of(server.seen[0]) == self.SENT
        assert (made.status, made.recipient) == (BankPaymentStatus.READY_TO_SIGN, RECIPIENT)
        assert (made.amount, made.note) == (Decimal("1200.25"), "ref 7HK2")
        assert made.created_at == datetime(2025, 8, 25, 8, 15, tzinfo=UTC)
        assert made.extra == {"signedBy": None}

    def test_many_go_together(self, server, bokio):
        server.will(answers([PAYMENT_BODY, PAYMENT_BODY | {"id": str(uuid4())}]))

        made = bokio.bank_payments.create_many([payment(), payment()])

        assert server.seen[0].path.endswith("/bank-payments/bulk")
        assert json_of(server.seen[0]) == {"payments": [self.SENT, self.SENT]}
        assert len({each.id for each in made}) == 2

    @pytest.mark.parametrize("number", [0, 101])
    def test_none_or_too_many_are_refused_before_sending(self, server, bokio, number):
        with pytest.raises(Unsendable, match="1 to 100"):
            bokio.bank_payments.create_many([payment()] * number)

        assert server.seen == []

    def test_an_answer_about_fewer_payments_is_settled_by_a_read(self, server, bokio):
        server.will(answers([PAYMENT_BODY]))

        with pytest.raises(OutcomeUnknown, match="number of payments"):
            bokio.bank_payments.create_many([payment(), payment()])

    def test_a_refused_one_is_named_by_its_place(self, server, bokio):
        fields = [{"field": "#/payments/1/amount", "message": "too little"}]
        server.will(answers({"code": "validation-error", "errors": fields}, 400))

        with pytest.raises(Invalid) as raised:
            bokio.bank_payments.create_many([payment(), payment()])

        assert raised.value.fields[0].path == ("payments", 1, "amount")

    @pytest.mark.parametrize(
        "recipient, body",
        [
            (
                BankgiroRecipient("Teknik AB", "5050-1055", ocr="123456789012345"),
                {
                    "kind": "bankgiro",
                    "recipientName": "Teknik AB",
                    "bankgiroNumber": "5050-1055",
                    "ocr": "123456789012345",
                },
            ),
            (
                BankgiroRecipient("Teknik AB", "50501055", message="Faktura 7"),
                {
                    "kind": "bankgiro",
                    "recipientName": "Teknik AB",
                    "bankgiroNumber": "50501055",
                    "message": "Faktura 7",
                },
            ),
            (
                TransferRecipient("Hyresvärden AB", "5011", "0379101"),
                {
                    "kind": "transfer",
                    "recipientName": "Hyresvärden AB",
                    "clearingNumber": "5011",
                    "accountNumber": "0379101",
                },
            ),
        ],
        ids=["ocr", "message", "transfer"],
    )
    def test_every_kind_of_recipient_is_sent_read_back_and_kept_out_of_sight(
        self, server, bokio, recipient, body
    ):
        server.will(answers(PAYMENT_BODY | {"recipientRef": body}))

        made = bokio.bank_payments.create(payment(recipient=recipient))

        assert json_of(server.seen[0])["recipientRef"] == body
        assert made.recipient == recipient
        numbers = [body[key] for key in body if key not in {"kind", "recipientName"}]
        assert not any(each in f"{made!r} {recipient!r} {payment()!r}" for each in numbers)

    def test_a_recipient_of_a_new_kind_is_kept_as_it_came(self, server, bokio):
        body = {"kind": "plusgiro", "plusgiroNumber": "12345-6"}
        server.will(answers(PAYMENT_BODY | {"recipientRef": body, "status": "onHold"}))

        found = bokio.bank_payments.get(PAYMENT)

        assert (found.recipient, found.status) == (OtherPayee("plusgiro", body), "onHold")
        assert "12345-6" not in repr(found)

    @pytest.mark.parametrize(
        "changes",
        [
            {"amount": Decimal(0)},
            {"amount": Decimal(-1)},
            {"amount": Decimal("0.001")},
            {"recipient": BankgiroRecipient("A", "5050-1055")},
            {"recipient": BankgiroRecipient("A", "5050-1055", ocr="1", message="m")},
            {"recipient": BankgiroRecipient("A", "5050-1055", ocr="12 34")},
            {"recipient": BankgiroRecipient("", "5050-1055", ocr="1")},
            {"recipient": BankgiroRecipient("A", "50", ocr="1")},
            {"recipient": TransferRecipient("A", "5011", "")},
            {"recipient": TransferRecipient("A", "", "0379101")},
            {"recipient": TransferRecipient(" ", "5011", "0379101")},
        ],
    )
    def test_a_payment_that_bokio_would_refuse_is_refused_before_sending(self, changes):
        with pytest.raises(Unsendable):
            payment(**changes)

    @pytest.mark.parametrize("missing", ["recipientRef", "status", "amount", "paymentDate", "id"])
    def test_a_success_that_tells_too_little_is_settled_by_a_read(self, server, bokio, missing):
        server.will(answers({key: each for key, each in PAYMENT_BODY.items() if key != missing}))

        with pytest.raises(OutcomeUnknown, match=missing):
            bokio.bank_payments.create(payment())
