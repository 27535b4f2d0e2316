"""The page of one invoice and what can be started from it."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bokio_app.connections.queries import live
from bokio_app.documents.headers import shows_documents
from bokio_app.invoicing import bokios_total, copying, lost, services
from bokio_app.invoicing.overview import Overview, flows_of
from bokio_app.tenants.access import TenantRequest, member

from .editing import start
from .pdf import pane_of_invoice


@require_safe
@shows_documents
@member
def detail(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """Everything known of the invoice; htmx fetches the changing part alone."""
    return page(request, invoice_id)


def page(
    request: TenantRequest, invoice_id: uuid.UUID, *, status: int = 200, **more: Any
) -> HttpResponse:
    """The page of an invoice that the member may see, also as the answer to a refused form."""
    invoices = request.tenant.invoices
    flows = flows_of(get_object_or_404(invoices.only("connection_id"), pk=invoice_id))
    invoice = get_object_or_404(invoices.select_related("connection", "customer"), pk=invoice_id)
    template = "invoicing/_invoice.html" if request.htmx else "invoicing/detail.html"
    context = {
        "view": Overview(invoice, flows),
        "invoice": invoice,
        "connection": invoice.connection,
        "pdf": pane_of_invoice(invoice),
        "request_key": str(uuid.uuid4()),
    }
    return render(request, template, context | more, status=status)


@require_POST
@member
def send(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """Publish and record. Asked twice, it is the same flow."""
    invoice = get_object_or_404(request.tenant.invoices, pk=invoice_id)
    return start(request, invoice, request_key=request.POST.get("request_key", "")[:80])


@require_POST
@member
def start_over(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """Take a draft back that somebody deleted at Bokio."""
    invoice = get_object_or_404(request.tenant.invoices, pk=invoice_id)
    try:
        lost.start_over(invoice, by=request.user)
    except lost.NotLost:
        messages.info(request, _("Nothing was changed: the invoice has moved on meanwhile."))
    else:
        messages.success(request, _("The draft is yours again. Publish it, edit it or delete it."))
    return redirect("invoicing:detail", invoice_id)


@require_POST
@member
def copy(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """A new draft like this invoice, opened in the editor."""
    invoice = get_object_or_404(
        request.tenant.invoices.select_related("connection", "customer"),
        pk=invoice_id,
        connection__in=live(request.tenant),
    )
    key = request.POST.get("request_key", "")[:80]
    made = copying.copy(invoice, by=request.user, request_key=key)
    messages.success(request, _("This is a copy with today's date."))
    return redirect("invoicing:edit", made.pk)


@require_POST
@member
def accept_total(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """Publish with Bokio's total, where that is not ours."""
    invoice = get_object_or_404(request.tenant.invoices, pk=invoice_id)
    try:
        bokios_total.accept(invoice, by=request.user)
    except bokios_total.NotInDoubt:
        messages.info(request, _("Nothing was changed: the invoice has moved on meanwhile."))
    return redirect("invoicing:detail", invoice_id)


@require_POST
@member
def delete(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    invoice = get_object_or_404(request.tenant.invoices, pk=invoice_id)
    try:
        services.delete_draft(invoice, by=request.user)
    except services.NotEditable:
        messages.error(request, _("The draft is on its way to Bokio and cannot be deleted."))
        return redirect("invoicing:detail", invoice_id)
    messages.success(request, _("The draft is deleted."))
    return redirect("invoicing:list")
