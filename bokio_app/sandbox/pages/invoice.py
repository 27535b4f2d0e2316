"""One invoice, and all that a person in Bokio can do with it behind the application's back."""

import uuid
from typing import TypeVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from bokio_app.sandbox import crediting, invoicing, pdf
from bokio_app.sandbox.models import Company, CreditNote, Invoice, Payment, Settlement
from bokio_app.sandbox.pages import receipts
from bokio_app.sandbox.pages.access import for_company
from bokio_app.sandbox.pages.acts import Acts, Refused, attempt, perform, status_of, submit
from bokio_app.sandbox.pages.books import account_names
from bokio_app.sandbox.pages.files import PDF, file_answer
from bokio_app.sandbox.pages.lists import company_page

Receipt = TypeVar("Receipt", Payment, Settlement)
INVOICE_ACTS: Acts[Invoice] = {
    "publish": (invoicing.publish, _("The invoice is published.")),
    "record": (invoicing.record_invoice, _("The invoice is recorded.")),
    "delete": (invoicing.delete_draft, _("The draft is deleted.")),
}
PAYMENT_ACTS: Acts[Payment] = {
    "record": (invoicing.record_payment, _("The payment is recorded.")),
    "delete": (invoicing.delete_payment, _("The payment is deleted.")),
}
SETTLEMENT_ACTS: Acts[Settlement] = {
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
    form: receipts.PaymentForm | receipts.SettlementForm | None = None,
) -> HttpResponse:
    pay = form if isinstance(form, receipts.PaymentForm) else None
    settle = form if isinstance(form, receipts.SettlementForm) else None
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
    status = status_of(refused, typed=form is not None)
    return company_page(request, row.company, "invoices", "invoice", context, status=status)


@require_POST
@for_company
def act(request: HttpRequest, company: Company, invoice_id: uuid.UUID) -> HttpResponse:
    """Publish, record or delete the invoice."""
    if refused := perform(request, INVOICE_ACTS, lambda: find(company, invoice_id)):
        return _page(request, find(company, invoice_id), refused=refused)
    if request.POST["action"] == "delete":
        return redirect("invoices", company.uuid)
    return redirect("invoice", company.uuid, invoice_id)


@require_POST
@for_company
def credit(request: HttpRequest, company: Company, invoice_id: uuid.UUID) -> HttpResponse:
    """Draft a credit note over what is left to credit, and show it."""
    made: list[CreditNote] = []
    if refused := attempt(lambda: made.append(crediting.create(find(company, invoice_id)))):
        return _page(request, find(company, invoice_id), refused=refused)
    messages.success(request, _("A draft of a credit note is made. Publish it to credit."))
    return redirect("credit-note", company.uuid, made[0].uuid)


@require_POST
@for_company
def pay(request: HttpRequest, company: Company, invoice_id: uuid.UUID) -> HttpResponse:
    """Register a payment of any size; what was typed stays when it cannot be done."""
    form = receipts.payment_form(find(company, invoice_id), request.POST)
    return _register(request, company, invoice_id, form, _("The payment is registered."))


@require_POST
@for_company
def settle(request: HttpRequest, company: Company, invoice_id: uuid.UUID) -> HttpResponse:
    form = receipts.settlement_form(request.POST)
    return _register(request, company, invoice_id, form, _("The settlement is registered."))


def _register(
    request: HttpRequest,
    company: Company,
    invoice_id: uuid.UUID,
    form: receipts.PaymentForm | receipts.SettlementForm,
    said: str | Promise,
) -> HttpResponse:
    return submit(
        request,
        form,
        lambda: find(company, invoice_id),
        said=said,
        then=redirect("invoice", company.uuid, invoice_id),
        again=lambda refused: _page(request, find(company, invoice_id), form=form, refused=refused),
    )


@require_POST
@for_company
def act_on_payment(
    request: HttpRequest, company: Company, invoice_id: uuid.UUID, payment_id: uuid.UUID
) -> HttpResponse:
    """Record or delete a payment."""
    rows = Payment.objects.select_related("invoice__company", "invoice__customer", "entry")
    return _act_on(request, company, invoice_id, PAYMENT_ACTS, rows.filter(uuid=payment_id))


@require_POST
@for_company
def act_on_settlement(
    request: HttpRequest, company: Company, invoice_id: uuid.UUID, settlement_id: uuid.UUID
) -> HttpResponse:
    """Record or delete a settlement."""
    rows = Settlement.objects.select_related("invoice__company", "entry")
    return _act_on(request, company, invoice_id, SETTLEMENT_ACTS, rows.filter(uuid=settlement_id))


def _act_on(
    request: HttpRequest,
    company: Company,
    invoice_id: uuid.UUID,
    acts: Acts[Receipt],
    chosen: QuerySet[Receipt],
) -> HttpResponse:
    """Do what was pressed to the `chosen` receipt, if it belongs to the invoice."""

    def receipt() -> Receipt:
        return get_object_or_404(chosen, invoice=find(company, invoice_id))

    if refused := perform(request, acts, receipt):
        return _page(request, find(company, invoice_id), refused=refused)
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
