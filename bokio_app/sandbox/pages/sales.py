"""Sales of a company as lists: invoices, credit notes, customers, items."""

from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from bokio_app.sandbox import clock, invoicing
from bokio_app.sandbox.models import Company, CreditNote, Invoice
from bokio_app.sandbox.pages.access import for_company
from bokio_app.sandbox.pages.lists import as_number, company_page, paged, searched

STATES = (
    ("draft", _("Draft")),
    ("published", _("Published")),
    ("underPaid", _("Part-paid")),
    ("overdue", _("Overdue")),
    ("overPaid", _("Overpaid")),
    ("paid", _("Paid")),
    ("credited", _("Credited")),
)


@require_GET
@for_company
def invoices(request: HttpRequest, company: Company) -> HttpResponse:
    """Invoices, newest first; `state`, `customer` and `q` (number, OCR, customer) narrow them."""
    rows = company.invoices.select_related("entry").order_by("-id")
    state = request.GET.get("state", "")
    if state in dict(STATES):
        rows = invoicing.with_status(rows, clock.today()).filter(Q(status=state))
    customer = company.customers.filter(pk=as_number(request.GET.get("customer", "")) or 0).first()
    if customer:
        rows = rows.filter(customer=customer)
    if text := searched(request):
        rows = rows.filter(_invoice_search(text))
    context = {
        "page": paged(request, rows),
        "states": STATES,
        "state": state,
        "customer": customer,
        "sums": rows.aggregate(total=Sum("total"), outstanding=Sum("outstanding")),
    }
    return company_page(request, company, "invoices", "invoices", context)


def _invoice_search(text: str) -> Q:
    found = Q(customer_name__icontains=text) | Q(payment_reference=text)
    number = as_number(text)
    return found if number is None else found | Q(number=number)


@require_GET
@for_company
def credit_notes(request: HttpRequest, company: Company) -> HttpResponse:
    rows = company.credit_notes.select_related("entry", "invoice").order_by("-id")
    if text := searched(request):
        rows = rows.filter(_credit_note_search(text))
    return company_page(
        request, company, "credit-notes", "credit_notes", {"page": paged(request, rows)}
    )


def _credit_note_search(text: str) -> Q:
    found = Q(invoice__customer_name__icontains=text)
    number = as_number(text)
    return found if number is None else found | Q(number=number) | Q(invoice__number=number)


@require_GET
@for_company
def customers(request: HttpRequest, company: Company) -> HttpResponse:
    rows = company.customers.order_by("name", "id")
    if text := searched(request):
        rows = rows.filter(
            Q(name__icontains=text) | Q(org_number__icontains=text) | Q(customer_number=text)
        )
    return company_page(request, company, "customers", "customers", {"page": paged(request, rows)})


@require_GET
@for_company
def items(request: HttpRequest, company: Company) -> HttpResponse:
    rows = company.items.order_by("description", "id")
    if text := searched(request):
        rows = rows.filter(description__icontains=text)
    return company_page(request, company, "items", "items", {"page": paged(request, rows)})


def latest(company: Company) -> tuple[QuerySet[Invoice], QuerySet[CreditNote]]:
    """What the overview shows of the sales."""
    return (
        company.invoices.select_related("entry").order_by("-id")[:8],
        company.credit_notes.order_by("-id")[:3],
    )
