"""Where in the editor stands what keeps a draft from being sent, and in which words."""

from __future__ import annotations

from django.utils.translation import gettext as _

LINE_POINTERS = {
    "description": "description",
    "quantity": "quantity",
    "unitPrice": "unit_price",
    "unitType": "unit",
    "taxRate": "tax_rate",
    "productType": "product",
    "bookkeepingAccountNumber": "account",
}
HEAD_POINTERS = {
    "customerRef": "customer_text",
    "invoiceDate": "invoice_date",
    "dueDate": "due_date",
    "buyerReference": "your_reference",
    "orderNumberReference": "order_number",
    "projectReference": "project",
    "contractReference": "contract",
    "deliveryAddress": "line1",
    "currency": "currency",
    "currencyRate": "rate",
}
CUSTOMER_POINTERS = {
    "name": "name",
    "type": "type",
    "orgNumber": "org_number",
    "vatNumber": "vat_number",
    "email": "email",
    "paymentTerms": "payment_terms",
    "line1": "line1",
    "line2": "line2",
    "postalCode": "postal_code",
    "city": "city",
    "country": "country",
}


def problem_text(field: str, code: str) -> str:
    """A problem of `problems.problems_of` in words that say what to do."""
    if code == "missing":
        return {
            "customer": _("Choose the customer."),
            "customer.address": _("The customer needs an address before Bokio can publish."),
        }.get(field, _("The invoice needs at least one line with a price."))
    return {
        "no_fiscal_year": _("The company has no fiscal year for this date."),
        "closed_year": _("The fiscal year of this date is closed. Choose a date in an open one."),
        "before_invoice_date": _("The due date is before the invoice date."),
        "unknown_account": _("This account is not in the chart. Choose one that is."),
        "no_rate": _("Write how many kronor one unit of the currency costs."),
        "not_positive": _("The total must be above 0. To pay money back, credit an invoice."),
    }[code]
