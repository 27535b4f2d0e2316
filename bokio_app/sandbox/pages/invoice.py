"""One invoice, and all that a person in Bokio can do with it behind the application's back."""

import uuid
from collections.abc import Callable
from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from bokio_app.sandbox import crediting, invoicing, pdf
from bokio_app.sandbox.models import Company, CreditNote, Invoice, Payment, Settlement
from bokio_app.sandbox.pages import receipts
from bokio_app.sandbox.pages.access import for_company
from bokio_app.sandbox.pages.acts import Refused, attempt
from bokio_app.sandbox.pages.books import account_names
from bokio_app.sandbox.pages.files import PDF, file_answer
from bokio_app.sandbox.pages.lists import company_page

PLAIN_ACTS: dict[str, tuple[Callable[[Invoice], object], str | Promise]] = {
    "publish": (invoicing.publish, _("The invoice is published.")),
    "record": (invoicing.record_invoice, _("The invoice is recorded.")),
    "delete": (invoicing.delete_draft, _("The draft is deleted.")),
}
PAYMENT_ACTS: dict[str, tuple[Callable[[Payment], object], str | Promise]] = {
    "record": (invoicing.record_payment, _("The payment is recorded.")),
    "delete": (invoicing.delete_payment, _("The payment is deleted.")),
}
SETTLEMENT_ACTS: dict[str, tuple[Callable[[Settlement], object], str | Promise]] = {
    "record": (invoicing.record_settlement, _("The settlement is recorded.")),
    "delete": (invoicing.delete_settlement, _("The settlement is deleted.")),
}


def find(company: Company, invoice_id: uuid.UUID) -> Invoice:
    rows = company.invoices.select_related("company", "customer", "entry", "made_by")
    return get_object_or_404(rows, uuid=invoice_id)


@require_GET
@for_company
def invoice(request: HttpRequest, company: Company, invoice_id: uuid.UUID) -> HttpResponse:
    return _page(request, find(company, invoice_id))


