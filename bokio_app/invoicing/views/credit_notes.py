"""Pages of credit notes: the list, of one company or of all, and one note."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe

from bokio_app.connections.models import Connection
from bokio_app.core import clock
from bokio_app.documents.headers import shows_documents
from bokio_app.invoicing import credit_overview, crediting
from bokio_app.invoicing.credit_forms import problem_text
from bokio_app.invoicing.credit_overview import NoteOverview
from bokio_app.invoicing.models import CreditNote
from bokio_app.ledger.queries import fiscal_year_of
from bokio_app.tenants.access import TenantRequest, member

from .pdf import pane_of_note

VIEWS = (
    ("all", pgettext_lazy("credit notes", "All")),
    ("draft", gettext_lazy("Drafts")),
    ("unrecorded", gettext_lazy("Not recorded")),
)


@require_safe
@member
def note_list(request: TenantRequest) -> HttpResponse:
    """Of all companies. `?view=` narrows the list; `?before=` asks for the rows that follow."""
    return _list(request, company=None)


@require_safe
@member
def company_list(request: TenantRequest, connection_id: uuid.UUID) -> HttpResponse:
    """Of one company."""
    company = get_object_or_404(request.tenant.connections, pk=connection_id)
    return _list(request, company=company)


@require_safe
@shows_documents
@member
def detail(request: TenantRequest, note_id: int) -> HttpResponse:
    """Everything known of the note; htmx fetches the changing part alone."""
    note = _note(request, note_id)
    invoice = credit_overview.invoice_of(note)
    flows = credit_overview.flows_of(note, invoice) if invoice else []
    note = _note(request, note_id)  # of a flow that has ended by now, the note has all
    template = "invoicing/_credit_note.html" if request.htmx else "invoicing/credit_note.html"
    context = {
        "view": NoteOverview(note, invoice, flows),
        "note": note,
        "invoice": invoice,
        "connection": note.connection,
        "pdf": pane_of_note(note),
        "request_key": str(uuid.uuid4()),
    }
    return render(request, template, context)


@require_POST
@member
def finish(request: TenantRequest, note_id: int) -> HttpResponse:
    """Publish and record, or record. Asked twice, it is the same flow."""
    return _work(request, note_id, crediting.finish)


@require_POST
@member
def delete(request: TenantRequest, note_id: int) -> HttpResponse:
    """Delete a draft in Bokio. Asked twice, it is the same flow."""
    return _work(request, note_id, crediting.delete)


def _work(request: TenantRequest, note_id: int, start: Callable[..., Any]) -> HttpResponse:
    note = _note(request, note_id)
    invoice = credit_overview.invoice_of(note)
    if invoice is None:
        messages.error(request, _("The invoice is not here yet. Read from Bokio first."))
        return redirect("credit_notes:detail", note.pk)
    key = request.POST.get("request_key", "")[:80] or str(uuid.uuid4())
    try:
        _flow, is_new = start(note, invoice, by=request.user, request_key=key)
        if not is_new:
            messages.info(request, _("This was asked for before. Nothing more was started."))
    except crediting.CannotCredit as refused:
        for _field, code in refused.problems:
            messages.error(request, problem_text(code))
    return redirect("credit_notes:detail", note.pk)


def _note(request: TenantRequest, note_id: int) -> CreditNote:
    mine = request.tenant.credit_notes.select_related("connection")
    return get_object_or_404(mine, pk=note_id)


def _list(request: TenantRequest, *, company: Connection | None) -> HttpResponse:
    view = request.GET.get("view", "all")
    view = view if view in credit_overview.VIEWS else "all"
    before = credit_overview.read_mark(request.GET.get("before", ""))
    page = credit_overview.find_notes(request.tenant, company=company, view=view, before=before)
    context = {
        "page": page,
        "company": company,
        "year": fiscal_year_of(company, clock.today()) if company else None,
        "view": view,
        "views": [(label, _link(name), name) for name, label in VIEWS],
        "next_url": _link(view, before=page.next) if page.next else "",
        "first_url": _link(view) if before else "",
    }
    return render(request, "invoicing/credit_notes.html", context)


def _link(view: str, *, before: str = "") -> str:
    parts = {"view": view if view != "all" else "", "before": before}
    return "?" + urlencode({name: value for name, value in parts.items() if value})
