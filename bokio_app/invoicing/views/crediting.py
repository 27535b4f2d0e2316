"""The page on which an invoice is credited, as a whole or in part."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from bokio_app.core import clock
from bokio_app.core.formats import money
from bokio_app.core.money import ZERO
from bokio_app.invoicing import crediting
from bokio_app.invoicing.credit_forms import CreditForm, problem_text
from bokio_app.invoicing.crediting import Amount, Creditable
from bokio_app.invoicing.expected import rate_of, sale_of
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.services import is_cash
from bokio_app.ledger.prediction import Entry, Sale, Sold, credit_note_entry
from bokio_app.ledger.queries import account_names, fiscal_year_of
from bokio_app.tenants.access import TenantRequest, member

NOTHING = Amount(ZERO, ZERO)
FILLS = ("all", "none")  # the buttons that fill in every quantity


@dataclass(frozen=True)
class Effect:
    """What crediting would do, in the invoice's currency. `entry` is None by the cash method, and
    where the lines or the rate are not known.
    """

    amount: Amount
    left: Amount
    entry: Entry | None
    is_cash: bool
    currency: str

    @property
    def sum(self) -> str:
        """The amount as people read it."""
        return money(self.amount.total, self.currency)

    @property
    def seen(self) -> str:
        """The amount as the form sends it back."""
        return str(self.amount.total)


@require_http_methods(["GET", "HEAD", "POST"])
@member
def credit(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """The form, filled in with all that is left; a post starts one flow, however often sent."""
    invoice = _invoice(request, invoice_id)
    found = Creditable(invoice)
    action = request.POST.get("action", "credit")
    if request.method != "POST" or action in FILLS:
        initial = {"request_key": uuid.uuid4()}
        return _page(
            request, found, CreditForm(initial=initial, found=found, nothing=action == "none")
        )
    form = CreditForm(request.POST, found=found)
    if action == "credit" and form.is_valid():
        try:
            crediting.credit(
                invoice,
                form.wanted,
                seen=form.cleaned_data["seen"],
                by=request.user,
                request_key=str(form.cleaned_data["request_key"]),
            )
        except crediting.CannotCredit as refused:
            form.add_problems(refused.problems)
        else:
            return redirect("invoicing:detail", invoice.pk)
    return _page(request, found, form, status=422 if action == "credit" else 200)


@require_POST
@member
def credit_preview(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """What the form, as typed so far, would do."""
    invoice = _invoice(request, invoice_id)
    form = CreditForm(request.POST, found=Creditable(invoice))
    context = {"effect": effect_of(form), "invoice": invoice, "is_preview": True}
    return render(request, "invoicing/_credit_effect.html", context)


def _invoice(request: TenantRequest, invoice_id: uuid.UUID) -> Invoice:
    mine = request.tenant.invoices.select_related("connection", "customer")
    return get_object_or_404(mine, pk=invoice_id)


def effect_of(form: CreditForm) -> Effect:
    """What a form would do, as far as its quantities can be read."""
    found = form.found
    if form.is_bound:
        form.is_valid()
    wanted = form.wanted
    invoice = found.invoice
    fits = not crediting.quantity_problems(found, wanted)
    amount = found.amount(wanted) if fits else NOTHING
    by_cash = is_cash(invoice) and not invoice.is_recorded
    entry = _entry(found, wanted, amount) if fits and not by_cash else None
    left = Amount(found.left.net - amount.net, found.left.tax - amount.tax)
    return Effect(amount, left, entry, by_cash, invoice.currency)


def _entry(found: Creditable, wanted: dict[int, Decimal], amount: Amount) -> Entry | None:
    """What Bokio is expected to write; None where the lines, or the rate, are not known."""
    invoice, rate = found.invoice, rate_of(found.invoice)
    sold = found.sold(wanted)
    if not sold or rate is None:
        return None

    def sale(lines: Sequence[Sold], total: Decimal) -> Sale:
        return sale_of(lines, customer=invoice.customer, total=total, rate=rate)

    is_rest = found.is_rest(wanted)
    return credit_note_entry(
        sale(sold, amount.total),
        names=account_names(invoice.connection),
        completes=sale(list(invoice.lines.all()), invoice.total) if is_rest else None,
        earlier=[sale(crediting.lines_of(note), note.total) for note in found.published],
    )


def _page(
    request: TenantRequest, found: Creditable, form: CreditForm, *, status: int = 200
) -> HttpResponse:
    invoice = found.invoice
    problems = [(code, problem_text(code)) for _field, code in crediting.problems_of(found)]
    context = {
        "form": form,
        "found": found,
        "invoice": invoice,
        "connection": invoice.connection,
        "year": fiscal_year_of(invoice.connection, clock.today()),
        "effect": effect_of(form),
        "problems": problems,
        "draft": found.draft,
    }
    return render(request, "invoicing/credit.html", context, status=status)
