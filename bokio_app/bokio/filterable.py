"""Which list can be filtered by which property, and what each property holds.

Source: the tables in Bokio's published description and its changelog (customer numbers and
projects, 2026-09-07). A condition on anything else would be answered with 400.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bokio_app.bokio.filters import Filter, FilterError, Kind

Properties = Mapping[str, Kind]

METADATA: Final = "metadata."  # the keys are the caller's own

_SALES: Final[Properties] = {
    "type": Kind.TEXT,
    "customerRef": Kind.TEXT,
    "orderNumberReference": Kind.TEXT,
    "projectReference": Kind.TEXT,
    "buyerReference": Kind.TEXT,
    "contractReference": Kind.TEXT,
    "currency": Kind.TEXT,
    "totalAmount": Kind.NUMBER,
    "status": Kind.TEXT,
    "invoiceDate": Kind.DAY,
    "dueDate": Kind.DAY,
    METADATA: Kind.TEXT,
}
_PART_OF_INVOICE: Final[Properties] = {"date": Kind.DAY, "sumBaseCurrency": Kind.NUMBER}

FILTERABLE: Final[Mapping[str, Properties]] = MappingProxyType(
    {
        "get-bank-payments-limited": {
            "amount": Kind.NUMBER,
            "status": Kind.TEXT,
            "paymentDate": Kind.MOMENT,
            "createdDateTime": Kind.MOMENT,
        },
        "get-chart-of-accounts": {
            "account": Kind.NUMBER,
            "name": Kind.TEXT,
            "accountType": Kind.TEXT,
        },
        "get-customer": {
            "name": Kind.TEXT,
            "type": Kind.TEXT,
            "vatNumber": Kind.TEXT,
            "orgNumber": Kind.TEXT,
            "modifiedDateTime": Kind.MOMENT,
            "customerNumber": Kind.TEXT,
        },
        "get-fiscal-years": {
            "startDate": Kind.DAY,
            "endDate": Kind.DAY,
            "accountingMethod": Kind.TEXT,
            "status": Kind.TEXT,
        },
        "get-invoice": {**_SALES, "projectId": Kind.TEXT},
        "get-invoice-attachments": {"fileName": Kind.TEXT},
        "get-invoice-payments": _PART_OF_INVOICE,
        "get-invoice-settlements": _PART_OF_INVOICE,
        "get-items": {
            "description": Kind.TEXT,
            "itemType": Kind.TEXT,
            "productType": Kind.TEXT,
            "unitType": Kind.TEXT,
            "unitPrice": Kind.NUMBER,
            "taxRate": Kind.NUMBER,
        },
        "get-journalentry": {
            "title": Kind.TEXT,
            "journalEntryNumber": Kind.TEXT,
            "date": Kind.DAY,
            "reversingJournalEntryId": Kind.TEXT,
            "reversedByJournalEntryId": Kind.TEXT,
        },
        "get-supplier-invoices": {
            "supplierRef.id": Kind.TEXT,
            "invoiceNumber": Kind.TEXT,
            "totalAmount": Kind.NUMBER,
            "currency": Kind.TEXT,
            "invoiceDate": Kind.DAY,
            "dueDate": Kind.DAY,
            "projectId": Kind.TEXT,
        },
        "get-suppliers": {"name": Kind.TEXT, "vatNumber": Kind.TEXT, "orgNumber": Kind.TEXT},
        "get-tag-groups": {"name": Kind.TEXT, "dimensionNumber": Kind.NUMBER},
        "get-uploads": {"description": Kind.TEXT, "journalEntryId": Kind.TEXT},
        "list-credit-notes-v1": _SALES,
    }
)
"""The properties of each list, by the id of the operation that fetches it."""


def query_of(operation: str, where: Filter | None) -> dict[str, str]:
    """Make the query parameter of a list; nothing without a filter.

    Raises `FilterError` for a property that the list does not have, and for a value or an
    operator that the property does not take.
    """
    if where is None:
        return {}
    properties = FILTERABLE.get(operation, {})
    for condition in where.conditions:
        is_metadata = condition.name.startswith(METADATA)
        kind = properties.get(METADATA if is_metadata else condition.name)
        if kind is None:
            raise FilterError(f"{operation} cannot be filtered by {condition.name}")
        if not condition.suits(kind):
            raise FilterError(f"{condition.name} holds {kind.value}: compare it with one")
    return {"query": where.text}
