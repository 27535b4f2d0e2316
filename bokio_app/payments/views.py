"""Registering a payment, and reading an invoice anew."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bokio_app.core import clock
from bokio_app.core.money import ZERO
from bokio_app.invoicing.currencies import HOME
from bokio_app.invoicing.forms import as_typed
from bokio_app.invoicing.models import Invoice
from bokio_app.ledger.queries import account_names, fiscal_year_of
from bokio_app.tenants.access import TenantRequest, member

from . import services, sync
from .effect import Effect, effect_of
from .forms import GAIN, LOSS, PaymentForm

# What is left over can be taken as one of these: the field, and whether it is a gain.
TAKEN = {
    "take_gap": ("fee", False),
    "take_service_fee": ("service_fee", False),
    "take_loss": ("difference", False),
    "take_gain": ("difference", True),
}


@require_http_methods(["GET", "HEAD", "POST"])
@member
def register(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """The form, filled in with all that is open; a post starts one flow, however often sent."""
    invoice = invoice_of(request, invoice_id)
    names = account_names(invoice.connection)
    if request.method != "POST":
        if invoice.is_draft or _is_closed(invoice):
            messages.info(request, _("There is nothing open to pay on this invoice."))
            return redirect("invoicing:detail", invoice.pk)
        return _page(request, invoice, _form(invoice, names, initial=_proposal(invoice)), names)
    form = _form(invoice, names, data=request.POST)
    action = request.POST.get("action", "")
    if action == "look":
        return _page(request, invoice, form, names)
    if action in TAKEN:
        return _page(request, invoice, _with_rest(form, invoice, names, *TAKEN[action]), names)
    if form.is_valid():
        key = str(form.cleaned_data["request_key"])
        try:
            services.register(invoice, form.payment, by=request.user, request_key=key)
        except services.CannotPay as refused:
            form.add_problems(refused.problems)
        else:
            return redirect("invoicing:detail", invoice.pk)
    return _page(request, invoice, form, names, status=422)


@require_POST
@member
def preview(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """What the form, as typed so far, would do."""
    invoice = invoice_of(request, invoice_id)
    names = account_names(invoice.connection)
    form = _form(invoice, names, data=request.POST)
    context = {"effect": _effect(invoice, form, names), "invoice": invoice}
    return render(request, "payments/_effect.html", context)


@require_POST
@member
def refresh(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """Read the invoice from Bokio once more, in the background."""
    invoice = invoice_of(request, invoice_id)
    if invoice.is_ours:
        messages.info(request, _("Nothing of this invoice is at Bokio yet."))
    else:
        minute = clock.now().strftime("%Y%m%d%H%M%S")
        sync.start_reading(invoice, by=request.user, because=f"asked-{minute}")
    return redirect("invoicing:detail", invoice.pk)


def invoice_of(request: TenantRequest, invoice_id: uuid.UUID) -> Invoice:
    """The invoice, if it is one that the member may see."""
    mine = request.tenant.invoices.select_related("connection", "customer")
    return get_object_or_404(mine, pk=invoice_id)


def _form(invoice: Invoice, names: dict[int, str], **options: Any) -> PaymentForm:
    return PaymentForm(names=names, currency=invoice.currency, **options)


def _is_closed(invoice: Invoice) -> bool:
    """Whether nothing is open. What is on its way is in SEK, and counts where the invoice is."""
    known = invoice.currency == HOME
    return (services.still_open(invoice) if known else invoice.open_amount) <= 0


def _proposal(invoice: Invoice) -> dict[str, object]:
    """All that is open, today; of an invoice in another currency, what came in is not known."""
    left = services.still_open(invoice)
    known = invoice.currency == HOME
    return {
        "request_key": uuid.uuid4(),
        "open_seen": left if known or left == invoice.open_amount else "",
        "amount": as_typed(left) if known else "",
        "date": clock.today().isoformat(),
        "account": services.PAYMENT_ACCOUNTS[0],
        "fee": as_typed(ZERO),
        "rate": as_typed(invoice.currency_rate, decimals=None),
    }


def _with_rest(
    form: PaymentForm, invoice: Invoice, names: dict[int, str], field: str, is_gain: bool
) -> PaymentForm:
    """The form as typed, with what is left over added to one of its fields."""
    typed = dict(form.data.items())
    left = effect_of(invoice, form.payment, names).left if form.is_readable else ZERO
    if left and (left < 0) == is_gain:
        typed[field] = as_typed(form.cleaned_data.get(field, ZERO) + abs(left))
        if field == "difference":
            typed["direction"] = GAIN if is_gain else LOSS
    return _form(invoice, names, initial=typed)


def _effect(invoice: Invoice, form: PaymentForm, names: dict[int, str]) -> Effect | None:
    """What a form would do as far as it can be read; None when it cannot."""
    return effect_of(invoice, form.payment, names) if form.is_readable else None


def _page(
    request: TenantRequest,
    invoice: Invoice,
    form: PaymentForm,
    names: dict[int, str],
    *,
    status: int = 200,
) -> HttpResponse:
    typed = form if form.is_bound else _form(invoice, names, data=form.initial)
    context = {
        "form": form,
        "invoice": invoice,
        "connection": invoice.connection,
        "year": fiscal_year_of(invoice.connection, clock.today()),
        "effect": _effect(invoice, typed, names),
    }
    return render(request, "payments/register.html", context, status=status)
