"""Keeping what is typed in the editor: when asked, and by itself every few seconds."""

from __future__ import annotations

import uuid

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bokio_app.audit.models import Event
from bokio_app.core import clock
from bokio_app.core.formats import in_stockholm
from bokio_app.invoicing import services, writing
from bokio_app.invoicing.editor import Editor
from bokio_app.invoicing.inputs import DraftInput
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.more import Writing
from bokio_app.invoicing.writing import Page
from bokio_app.tenants.access import TenantRequest, member


def keep(
    request: TenantRequest, editor: Editor, draft: DraftInput, *, by_itself: bool = False
) -> Invoice:
    """Keep the draft that the editor holds. Raises what the services raise."""
    values = editor.readable_head.cleaned_data
    typed = editor.as_it_stands if by_itself and not editor.is_whole else {}
    page = Page(str(values.get("request_key") or ""), values.get("seq") or 0, typed, by_itself)
    if editor.invoice is None:
        return services.create_draft(
            editor.connection, draft, by=request.user, draft_id=values.get("draft_id"), page=page
        )
    version = values.get("version") or 0
    return services.save_draft(editor.invoice, draft, version=version, by=request.user, page=page)


def autosave(request: TenantRequest, editor: Editor) -> HttpResponse:
    """Keep what is typed, whole or not, and tell the page in JSON: nothing on it is replaced."""
    if editor.invoice is None and not editor.is_begun:
        return JsonResponse({"told": _("Not saved yet")})
    try:
        invoice = keep(request, editor, editor.readable_draft, by_itself=True)
    except services.EditConflict as conflict:
        last = last_saved(conflict.current)
        told = _("%(who)s saved meanwhile. Save to compare.") % {
            "who": (last and last.saved_by) or _("Somebody")
        }
        return JsonResponse({"told": told}, status=409)
    except services.NotEditable:
        told = _("The invoice is at Bokio and cannot be edited any more.")
        return JsonResponse({"told": told}, status=409)
    return JsonResponse(
        {
            "told": _("Saved %(time)s") % {"time": f"{in_stockholm(clock.now()):%H:%M}"},
            "version": invoice.version,
            "address": reverse("invoicing:edit", args=[invoice.pk]),
            "opened": reverse("invoicing:opened", args=[invoice.pk]),
        }
    )


@require_POST
@member
def opened(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """The page says that it is being looked at, and learns who else has the draft open."""
    invoice = get_object_or_404(request.tenant.invoices, pk=invoice_id)
    return JsonResponse({"others": writing.open_for(invoice, request.user)})


def last_saved(invoice: Invoice) -> Writing | None:
    """Who saved the draft last, by what the editor keeps or else by the log."""
    if found := writing.saved_last(invoice):
        return found
    saved = Event.objects.filter(tenant=invoice.tenant_id, subject=f"invoice:{invoice.pk}")
    last = saved.select_related("actor").order_by("-at").first()
    return Writing(saved_by=last.actor, saved_at=last.at) if last else None
