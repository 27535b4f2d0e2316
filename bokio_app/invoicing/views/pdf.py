"""The PDF beside an invoice or a credit note: shown, on its way, or to be fetched."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bokio_app.connections.models import Connection
from bokio_app.connections.models import State as ConnectionState
from bokio_app.documents import services as documents
from bokio_app.documents.models import Document
from bokio_app.documents.services import Standing
from bokio_app.invoicing.models import CreditNote, Invoice
from bokio_app.tenants.access import TenantRequest, member

Kind = Document.Kind


@dataclass(frozen=True)
class Pane:
    """What the pane shows; `url` is its own."""

    connection: Connection
    kind: str
    remote_id: str
    name: str
    url: str
    standing: Standing

    @property
    def fetches_itself(self) -> bool:
        """Whether the page asks for it without being told to."""
        is_connected = self.connection.state == ConnectionState.ACTIVE
        return is_connected and self.standing.flow is None and not self.standing.document


def pane_of_invoice(invoice: Invoice) -> Pane | None:
    """The pane of a published invoice. `connection` is at hand."""
    if invoice.is_draft or invoice.is_ours:
        return None
    return _pane(
        invoice.connection,
        Kind.INVOICE,
        invoice.remote_id,
        name=_("Invoice %(number)s") % {"number": invoice.number},
        url=reverse("invoicing:pdf", args=[invoice.pk]),
    )


def pane_of_note(note: CreditNote) -> Pane | None:
    """The pane of a published credit note. `connection` is at hand."""
    if note.is_draft:
        return None
    return _pane(
        note.connection,
        Kind.CREDIT_NOTE,
        note.remote_id,
        name=_("Credit note %(number)s") % {"number": note.number},
        url=reverse("credit_notes:pdf", args=[note.pk]),
    )


def _pane(connection: Connection, kind: str, remote_id: str, *, name: str, url: str) -> Pane:
    standing = documents.standing(connection, kind, remote_id)
    return Pane(connection, kind, remote_id, f"{name}.pdf", url, standing)


@require_http_methods(["GET", "HEAD", "POST"])
@member
def invoice_pdf(request: TenantRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """The pane of an invoice; a post has the PDF fetched, once, if it is not here."""
    mine = request.tenant.invoices.select_related("connection")
    invoice = get_object_or_404(mine, pk=invoice_id)
    back = reverse("invoicing:detail", args=[invoice.pk])
    return _answer(request, lambda: pane_of_invoice(invoice), back=back)


@require_http_methods(["GET", "HEAD", "POST"])
@member
def note_pdf(request: TenantRequest, note_id: int) -> HttpResponse:
    """The pane of a credit note; a post has the PDF fetched, once, if it is not here."""
    mine = request.tenant.credit_notes.select_related("connection")
    note = get_object_or_404(mine, pk=note_id)
    back = reverse("credit_notes:detail", args=[note.pk])
    return _answer(request, lambda: pane_of_note(note), back=back)


def _answer(request: TenantRequest, find: Callable[[], Pane | None], *, back: str) -> HttpResponse:
    pane = find()
    if pane and request.method == "POST":
        documents.fetch(pane.connection, pane.kind, pane.remote_id, name=pane.name, by=request.user)
        pane = find()
    if pane is None or not request.htmx:
        return redirect(back)
    return render(request, "invoicing/_pdf.html", {"pdf": pane})
