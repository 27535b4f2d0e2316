"""How rows look as JSON of the API. Money stays `Decimal`; missing things are null."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet

from bokio_app.sandbox import clock, invoicing, ledger, switches, tax_reductions
from bokio_app.sandbox.models import (
    Account,
    Application,
    Company,
    Connection,
    Customer,
    EntryTag,
    FiscalYear,
    Invoice,
    JournalEntry,
    Payment,
    Settlement,
    Upload,
)
from bokio_app.sandbox.totals import StoredLine, half_up

Json = dict[str, Any]
NUMBERS_OF_A_LINE = ("quantity", "unitPrice", "taxRate")
REFERENCES = (
    "orderNumberReference",
    "projectReference",
    "buyerReference",
    "contractReference",
)


def moment(value: dt.datetime | None) -> str | None:
    if value is None:
        return None
    return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def entry_ref(entry: JournalEntry | None) -> Json | None:
    return {"id": str(entry.uuid)} if entry else None


def company(row: Company) -> Json:
    return {
        "id": str(row.uuid),
        "companyType": row.company_type,
        "name": row.name,
        "organizationNumber": row.org_number,
        "phone": row.phone,
        "email": row.email,
        "hasBBA": row.has_bank_account,
        "address": row.address,
    }


def account(row: Account) -> Json:
    return {"account": row.number, "name": row.name, "accountType": row.account_type}


def fiscal_year(row: FiscalYear) -> Json:
    return {
        "id": str(row.uuid),
        "startDate": row.start.isoformat(),
        "endDate": row.end.isoformat(),
        "accountingMethod": row.method,
        "status": row.status,
    }


def customer(row: Customer) -> Json:
    data: Json = {
        "id": str(row.uuid),
        "name": row.name,
        "type": row.type,
        "vatNumber": row.vat_number,
        "orgNumber": row.org_number,
        "paymentTerms": row.payment_terms,
        "contactsDetails": row.contacts,
        "language": row.language,
        "customerNumber": row.customer_number,
        "constructionReverseChargeEnabled": row.construction_reverse_charge,
        "modifiedDateTime": moment(row.modified_at),
    }
    if row.address:
        data["address"] = row.address
    return data


def customer_ref(row: Customer, name: str) -> Json:
    """`name` is the one on the document, which outlives the customer's own."""
    return {"id": str(row.uuid), "name": name, "customerNumber": row.customer_number}


def line_item(line: StoredLine) -> Json:
    data = dict(line)
    data.pop(ledger.SALES_ACCOUNT, None)
    for name in NUMBERS_OF_A_LINE:
        if name in data:
            data[name] = Decimal(data[name])
    return data


def invoice(row: Invoice, reader: Application | None = None) -> Json:
    """The whole invoice, with people's numbers masked for all but the application that made it.

    `customer` and `entry` should be selected with the row.
    """
    data: Json = {
        "id": str(row.uuid),
        "type": "invoice",
        "invoiceNumber": None if row.number is None else str(row.number),
        "paymentReference": row.payment_reference or None,
        **{name: row.references.get(name) or None for name in REFERENCES},
        "currency": row.currency,
        "currencyRate": row.currency_rate,
        "totalAmount": row.total,
        "totalTax": row.tax,
        "paidAmount": row.paid if row.currency_rate == 1 else _paid_amount(row),
        "status": invoicing.status(row, clock.today()),
        "invoiceDate": row.invoice_date.isoformat(),
        "dueDate": row.due_date.isoformat(),
        "publishedDateTime": moment(row.published_at),
        "totalRoundingEnabled": row.rounding,
        "lineItems": [line_item(line) for line in row.lines],
        "contactDetailRef": row.contact,
        "taxReduction": tax_reductions.as_json(row, reader),
        "attachmentRefs": attachment_refs(row),
        "journalEntryRef": entry_ref(row.entry),
        "creditNoteRefs": row.credit_note_refs,
        "metadata": row.metadata,
    }
    if row.customer:
        data["customerRef"] = customer_ref(row.customer, row.customer_name)
    if row.billing_address:
        data["billingAddress"] = row.billing_address
    if row.delivery_address:
        data["deliveryAddress"] = row.delivery_address
    return data


def _paid_amount(row: Invoice) -> Decimal:
    in_sek = switches.current().paid_amount_in_sek
    return row.paid if in_sek else half_up(row.paid / row.currency_rate)


def attachment_refs(row: Invoice) -> list[Json]:
    """The name under both keys: Bokio's schema says `name`, its examples `fileName`."""
    return [ref | {"fileName": ref["name"]} for ref in row.attachment_refs]


def payment(row: Payment) -> Json:
    return {
        "id": str(row.uuid),
        "invoiceId": str(row.invoice.uuid),
        "date": row.date.isoformat(),
        "sumBaseCurrency": row.amount,
        "bookkeepingAccountNumber": row.account,
        "journalEntryRef": entry_ref(row.entry),
    }


def settlement(row: Settlement) -> Json:
    details: Json = {"date": row.date.isoformat(), "sumBaseCurrency": row.amount}
    if row.vat_scheme:
        details["vatScheme"] = row.vat_scheme
    return {
        "id": str(row.uuid),
        "invoiceId": str(row.invoice.uuid),
        "type": row.type,
        "invoiceSettlementDetails": details,
        "journalEntryRef": entry_ref(row.entry),
    }


def whole_entries(rows: QuerySet[JournalEntry]) -> QuerySet[JournalEntry]:
    """Fetch with the entries what `journal_entry` shows of them."""
    documents = Prefetch("uploads", Upload.objects.defer("content").order_by("id"))
    return rows.prefetch_related("items", "tags__tag__group", documents)


def journal_entry(row: JournalEntry) -> Json:
    """The whole entry, which should come from `whole_entries`."""
    tags: dict[int | None, list[Json]] = {}
    for use in row.tags.all():
        tags.setdefault(use.item_id, []).append(_tag_use(use))
    documents = list(row.uploads.all())
    return {
        "id": str(row.uuid),
        "title": row.title,
        "journalEntryNumber": f"V{row.number}",
        "date": row.date.isoformat(),
        "items": [
            {
                "id": item.pk,
                "account": item.account,
                "debit": item.debit,
                "credit": item.credit,
                "tags": tags.get(item.pk, []),
            }
            for item in row.items.all()
        ],
        "tags": tags.get(None, []),
        "uploadRef": {"id": str(documents[0].uuid)} if documents else None,
        "reversingJournalEntryId": str(row.reversing) if row.reversing else None,
        "reversedByJournalEntryId": str(row.reversed_by) if row.reversed_by else None,
    }


def _tag_use(use: EntryTag) -> Json:
    return {
        "tagId": str(use.tag.uuid),
        "tagGroupId": str(use.tag.group.uuid),
        "tagName": use.tag.name,
        "tagGroupName": use.tag.group.name,
        "weight": use.weight,
    }


def connection(row: Connection) -> Json:
    return {
        "id": str(row.uuid),
        "tenantId": str(row.company.uuid),
        "tenantName": row.company.name,
        "type": "company",
    }
