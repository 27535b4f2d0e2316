"""Items, invoices and credit notes as Bokio answers them, and drafts as the tests send them."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

from bokio_app.bokio.credit_notes import CreditNoteDraft
from bokio_app.bokio.invoices import InvoiceDraft
from bokio_app.bokio.line_items import LineItem
from bokio_app.bokio.tax_reductions import (
    DeductionPerson,
    Job,
    LineReduction,
    PropertyType,
    ReductionType,
    TaxReduction,
)

INVOICE, NOTE, ITEM, CUSTOMER, CONTACT, ENTRY, FILE = (uuid4() for _ in range(7))
DAY = date(2026, 3, 2)
NUMBER = "19811218-9876"
ITEM_BODY = {
    "id": str(ITEM),
    "description": "Hylla",
    "itemType": "salesItem",
    "productType": "goods",
    "unitType": "piece",
    "unitPrice": 99.9,
    "taxRate": 25,
    "bookkeepingAccountNumber": 3920,
    "shelf": "B7",
}

WORDS_BODY = {"id": str(ITEM), "description": "Tack!", "itemType": "descriptionOnlyItem"}
LINE_BODY = {
    "id": 18320626,
    "itemRef": {"id": str(ITEM), "description": "Hylla"},
    "description": "Hylla",
    "itemType": "salesItem",
    "productType": "services",
    "unitType": "låda",
    "quantity": 4,
    "unitPrice": 0.125,
    "taxRate": 0,
    "bookkeepingAccountNumber": None,
    "taxReduction": {"taxReductionType": "rot", "jobType": "rotPainting", "hours": 3},
    "reverseChargeType": "construction",
    "discount": {"percent": 5},
}

DELIVERY = {
    "line1": "1 High St",
    "line2": "Floor 2",
    "city": "London",
    "postalCode": "SW1A 1AA",
    "country": "GB",
    "countrySubdivision": "ENG",
    "doorCode": "1234",
}

REDUCTION_BODY = {
    "type": "rot",
    "description": "Målning",
    "propertyType": "housingDesignation",
    "tenantOrgNumber": "7164009068",
    "apartmentNumber": "1001",
    "deductionAmount": 1500.5,
    "status": "draft",
    "deductionPeople": [{"personalNumber": NUMBER, "deductionAmount": 1500.5, "share": 1}],
    "keyNumber": 9,
}

SHARED_BODY = {
    "customerRef": {"id": str(CUSTOMER), "name": "Jane Doe", "customerNumber": "K-17"},
    "contactDetailRef": {"id": str(CONTACT), "email": "jane@example.com", "phone": "070"},
    "currency": "EUR",
    "currencyRate": 11.4321,
    "totalAmount": 200,
    "totalTax": 40,
    "paidAmount": 10.5,
    "status": "draft",
    "dueDate": "2026-04-01",
    "orderNumberReference": "O",
    "projectReference": "P",
    "buyerReference": "B",
    "contractReference": None,
    "lineItems": [LINE_BODY, WORDS_BODY | {"id": 18320627}],
    "billingAddress": {"line1": "Gatan 1", "city": "Umeå", "postalCode": "90325", "country": "SE"},
    "deliveryAddress": DELIVERY,
    "attachmentRefs": [{"id": str(FILE), "name": "a.pdf"}, {"id": str(FILE), "fileName": "b.pdf"}],
    "metadata": {"op_key": "k"},
    "giftWrapping": {"paper": ["red", 1.10]},
}

INVOICE_BODY = SHARED_BODY | {
    "id": str(INVOICE),
    "type": "cashInvoice",
    "invoiceDate": "2026-03-02",
    "invoiceNumber": None,
    "paymentReference": None,
    "publishedDateTime": None,
    "taxReduction": REDUCTION_BODY,
    "totalRoundingEnabled": False,
    "journalEntryRef": None,
    "creditNoteRefs": [{"id": str(NOTE)}],
}

NOTE_BODY = SHARED_BODY | {
    "id": str(NOTE),
    "creditDate": "2026-03-02",
    "invoiceRef": {"id": str(INVOICE), "invoiceNumber": "1001"},
    "invoiceNumber": "1002",
    "publishedDateTime": "2026-03-02T12:00:00",
    "journalEntryRef": {"id": str(ENTRY)},
}

# What Bokio sets itself: a full replace that carried these would only be ignored.
SET_BY_BOKIO = {
    "invoiceNumber",
    "paymentReference",
    "totalAmount",
    "totalTax",
    "paidAmount",
    "status",
    "publishedDateTime",
    "billingAddress",
    "attachmentRefs",
    "journalEntryRef",
    "creditNoteRefs",
    "invoiceRef",
}


def rot():
    return TaxReduction(
        type=ReductionType.ROT,
        description="Målning",
        people=(DeductionPerson(personal_number=NUMBER, amount=Decimal("1500.50")),),
        property_type=PropertyType.REAL_ESTATE,
        real_estate_number="UMEÅ 1:2",
    )


def invoice_draft(reduction):
    line = LineItem(
        description="Målning",
        unit_type="hour",
        tax_reduction=LineReduction(type=ReductionType.ROT, job=Job.ROT_PAINTING),
    )
    return InvoiceDraft(
        customer_id=CUSTOMER, invoice_date=DAY, line_items=(line,), tax_reduction=reduction
    )


def note_draft():
    return CreditNoteDraft(
        line_items=(LineItem(description="Hylla"),), credit_date=DAY, due_date=DAY
    )
