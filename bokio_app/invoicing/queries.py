"""Reads of customers and invoices, each starting from a company, and what state one is in."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from bokio_app.connections.models import Connection
from bokio_app.core.number_search import with_number
from bokio_app.flows.models import FlowState

from .models import Customer, Invoice

CHOICES = 12
OPEN_STATES = (FlowState.READY, FlowState.RUNNING, FlowState.PARKED, FlowState.STUCK)


def state_of(invoice: Invoice, *, flow_state: str = "") -> str:
    """The one state that needs action first, as `{% glyph %}` names it. `flow_state` is that of
    the flow that works on it now.
    """
    if flow_state == FlowState.STUCK:
        return "needs"
    if invoice.is_draft:
        return "running" if flow_state else "draft"
    return _sent_state(invoice)


def _sent_state(invoice: Invoice) -> str:
    if invoice.status == Invoice.Status.CREDITED:
        return "credited"
    if invoice.overdue_days:
        return "overdue"
    if invoice.open_amount <= 0:
        return "paid"
    if invoice.open_amount < invoice.total:
        return "part-paid"
    return "recorded" if invoice.is_recorded else "published"


def states_of(invoice: Invoice) -> list[str]:
    """All states worth a badge on the invoice's own page."""
    first = state_of(invoice)
    partly = first == "overdue" and invoice.open_amount < invoice.total
    return [first, "part-paid"] if partly else [first]


def customers(connection: Connection, text: str) -> QuerySet[Customer]:
    """The first customers whose name or organisation number holds the text."""
    found = connection.customers.filter(gone_at=None)
    if text:
        found = found.filter(Q(name__icontains=text) | with_number(text, part="startswith"))
    return found[:CHOICES]
