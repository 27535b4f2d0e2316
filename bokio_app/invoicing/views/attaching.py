"""Files of a draft: attached to it and taken off again, from the page of the invoice."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bokio_app.bokio.attachments import LARGEST_ATTACHMENT
from bokio_app.documents.headers import shows_documents
from bokio_app.invoicing import attaching
from bokio_app.invoicing.models import Invoice
from bokio_app.tenants.access import TenantRequest, member

from .detail import page


@require_http_methods(["GET", "HEAD", "POST"])
@shows_documents
@member
def attach(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """Attach the file that was chosen; one that is refused is told of beside its field. The
    address of a refusal, read again, is that of the invoice.
    """
    invoice = get_object_or_404(request.tenant.invoices, pk=invoice_id)
    if request.method == "POST" and (code := _refused(request, invoice)):
        why = attaching.WHY[code]
        return page(request, invoice_id, status=422, file_refused=why)
    return redirect("invoicing:detail", invoice_id)


def _refused(request: TenantRequest, invoice: Invoice) -> str:
    """Attach it, or say why not."""
    file = request.FILES.get("file")
    if file is None:
        return "none"
    if (file.size or 0) > LARGEST_ATTACHMENT:  # and is not read
        return "too_large"
    try:
        attaching.attach(
            invoice,
            name=file.name or "",
            content=file.read(),
            by=request.user,
            request_key=request.POST.get("request_key", "")[:80],
        )
    except attaching.NotAttachable as refused:
        return refused.code
    messages.success(request, _("The file is attached."))
    return ""


@require_POST
@member
def detach(request: TenantRequest, invoice_id: uuid.UUID, attachment_id: uuid.UUID) -> HttpResponse:
    """Take a file off the draft."""
    invoice = get_object_or_404(request.tenant.invoices, pk=invoice_id)
    try:
        flow = attaching.detach(invoice, attachment_id, by=request.user)
    except attaching.NotAttachable as refused:
        messages.error(request, attaching.WHY[refused.code])
    else:
        if flow is None:
            messages.success(request, _("The file is removed."))
    return redirect("invoicing:detail", invoice_id)
