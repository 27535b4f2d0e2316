"""Taking back a payment or a settlement that is not in the books yet."""

from __future__ import annotations

from django.db import transaction

from bokio_app.audit.services import record
from bokio_app.flows import services as flows
from bokio_app.flows.models import Flow
from bokio_app.invoicing.models import Invoice
from bokio_app.invoicing.queries import OPEN_STATES
from bokio_app.tenants.models import User

from .models import Payment, Settlement
from .taking_back import DeletePayment, DeleteSettlement


class CannotTakeBack(Exception):
    """It stays. `code`: `recorded`, `not_there` (Bokio does not have it), `gone` (it was
    taken back meanwhile), `busy`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def problem_of(row: Payment | Settlement) -> str:
    """Why it cannot be taken back, as a code of `CannotTakeBack`; empty if it can.

    What is in the books stays there: an entry is reversed and never deleted. Work that has begun
    with the invoice may be about to record it.
    """
    if row.is_recorded:
        return "recorded"
    if not row.remote_id:
        return "not_there"
    return "busy" if _is_busy(row.invoice) else ""


def take_back(row: Payment | Settlement, *, by: User, request_key: str) -> tuple[Flow, bool]:
    """Delete it in Bokio, and then here. Asked again, the flow that exists is returned with False.

    Raises `CannotTakeBack`.
    """
    operation = DeletePayment if isinstance(row, Payment) else DeleteSettlement
    what = "payment" if isinstance(row, Payment) else "settlement"
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update().get(pk=row.invoice_id)
        same = Flow.objects.filter(tenant_id=invoice.tenant_id)
        same = same.filter(kind=operation.name, business_key__startswith=f"{row.pk}:")
        if earlier := same.filter(state__in=OPEN_STATES).first():
            return earlier, False
        if not (now := type(row).objects.filter(pk=row.pk).first()):
            raise CannotTakeBack("gone")
        row = now
        if problem := problem_of(row):
            raise CannotTakeBack(problem)
        payload = {
            "invoice": str(invoice.pk),
            "remote_invoice": invoice.remote_id,
            f"remote_{what}": row.remote_id,
        }
        flow, is_new = flows.start(
            operation.name,
            connection=invoice.connection,
            steps=[flows.NewStep(operation.name, payload)],
            business_key=f"{row.pk}:{request_key}"[:80],
            resource_key=invoice.resource_key,
            request_key=request_key,
            by=by,
        )
        if is_new:
            record(
                f"{what}.taken_back",
                tenant=invoice.tenant_id,
                subject="invoice",
                subject_id=invoice.pk,
                actor=by,
                amount=str(row.amount),
                day=row.date.isoformat(),
            )
        return flow, is_new


def _is_busy(invoice: Invoice) -> bool:
    """Whether some work with the invoice has not ended, moving or stopped."""
    return Flow.objects.filter(
        connection_id=invoice.connection_id,
        resource_key=invoice.resource_key,
        state__in=OPEN_STATES,
    ).exists()
