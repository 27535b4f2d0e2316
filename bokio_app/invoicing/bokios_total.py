"""Bokio's total of a draft beside ours, judged before the draft is published."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from bokio_app.bokio.errors import Unsendable
from bokio_app.flows import services as flows
from bokio_app.flows.explain import TOTAL_DIFFERS
from bokio_app.flows.models import Flow, FlowState
from bokio_app.flows.operations import StepContext
from bokio_app.ledger.prediction import is_whole_kronor
from bokio_app.tenants.models import User

from .models import Invoice
from .services import sending_flow

ACCEPTED = "accepted_total"  # in the payload: Bokio's total, which a person has agreed to
CREATE, PUBLISH = "create_invoice", "publish_invoice"
CHANGES_TOTAL = {"add_line_item", "update_draft"}


class NotInDoubt(Exception):
    """The flow does not wait for somebody's word on the total (any more)."""


def require_agreement(ctx: StepContext) -> None:
    """Stop before a draft is published whose total is not what the lines here come to.

    Rounding to whole kronor explains less than 1,00: Bokio's total then is the one to pay. Drafts
    that other steps have changed since have another total than they were made with. Raises
    `Unsendable`.
    """
    ours = _ours(ctx)
    theirs = ctx.results.get(CREATE, {}).get("total")
    if ours is None or theirs is None:
        return
    found, wanted = Decimal(str(theirs)), Decimal(str(ours))
    accepted = ctx.payload.get(ACCEPTED)
    if found == wanted or is_whole_kronor(found, lines=wanted):
        return
    if accepted is None or Decimal(str(accepted)) != found:
        raise Unsendable(f"{wanted} {found}", code=TOTAL_DIFFERS)


def _ours(ctx: StepContext) -> str | None:
    before = [each for each in ctx.steps if each.pos < ctx.step.pos]
    if any(each.op in CHANGES_TOTAL for each in before):
        return None
    made = next((each for each in before if each.op == CREATE), None)
    return made.payload.get("total") if made else None


def is_in_doubt(flow: Flow | None) -> bool:
    """Whether the flow waits for somebody's word on Bokio's total."""
    return flow is not None and flow.state == FlowState.STUCK and flow.stuck_code == TOTAL_DIFFERS


def accept(invoice: Invoice, *, by: User) -> Flow:
    """Publish with Bokio's total, as the draft there has it. Raises `NotInDoubt`."""
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
        flow = sending_flow(invoice, holding=True)
        if flow is None or not is_in_doubt(flow):
            raise NotInDoubt
        steps = {step.op: step for step in flow.steps.all()}
        payload = steps[PUBLISH].payload | {ACCEPTED: steps[CREATE].result["total"]}
        flows.correct(flow, {PUBLISH: payload}, by=by)
    return flow
