"""Drafts that somebody deleted at Bokio before they were published."""

from __future__ import annotations

from django.db import transaction

from bokio_app.audit.services import record
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow, FlowState
from bokio_app.tenants.models import User

from .models import Invoice
from .services import sending_flow

GONE = "not-found"  # Bokio's own code; a gateway's bare 404 says nothing about the invoice


class NotLost(Exception):
    """Bokio has not said that the draft is gone, or somebody has acted on it meanwhile."""


def was_lost(flow: Flow | None) -> bool:
    """Whether the flow stands because Bokio no longer has the draft that it was to publish.

    Only a draft can be deleted at Bokio, so one that is not found was never published.
    """
    if flow is None or flow.state != FlowState.STUCK or flow.stuck_code != GONE:
        return False
    return flow.steps.filter(pos=flow.cursor, op="publish_invoice").exists()


def start_over(invoice: Invoice, *, by: User) -> Invoice:
    """Make a draft that is gone at Bokio ours again, to be edited, deleted or sent anew.

    The stopped flow ends; nothing is sent to Bokio. Raises `NotLost`.
    """
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
        flow = sending_flow(invoice, holding=True)
        if flow is None or not was_lost(flow):
            raise NotLost
        gone, invoice.remote_id, invoice.gone_at = invoice.remote_id, "", None
        invoice.version += 1  # nobody saves over it from a page that shows the earlier state
        invoice.save(update_fields=["remote_id", "gone_at", "version", "updated_at"])
        invoice.attachments.update(remote_id="")  # its files go there anew with it
        flows.abandon(flow, by=by, reason="deleted in Bokio")
        record(
            "invoice.started_over",
            tenant=invoice.tenant_id,
            subject="invoice",
            subject_id=invoice.pk,
            actor=by,
            remote_id=gone,
        )
    return invoice
