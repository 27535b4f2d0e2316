"""Which invoices a filter means, as conditions that the database takes from its indexes."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import F, Q, QuerySet

from bokio_app.core import clock
from bokio_app.core.number_search import with_number
from bokio_app.invoicing import leftovers
from bokio_app.invoicing.models import Invoice
from bokio_app.tenants.models import Tenant

from .asked import Asked, read_amount

NAMED = 500
SENT = ~Q(status=Invoice.Status.DRAFT)
STANDS = SENT & ~Q(status=Invoice.Status.CREDITED)
OWED = Q(open_amount__gt=0)
UNRECORDED = Q(journal_entry_id="")
BOUNDS = {
    "since": "invoice_date__gte",
    "until": "invoice_date__lte",
    "due_since": "due_date__gte",
    "due_until": "due_date__lte",
    "least": "total__gte",
    "most": "total__lte",
}


def invoices_of(tenant: Tenant, asked: Asked) -> QuerySet[Invoice]:
    """The tenant's invoices that the filter means, in no order."""
    found = tenant.invoices.exclude(status=Invoice.Status.GONE)
    if asked.company_text:
        return found.none()
    if asked.company:
        found = found.filter(connection=asked.company)
    return found.filter(condition(tenant, asked))


def condition(tenant: Tenant, asked: Asked) -> Q:
    """What the filter says beside the company."""
    every = view_of(asked.view)
    if asked.text:
        every &= _mentions(tenant, asked)
    if asked.customer:
        every &= Q(customer__in=tenant.customers.filter(pk=asked.customer).values("pk"))
    if asked.states:
        some = Q()
        for state in asked.states:
            some |= state_of(state)
        every &= some
    for name, value in (asked.days | asked.amounts).items():
        every &= Q(**{BOUNDS[name]: value})
    if asked.currency:
        every &= Q(currency=asked.currency)
    return every & _choices(asked.choices)


def view_of(view: str) -> Q:
    """A standard view."""
    views = {
        "draft": ~SENT,
        "unrecorded": SENT & UNRECORDED,
        "open": leftovers.OWED,
        "overdue": leftovers.OWED & Q(due_date__lt=clock.today()),
        "paid": SENT & ~OWED,
    }
    return views.get(view, Q())


def state_of(state: str) -> Q:
    """A state that may be chosen. An invoice may be in several: part-paid and overdue."""
    states = {
        "draft": ~SENT,
        "published": STANDS & OWED & UNRECORDED,
        "recorded": STANDS & OWED & ~UNRECORDED,
        "part-paid": STANDS & OWED & Q(open_amount__lt=F("total")),
        "paid": STANDS & ~OWED,
        "overdue": STANDS & OWED & Q(due_date__lt=clock.today()),
        "credited": Q(status=Invoice.Status.CREDITED),
    }
    return states[state]


def _choices(choices: dict[str, str]) -> Q:
    every = Q()
    if "recorded" in choices:
        every &= SENT & (~UNRECORDED if choices["recorded"] == "yes" else UNRECORDED)
    if "open" in choices:
        every &= SENT & (OWED if choices["open"] == "yes" else ~OWED)
    if "left" in choices:
        every &= leftovers.condition(leftovers.Left(choices["left"]))
    return every


def _mentions(tenant: Tenant, asked: Asked) -> Q:
    """Number or a reference begins with the text, the customer has it, or an amount is so much.

    Few customers are named one by one, so that the database can take each part from its index.
    """
    text = asked.text
    fitting = Q(name__icontains=text) | with_number(text, part="startswith")
    customers = tenant.customers.filter(fitting).order_by()
    if asked.company:
        customers = customers.filter(connection=asked.company)
    some = list(customers.values_list("pk", flat=True)[: NAMED + 1])
    known = some if len(some) <= NAMED else customers.values("pk")
    referred = Q(your_reference__istartswith=text) & ~Q(your_reference="")
    found = Q(number__startswith=text) | Q(ocr__startswith=text) | Q(customer__in=known) | referred
    return found | _amounts(text)


def _amounts(text: str) -> Q:
    """Total or open amount; whole kronor stand for any öre."""
    try:
        amount = read_amount(text)
    except ValueError:
        return Q()
    if amount != amount.to_integral_value() or "," in text[-3:] or "." in text[-3:]:
        return Q(total=amount) | Q(open_amount=amount)
    span = (amount, amount + Decimal("0.99")) if amount >= 0 else (amount - Decimal("0.99"), amount)
    return Q(total__range=span) | Q(open_amount__range=span)
