"""Taking back a payment or a settlement that is not recorded: what it does, then the act."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bokio_app.core import clock
from bokio_app.invoicing.currencies import HOME
from bokio_app.ledger.queries import fiscal_year_of
from bokio_app.tenants.access import TenantRequest, member

from . import undoing
from .models import Payment, Settlement
from .views import invoice_of


@require_http_methods(["GET", "HEAD", "POST"])
@member
def take_payment_back(
    request: TenantRequest, invoice_id: uuid.UUID, payment_id: uuid.UUID
) -> HttpResponse:
    """Say what it does; a post starts one flow, however often sent."""
    rows = Payment.objects.filter(invoice=invoice_of(request, invoice_id))
    return _answer(request, get_object_or_404(rows.select_related("invoice"), pk=payment_id))


@require_http_methods(["GET", "HEAD", "POST"])
@member
def take_settlement_back(
    request: TenantRequest, invoice_id: uuid.UUID, settlement_id: uuid.UUID
) -> HttpResponse:
    """Say what it does; a post starts one flow, however often sent."""
    rows = Settlement.objects.filter(invoice=invoice_of(request, invoice_id))
    return _answer(request, get_object_or_404(rows.select_related("invoice"), pk=settlement_id))


def _answer(request: TenantRequest, row: Payment | Settlement) -> HttpResponse:
    invoice = invoice_of(request, row.invoice_id)
    if request.method == "POST":
        key = request.POST.get("request_key", "")[:80] or str(uuid.uuid4())
        try:
            _flow, is_new = undoing.take_back(row, by=request.user, request_key=key)
            if not is_new:
                messages.info(request, _("This was asked for before. Nothing more was started."))
        except undoing.CannotTakeBack as refused:
            messages.error(request, problem_text(refused.code))
        return redirect("invoicing:detail", invoice.pk)
    context = {
        "row": row,
        "is_payment": isinstance(row, Payment),
        "problem": problem_text(undoing.problem_of(row)),
        "invoice": invoice,
        "connection": invoice.connection,
        "year": fiscal_year_of(invoice.connection, clock.today()),
        "request_key": str(uuid.uuid4()),
        "open_after": invoice.open_amount + row.amount if invoice.currency == HOME else None,
    }
    return render(request, "payments/take_back.html", context)


def problem_text(code: str) -> str:
    """Why it stays, in words that say what to do; empty for no problem."""
    if not code:
        return ""
    return {
        "recorded": _(
            "It is recorded, and what is in the books is never deleted. Undo it on the invoice in "
            "Bokio, which then reverses its journal entry, and read the invoice from Bokio again."
        ),
        "gone": _("It has been taken back already."),
        "not_there": _("Bokio does not have it yet. Cancel the run that registers it."),
        "busy": _("A run is working on this invoice. Wait for its end, or end it."),
    }[code]
