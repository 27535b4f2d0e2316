"""What became of a line, as `run_invoices` prints it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bokio_app.flows.explain import explain, explain_stop
from bokio_app.flows.models import Flow, FlowState, Step, WaitReason

from .models import BulkLine

REFUSED = "refused"
ACCEPTED = "accepted"  # only checked, by a dry run
BAD = frozenset({REFUSED, FlowState.STUCK, FlowState.CANCELLED})
# Nothing moves by itself any more: a parked flow waits for somebody to renew the connection.
AT_REST = frozenset({FlowState.DONE, FlowState.STUCK, FlowState.CANCELLED, FlowState.PARKED})


@dataclass(frozen=True)
class Outcome:
    """One line of a file. `number` counts from 1, 0 when it is not told; `state` is `refused`,
    `accepted` or a flow's; `ids` are Bokio's.
    """

    reference: str
    state: str
    number: int = 0
    flow: str | None = None
    error: str | None = None
    ids: dict[str, Any] = field(default_factory=dict)

    @property
    def is_bad(self) -> bool:
        """It needs somebody: the command says so with its exit status."""
        return self.state in BAD

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "line": self.number,
            "reference": self.reference,
            "state": self.state,
            "flow": self.flow,
            **NO_IDS,
            **self.ids,
            "error": self.error,
        }


NO_IDS: dict[str, Any] = {
    "customer": None,
    "invoice": None,
    "invoiceNumber": None,
    "paymentReference": None,
    "journalEntry": None,
    "settlements": [],
    "payments": [],
    "creditNote": None,
}


def outcomes_of(lines: Iterable[tuple[int, BulkLine]]) -> Iterator[Outcome]:
    """What has become of accepted lines (number and row with flow, steps and invoice at hand)."""
    for number, line in lines:
        flow = line.flow
        yield Outcome(
            number=number,
            reference=line.reference,
            state=flow.state,
            flow=str(flow.public_id),
            error=_error(flow),
            ids=_ids(line, [*flow.steps.all()]),
        )


def _error(flow: Flow) -> str | None:
    """Why it stands, in one line; what Bokio said of fields is added."""
    if flow.state == FlowState.CANCELLED:
        return "cancelled"
    if flow.state == FlowState.PARKED:
        return str(WaitReason(flow.wait_reason or WaitReason.CONSENT).label)
    if flow.state != FlowState.STUCK:
        return None
    step = next((each for each in flow.steps.all() if each.pos == flow.cursor), None)
    said = explain_stop(flow, step) if step else explain(flow.stuck_code)
    fields = [f"{pointer}: {message}" for pointer, message in step.error_fields] if step else []
    return " ".join([f"{step.op if step else ''}: {said.title}. {said.meaning}", *fields])


def _ids(line: BulkLine, steps: list[Step]) -> dict[str, Any]:
    """Bokio's ids, from the results that the flow's steps have kept."""
    found: dict[str, Any] = {"settlements": [], "payments": []}
    invoice = line.invoice
    if invoice and invoice.customer:
        found["customer"] = invoice.customer.remote_id or None
    for step in sorted(steps, key=lambda each: each.pos):
        _take(found, step.op, step.result)
    return found


def _take(found: dict[str, Any], op: str, result: dict[str, Any]) -> None:
    if not result:
        return
    entry = result.get("journal_entry_id") or None
    match op:
        case "create_invoice":
            found["invoice"] = result["remote_id"]
        case "publish_invoice":
            found["invoiceNumber"], found["paymentReference"] = result["number"], result["ocr"]
            found["journalEntry"] = entry
        case "record_invoice":
            found["journalEntry"] = entry
        case "create_settlement" | "create_payment":
            made = {"id": result["remote_id"], "journalEntry": entry}
            found[op.removeprefix("create_") + "s"].append(made)
        case "record_settlement" | "record_payment":
            found[op.removeprefix("record_") + "s"][-1]["journalEntry"] = entry
        case "credit_invoice" | "publish_credit_note":
            found["creditNote"] = {
                "id": result["remote_id"],
                "number": result["number"],
                "journalEntry": entry,
            }
        case "record_credit_note":
            found["creditNote"]["journalEntry"] = entry