def _page(
    request: HttpRequest,
    row: Invoice,
    *,
    refused: Refused | None = None,
    pay: receipts.PaymentForm | None = None,
    settle: receipts.SettlementForm | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    payments = row.payments.select_related("entry").prefetch_related("entry__items")
    settlements = row.settlements.select_related("entry").prefetch_related("entry__items")
    paid, settled = list(payments.order_by("id")), list(settlements.order_by("id"))
    entries = [row.entry, *(one.entry for one in paid), *(one.entry for one in settled)]
    context = {
        "invoice": row,
        "payments": paid,
        "settlements": settled,
        "entries": [entry for entry in entries if entry],
        "credit_notes": row.credit_notes.select_related("entry").order_by("id"),
        "attachments": row.attachments.defer("content").order_by("id"),
        "names": account_names(row.company),
        "refused": refused,
        "pay": pay or receipts.payment_form(row),
        "settle": settle or receipts.settlement_form(),
        "kinds": receipts.KINDS,
        "opened": "pay" if pay else "settle" if settle else "",
    }
    return company_page(request, row.company, "invoices", "invoice", context, status=status)


@require_POST
@for_company
def act(request: HttpRequest, company: Company, invoice_id: uuid.UUID) -> HttpResponse:
    """Publish, record or delete the invoice."""
    name = request.POST.get("action", "")
    if name not in PLAIN_ACTS:
        raise Http404
    step, said = PLAIN_ACTS[name]
    if refused := attempt(lambda: step(find(company, invoice_id))):
        return _refused(request, company, invoice_id, refused)
    messages.success(request, str(said))
    if name == "delete":
        return redirect("invoices", company.uuid)
    return redirect("invoice", company.uuid, invoice_id)


def _refused(
    request: HttpRequest, company: Company, invoice_id: uuid.UUID, refused: Refused
) -> HttpResponse:
    row = find(company, invoice_id)
    return _page(request, row, refused=refused, status=HTTPStatus.CONFLICT)


@require_POST
@for_company
def credit(request: HttpRequest, company: Company, invoice_id: uuid.UUID) -> HttpResponse:
    """Draft a credit note over what is left to credit, and show it."""
    made: list[CreditNote] = []
    if refused := attempt(lambda: made.append(crediting.create(find(company, invoice_id)))):
        return _refused(request, company, invoice_id, refused)
    messages.success(request, _("A draft of a credit note is made. Publish it to credit."))
    return redirect("credit-note", company.uuid, made[0].uuid)


@require_POST
@for_company
def pay(request: HttpRequest, company: Company, invoice_id: uuid.UUID) -> HttpResponse:
    """Register a payment of any size; what was typed stays when it cannot be done."""
    form = receipts.payment_form(find(company, invoice_id), request.POST)
    if not form.is_valid():
        row = find(company, invoice_id)
        return _page(request, row, pay=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if refused := attempt(lambda: form.put_on(find(company, invoice_id))):
        row = find(company, invoice_id)
        return _page(request, row, pay=form, refused=refused, status=HTTPStatus.CONFLICT)
    messages.success(request, _("The payment is registered."))
    return redirect("invoice", company.uuid, invoice_id)


@require_POST
@for_company
def settle(request: HttpRequest, company: Company, invoice_id: uuid.UUID) -> HttpResponse:
    form = receipts.settlement_form(request.POST)
    if not form.is_valid():
        row = find(company, invoice_id)
        return _page(request, row, settle=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if refused := attempt(lambda: form.put_on(find(company, invoice_id))):
        row = find(company, invoice_id)
        return _page(request, row, settle=form, refused=refused, status=HTTPStatus.CONFLICT)
    messages.success(request, _("The settlement is registered."))
    return redirect("invoice", company.uuid, invoice_id)


@require_POST
@for_company
def act_on_payment(
    request: HttpRequest, company: Company, invoice_id: uuid.UUID, payment_id: uuid.UUID
) -> HttpResponse:
    """Record or delete a payment."""
    name = request.POST.get("action", "")
    if name not in PAYMENT_ACTS:
        raise Http404
    step, said = PAYMENT_ACTS[name]

    def do() -> None:
        rows = Payment.objects.select_related("invoice__company", "invoice__customer", "entry")
        step(get_object_or_404(rows, invoice=find(company, invoice_id), uuid=payment_id))

    if refused := attempt(do):
        return _refused(request, company, invoice_id, refused)
    messages.success(request, str(said))
    return redirect("invoice", company.uuid, invoice_id)


@require_POST
@for_company
def act_on_settlement(
    request: HttpRequest, company: Company, invoice_id: uuid.UUID, settlement_id: uuid.UUID
) -> HttpResponse:
    """Record or delete a settlement."""
    name = request.POST.get("action", "")
    if name not in SETTLEMENT_ACTS:
        raise Http404
    step, said = SETTLEMENT_ACTS[name]

    def do() -> None:
        rows = Settlement.objects.select_related("invoice__company", "entry")
        step(get_object_or_404(rows, invoice=find(company, invoice_id), uuid=settlement_id))

    if refused := attempt(do):
        return _refused(request, company, invoice_id, refused)
    messages.success(request, str(said))
    return redirect("invoice", company.uuid, invoice_id)


@require_GET
@for_company
def document(_request: HttpRequest, company: Company, invoice_id: uuid.UUID) -> HttpResponse:
    """The invoice as the customer would get it. A draft has none."""
    row = find(company, invoice_id)
    if row.number is None:
        raise Http404
    return file_answer(pdf.invoice(row), PDF, f"faktura-{row.number}.pdf")


@require_GET
@for_company
def attachment(
    _request: HttpRequest, company: Company, invoice_id: uuid.UUID, attachment_id: uuid.UUID
) -> HttpResponse:
    row = get_object_or_404(find(company, invoice_id).attachments, uuid=attachment_id)
    return file_answer(bytes(row.content), row.content_type, row.file_name)
