"""Invoices of suppliers and the documents that belong to them."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from bokio_app.bokio.errors import Invalid, OutcomeUnknown, Unsendable
from bokio_app.bokio.filters import F
from bokio_app.bokio.supplier_invoices import SupplierInvoiceDraft
from bokio_app.bokio.wire import BodyError
from tests.bokio.server import answers, json_of

SUPPLIER, INVOICE, UPLOAD, ENTRY = (uuid4() for _ in range(4))
DAY, DUE = date(2024, 10, 1), date(2024, 10, 31)
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
