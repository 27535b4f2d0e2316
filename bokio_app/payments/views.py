"""Registering a payment, and reading an invoice anew."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bokio_app.core import clock
from bokio_app.core.money import ZERO
from bokio_app.invoicing import expected
from bokio_app.invoicing.fields import as_typed
from bokio_app.invoicing.models import Invoice
from bokio_app.ledger.queries import account_names, fiscal_year_of
from bokio_app.tenants.access import TenantRequest, member

from . import services, sync
from .forms import PaymentForm


@dataclass(frozen=True)
class Effect:
    """What registering would do. Amounts are SEK; `gap` is what stays open and a bank may have
    kept; `entries` are (title, entry), None in a cash-method year, where Bokio divides by itself.
    """

    entries: list[tuple[str, expected.Entry]] | None
    open_after: Decimal
    gap: Decimal


@require_http_methods(["GET", "HEAD", "POST"])
@member
def register(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """The form, filled in with all that is open; a post starts one flow, however often sent."""
    invoice = _invoice(request, invoice_id)
    names = account_names(invoice.connection)
    if request.method != "POST":
        if invoice.is_draft or services.still_open(invoice) <= 0:
            messages.info(request, _("There is nothing open to pay on this invoice."))
            return redirect("invoicing:detail", invoice.pk)
        return _page(request, invoice, PaymentForm(initial=_proposal(invoice), names=names), names)
    form = PaymentForm(request.POST, names=names)
    if request.POST.get("action") == "take_gap":
        return _page(request, invoice, _with_gap(request, invoice, names), names)
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
    invoice = _invoice(request, invoice_id)
    names = account_names(invoice.connection)
    form = PaymentForm(request.POST, names=names)
    context = {"effect": effect_of(invoice, form, names), "invoice": invoice}
    return render(request, "payments/_effect.html", context)


@require_POST
@member
def refresh(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """Read the invoice from Bokio once more, in the background."""
    invoice = _invoice(request, invoice_id)
    if invoice.is_ours:
        messages.info(request, _("Nothing of this invoice is at Bokio yet."))
    else:
        minute = clock.now().strftime("%Y%m%d%H%M%S")
        sync.start_reading(invoice, by=request.user, because=f"asked-{minute}")
    return redirect("invoicing:detail", invoice.pk)


def _invoice(request: TenantRequest, invoice_id: uuid.UUID) -> Invoice:
    mine = request.tenant.invoices.select_related("connection", "customer")
    return get_object_or_404(mine, pk=invoice_id)


def _proposal(invoice: Invoice) -> dict[str, object]:
    left = services.still_open(invoice)
    return {
        "request_key": uuid.uuid4(),
        "open_seen": left,
        "amount": as_typed(left),
        "date": clock.today().isoformat(),
        "account": services.PAYMENT_ACCOUNTS[0],
        "fee": as_typed(ZERO),
    }


def _with_gap(request: TenantRequest, invoice: Invoice, names: dict[int, str]) -> PaymentForm:
    """The form as typed, with what would stay open taken as the bank's fee."""
    typed = request.POST.copy()
    effect = effect_of(invoice, PaymentForm(request.POST, names=names), names)
    if effect and effect.gap > 0:
        typed["fee"] = as_typed(effect.gap)
    return PaymentForm(initial=typed.dict(), names=names)


def effect_of(invoice: Invoice, form: PaymentForm, names: dict[int, str]) -> Effect | None:
    """What a form would do as far as it can be read; None when amount or account cannot."""
    form.is_valid()
    values = form.cleaned_data
    if "amount" not in values or "account" not in values:
        return None
    amount: Decimal = values["amount"]
    fee: Decimal = values.get("fee", ZERO)
    day = values.get("date") or clock.today()
    year = fiscal_year_of(invoice.connection, day)
    entries = None
    if not (year and year.is_cash):
        payment = expected.payment_entry(amount, account=values["account"], names=names)
        entries = [(_("Payment"), payment)]
        if fee:
            entries.insert(0, (_("Bank fee"), expected.fee_entry(fee, names=names)))
    return Effect(
        entries=entries,
        open_after=invoice.open_amount - amount - fee,
        gap=invoice.open_amount - amount if not fee else ZERO,
    )


def _page(
    request: TenantRequest,
    invoice: Invoice,
    form: PaymentForm,
    names: dict[int, str],
    *,
    status: int = 200,
) -> HttpResponse:
    typed = form if form.is_bound else PaymentForm(form.initial, names=names)
    context = {
        "form": form,
        "invoice": invoice,
        "connection": invoice.connection,
        "year": fiscal_year_of(invoice.connection, clock.today()),
        "effect": effect_of(invoice, typed, names),
    }
    return render(request, "payments/register.html", context, status=status)
