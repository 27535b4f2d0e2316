"""Purchases of a company as pages: suppliers, their invoices, and payments from the bank."""

import uuid

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from bokio_app.sandbox import clock, store
from bokio_app.sandbox.models import BankPayment, Company
from bokio_app.sandbox.pages.access import for_company
from bokio_app.sandbox.pages.lists import company_page, paged, searched

WAITS_FOR_THE_BANK = ("onTheWay", "scheduled")
BANK_STATES = {
    "readyToSign": _("Ready to sign"),
    "scheduled": _("Scheduled"),
    "onTheWay": _("On the way"),
    "paid": _("Paid"),
    "rejected": _("Rejected"),
    "cancelled": _("Cancelled"),
    "error": _("Failed"),
}


@require_GET
@for_company
def suppliers(request: HttpRequest, company: Company) -> HttpResponse:
    rows = company.suppliers.annotate(count=Count("invoices")).order_by("name", "id")
    if text := searched(request):
        rows = rows.filter(Q(name__icontains=text) | Q(org_number__icontains=text))
    return company_page(request, company, "suppliers", "suppliers", {"page": paged(request, rows)})


@require_GET
@for_company
def supplier_invoices(request: HttpRequest, company: Company) -> HttpResponse:
    rows = company.supplier_invoices.select_related("supplier", "entry").order_by("-id")
    if text := searched(request):
        rows = rows.filter(Q(supplier__name__icontains=text) | Q(invoice_number__icontains=text))
    return company_page(
        request, company, "supplier-invoices", "supplier_invoices", {"page": paged(request, rows)}
    )


@require_GET
@for_company
def bank_payments(request: HttpRequest, company: Company) -> HttpResponse:
    """Orders that an application prepared. A person signs or rejects; then the bank pays."""
    rows = company.bank_payments.select_related("made_by").order_by("-id")
    context = {
        "page": paged(request, rows),
        "words": BANK_STATES,
        "waiting": WAITS_FOR_THE_BANK,
    }
    return company_page(request, company, "bank-payments", "bank_payments", context)


@require_POST
@for_company
def act_on_bank_payment(
    request: HttpRequest, company: Company, payment_id: uuid.UUID
) -> HttpResponse:
    """Sign, reject, cancel, let the bank pay, or let it fail."""
    with store.write():
        payment = get_object_or_404(company.bank_payments, uuid=payment_id)
        state = _next_state(payment, request.POST.get("action", ""))
        if state:
            payment.status = state
            payment.save(update_fields=["status"])
    if not state:
        messages.error(request, _("The payment had moved on. Nothing was changed."))
    else:
        messages.success(request, BANK_STATES[state])
    return redirect("bank-payments", company.uuid)


def _next_state(payment: BankPayment, action: str) -> str | None:
    """Where the act leads to; None when the payment's own state forbids it."""
    signed = "scheduled" if payment.payment_date > clock.today() else "onTheWay"
    ways = {
        "sign": ("readyToSign", signed),
        "reject": ("readyToSign", "rejected"),
        "cancel": ("scheduled", "cancelled"),
    }
    if action in ways:
        needed, state = ways[action]
        return state if payment.status == needed else None
    if action in ("paid", "error"):
        return action if payment.status in WAITS_FOR_THE_BANK else None
    raise Http404
