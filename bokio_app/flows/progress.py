"""A flow as people see it: each step as a line with a state, a short result and what went wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from bokio_app.connections.overview import resting
from bokio_app.core import clock

from .explain import explain
from .models import Flow, FlowState, Step, StepState, WaitReason

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

# The names of states in the components' templates, which have a glyph and a word each.
STATE_OF_FLOW = {
    FlowState.READY: "waiting",
    FlowState.RUNNING: "running",
    FlowState.PARKED: "waiting",
    FlowState.STUCK: "needs",
    FlowState.DONE: "done",
    FlowState.CANCELLED: "cancelled",
}
WORDS: dict[str, StrPromise] = {
    "waiting": pgettext_lazy("step", "waiting"),
    "running": pgettext_lazy("step", "running"),
    "checking": pgettext_lazy("step", "no answer, checking"),
    "stuck": pgettext_lazy("step", "stopped"),
    "done": pgettext_lazy("step", "done"),
    "skipped": pgettext_lazy("step", "skipped"),
    "cancelled": pgettext_lazy("step", "cancelled"),
}
SKIPPED: dict[str, StrPromise] = {
    "known": gettext_lazy("Bokio has the customer already."),
    "handled": gettext_lazy("A person has seen to it in Bokio."),
    "already_recorded": gettext_lazy("Bokio recorded it by itself, as the company has chosen."),
    "cash_method": gettext_lazy("By the cash method it is recorded when it is paid."),
}


@dataclass(frozen=True)
class Line:
    """One step. `state` names a glyph, `note` explains, `error_id` is Bokio's own reference."""

    label: str
    state: str
    word: str
    result: str = ""
    at: datetime | None = None
    note: str = ""
    error: str = ""
    error_id: str = ""


@dataclass(frozen=True)
class Progress:
    """A flow's lines. `reason` and `until` say why it waits; `until` may be None."""

    flow: Flow
    state: str
    lines: list[Line]
    reason: str
    until: datetime | None

    @property
    def done(self) -> int:
        """How many steps have come to their end."""
        return sum(line.state in {"done", "skipped"} for line in self.lines)

    @property
    def sentence(self) -> str:
        """The whole in one sentence, for those who hear the page."""
        now = next((line for line in self.lines if line.state not in {"done", "skipped"}), None)
        counted = _("%(done)d of %(total)d steps done.") % {
            "done": self.done,
            "total": len(self.lines),
        }
        return f"{counted} {now.label}: {now.word}." if now else counted

    @property
    def version(self) -> str:
        """Changes exactly when what is shown changes."""
        shown = repr((self.state, self.lines, str(self.reason), self.until))
        return hashlib.sha256(shown.encode()).hexdigest()[:16]


def progress_of(flow: Flow) -> Progress:
    """What to show of a flow. Steps that are prefetched are not read again."""
    steps = sorted(flow.steps.all(), key=lambda step: step.pos)
    entries = entry_numbers(flow, steps)
    return Progress(
        flow=flow,
        state=STATE_OF_FLOW[FlowState(flow.state)],
        lines=[_line(flow, step, entries) for step in steps],
        reason=wait_reason(flow),
        until=waits_until(flow),
    )


def wait_reason(flow: Flow) -> str:
    """Why the flow does not go on at the moment; empty when it does or has ended."""
    if flow.state == FlowState.STUCK:
        return explain(flow.stuck_code).title
    if flow.state not in {FlowState.READY, FlowState.PARKED}:
        return ""
    if flow.state == FlowState.READY and (rest := resting(flow.connection)):
        return rest.cause
    if flow.wait_reason:
        return str(WaitReason(flow.wait_reason).label)
    return _("Waiting for a worker.")


def waits_until(flow: Flow) -> datetime | None:
    """When a worker looks at it again; None when that is now, or hangs on something else."""
    if flow.state != FlowState.READY:
        return None
    blocked = flow.connection.blocked_until
    at = max(flow.not_before, blocked) if blocked else flow.not_before
    return at if at > clock.now() else None


def entry_numbers(flow: Flow, steps: Iterable[Step]) -> dict[str, str]:
    """The numbers (`V342`) of the journal entries that steps led to, as far as they are read."""
    ids = [entry for step in steps if (entry := step.result.get("journal_entry_id"))]
    if not ids:
        return {}
    found = flow.connection.journal_entries.filter(remote_id__in=ids)
    return dict(found.values_list("remote_id", "number"))


def short_result(step: Step, entries: Mapping[str, str]) -> str:
    """The one thing worth seeing of a result: a number, a name, or how many were read."""
    if step.state != StepState.DONE:
        return ""
    shown = (step.result.get(key) for key in ("number", "name", "count"))
    recorded = entries.get(step.result.get("journal_entry_id", ""), "")
    return next((str(value) for value in shown if value not in (None, "")), recorded)


def _line(flow: Flow, step: Step, entries: Mapping[str, str]) -> Line:
    state, word = _state(flow, step)
    said = state == "stuck"
    return Line(
        label=str(step.label),
        state=state,
        word=str(WORDS[word]),
        result=short_result(step, entries),
        at=step.done_at,
        note=_note(step),
        error=explain(step.error_code, step.error_message).meaning if said else "",
        error_id=step.remote_error_id if said else "",
    )


def _state(flow: Flow, step: Step) -> tuple[str, str]:
    """The glyph's name and the word's: they differ for a step whose answer was lost."""
    if step.state in {StepState.DONE, StepState.SKIPPED}:
        return step.state, step.state
    at_turn = step.pos == flow.cursor
    if flow.state == FlowState.STUCK and at_turn:
        return "stuck", "stuck"
    if flow.state == FlowState.CANCELLED:
        return "cancelled", "cancelled"
    if step.state == StepState.UNKNOWN:
        return "waiting", "checking"
    if step.state == StepState.SENT or (flow.state == FlowState.RUNNING and at_turn):
        return "running", "running"
    return "waiting", "waiting"


def _note(step: Step) -> str:
    if step.state == StepState.SKIPPED:
        return str(SKIPPED.get(step.skip_reason, ""))
    if step.state == StepState.DONE and step.resolved_by == "person":
        return _("A person pointed at it in Bokio. Compared and adopted.")
    if step.state == StepState.DONE and step.resolved_by == "proof" and step.attempt:
        return _("No answer came. Read in Bokio: it was there. Adopted.")
    if step.state == StepState.DONE and step.resolved_by == "proof":
        return _("Found in Bokio.")
    return ""
