"""Where the published files are known to be wrong or behind, and what holds instead.

Nothing else is bent: what is not named here is held to the files as they are.
"""

from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]

COMPANY = "/companies/{companyId}"


def corrected(api: str, document: Schema) -> Schema:
    """Return the document of one API with all corrections applied."""
    _refusals_name_themselves(document["components"]["schemas"])
    _lists_are_whole(document["components"]["schemas"])
    if api == "company":
        for correction in (*ERRORS, *ADDITIONS):
            correction(document)
    return document


def _refusals_name_themselves(schemas: Schema) -> None:
    """The schema requires nothing; the API's own account of errors promises these three."""
    schemas["apiError"]["required"] = ["code", "message", "bokioErrorId"]


def _lists_are_whole(schemas: Schema) -> None:
    """Every example of a list has all counters, which the schema forgets to require."""
    schemas["pagedResponse"]["required"] = ["totalItems", "totalPages", "currentPage"]


def _company_comes_flat(document: Schema) -> None:
    """The wrapping of company information was withdrawn by the change log of 2026-09-07."""
    answer = document["paths"][f"{COMPANY}/company-information"]["get"]["responses"]["200"]
    flat = {"$ref": "#/components/schemas/companyInformation"}
    media = answer["content"]["application/json"]
    media["schema"] = flat
    for example in media.get("examples", {}).values():
        example["value"] = example["value"].get("companyInformation", example["value"])


def _settlements_are_told_apart_by_their_keys(document: Schema) -> None:
    """The discriminator names `reason`, which the schemas beside it forbid."""
    for name in ("invoiceSettlementRead", "invoiceSettlementWrite"):
        properties = document["components"]["schemas"][name]["properties"]
        properties["invoiceSettlementDetails"].pop("discriminator", None)


def _attachments_are_called_file_name(document: Schema) -> None:
    """The schema says `name`, the examples `fileName`; both are meant."""
    for name in ("invoice", "creditNote"):
        rows = document["components"]["schemas"][name]["properties"]["attachmentRefs"]["items"]
        rows["properties"]["fileName"] = {"type": "string", "readOnly": True}


def _entries_need_a_title(document: Schema) -> None:
    """The text demands a title; the schema forgets to."""
    document["components"]["schemas"]["journalEntry"]["required"] = ["title", "items"]


ERRORS: tuple[Callable[[Schema], None], ...] = (
    _company_comes_flat,
    _settlements_are_told_apart_by_their_keys,
    _attachments_are_called_file_name,
    _entries_need_a_title,
)


def _customers_have_numbers(document: Schema) -> None:
    """Change log 2026-09-07 (number, also with invoices) and 2026-10-15 (construction)."""
    schemas = document["components"]["schemas"]
    number = {"type": "string", "nullable": True}
    schemas["customer"]["properties"] |= {
        "customerNumber": number,
        "constructionReverseChargeEnabled": {"type": "boolean"},
    }
    for name in ("invoice", "creditNote"):
        schemas[name]["properties"]["customerRef"]["properties"]["customerNumber"] = number


def _invoices_round_and_lines_say_more(document: Schema) -> None:
    """Change log 2026-09-07 (custom units) and 2026-10-15 (discount, reverse charge, rounding).

    The shape of `discount` is published nowhere, so any is taken.
    """
    schemas = document["components"]["schemas"]
    for name in ("invoice", "creditNote"):
        schemas[name]["properties"]["totalRoundingEnabled"] = {"type": "boolean", "nullable": True}
    line = schemas["salesInvoiceItem"]["properties"]
    line["unitType"] = {"type": "string"}
    line["discount"] = {}
    line["reverseChargeType"] = {"type": "string", "enum": ["construction"], "nullable": True}


def _entries_name_their_upload(document: Schema) -> None:
    """Change log 2026-09-07: `uploadRef` when an entry is made, and in answers."""
    entry = document["components"]["schemas"]["journalEntry"]["properties"]
    upload = document["components"]["schemas"]["uploadRef"]
    entry["uploadRef"] = {**upload, "nullable": True}


def _supplier_invoices_have_rows(document: Schema) -> None:
    """Change log 2026-09-07: rows are called `lineItems`; their shape is published nowhere."""
    rows = {"type": "array", "items": {}}
    for name in ("supplierInvoiceGet", "supplierInvoiceCreate", "supplierInvoiceUpdate"):
        document["components"]["schemas"][name]["properties"]["lineItems"] = rows


ADDITIONS: tuple[Callable[[Schema], None], ...] = (
    _customers_have_numbers,
    _invoices_round_and_lines_say_more,
    _entries_name_their_upload,
    _supplier_invoices_have_rows,
)

NO_ANSWERS = {
    ("post-customer", "customer created"): "lacks the id that the answer is about",
    ("record-invoice-settlement-with-id", "recoredInvoiceSettlement"): "misnames the details",
    ("post-supplier-invoice-upload", "Upload not found"): "is a refusal among the successes",
}
"""Published examples of a success that contradict their own schema, and how."""
