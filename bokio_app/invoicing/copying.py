"""A new draft that begins as a copy of an invoice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid5

from bokio_app.core import clock
from bokio_app.tenants.models import User

from . import services
from .models import Invoice


def copy(invoice: Invoice, *, by: User, request_key: str) -> Invoice:
    """Make a draft of today with the invoice's customer, lines and terms; Bokio learns nothing.

    Asked again with the same key, the copy that was made is returned, whatever it says by now. A
    customer that Bokio no longer has is left out, and so is the rate of another day.
    """
    draft = services.draft_of(invoice)
    today, customer = clock.today(), draft.customer
    if customer and customer.gone_at:
        customer = None
    due = today + (draft.due_date - draft.invoice_date) if draft.due_date else None
    if due and due < today:
        due = today
    new = replace(
        draft,
        customer=customer,
        invoice_date=today,
        due_date=due,
        more=replace(draft.more, rate=Decimal(1)),
    )
    draft_id: UUID = uuid5(invoice.pk, request_key)
    try:
        return services.create_draft(invoice.connection, new, by=by, draft_id=draft_id)
    except services.EditConflict as made:
        return made.current
