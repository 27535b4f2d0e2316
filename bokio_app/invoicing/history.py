"""What has happened to an invoice, for its time line: people's acts, steps, lost answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from bokio_app.audit.models import Event
from bokio_app.core.formats import money
from bokio_app.flows.models import Attempt, Flow, FlowState, Step, StepState
from bokio_app.flows.progress import SKIPPED, short_result
from bokio_app.ledger.models import JournalEntry

from .models import Invoice

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Outcome = Attempt.Outcome


@dataclass(frozen=True)
class Happening:
    """One line of the time line; `state` names a glyph, `reference` is Bokio's own."""

    state: str
    title: str
    at: datetime
    detail: str = ""
    who: str = ""
    reference: str = ""


ACTS: dict[str, tuple[str, StrPromise]] = {
    "invoice.drafted": ("draft", gettext_lazy("Draft created")),
    "invoice.draft_saved": ("draft", gettext_lazy("Draft saved")),
    "invoice.started_over": ("draft", gettext_lazy("Gone in Bokio, a draft of ours again")),
    "invoice.file_added": ("draft", gettext_lazy("File added")),
    "invoice.file_removed": ("cancelled", gettext_lazy("File removed")),
    "payment.registered": ("waiting", gettext_lazy("Payment entered")),
    "payment.taken_back": ("cancelled", gettext_lazy("Payment to be taken back")),
    "settlement.taken_back": ("cancelled", gettext_lazy("Settlement to be taken back")),
    "flow.adopted": ("waiting", gettext_lazy("Found in Bokio by a person")),
    "flow.disowned": ("waiting", gettext_lazy("Sending again decided")),
    "flow.handled": ("done", gettext_lazy("Handled in Bokio by a person")),
    "flow.retried": ("waiting", gettext_lazy("Run let go on")),
    "flow.corrected": ("waiting", gettext_lazy("Invoice corrected, run goes on")),
    "flow.cancel_requested": ("cancelled", gettext_lazy("The rest cancelled")),
}
SETTLED: dict[str, StrPromise] = {
    "fee": pgettext_lazy("before an amount", "bank fee"),
    "service_fee": pgettext_lazy("before an amount", "payment service fee"),
    "difference": pgettext_lazy("before an amount", "currency difference"),
}
OUTCOMES: dict[str, tuple[str, StrPromise, StrPromise]] = {
    Outcome.UNKNOWN: (
        "waiting",
        gettext_lazy("No answer came"),
        gettext_lazy("%(step)s. Bokio is read before anything is sent again."),
    ),
    Outcome.ABSENT: (
        "waiting",
        gettext_lazy("Read in Bokio: not there"),
        gettext_lazy("%(step)s."),
    ),
    Outcome.REFUSED: ("stuck", gettext_lazy("Bokio refused"), gettext_lazy("%(step)s.")),
    Outcome.AMBIGUOUS: (
        "needs",
        gettext_lazy("Unclear in Bokio"),
        gettext_lazy("%(step)s. A person must decide."),
    ),
    Outcome.NOT_EXECUTED: (
        "waiting",
        gettext_lazy("Not carried out"),
        gettext_lazy("%(step)s. Nothing was done in Bokio."),
    ),
}


def of_invoice(
    invoice: Invoice, flows: Sequence[Flow], entries: Mapping[str, JournalEntry]
) -> list[Happening]:
    """Everything that has happened, newest first. `flows` have steps and attempts at hand."""
    numbers = {remote_id: entry.number for remote_id, entry in entries.items()}
    found = list(_acts(invoice, flows))
    for flow in flows:
        for step in flow.steps.all():
            found += _step(flow, step, numbers)
            found += [_attempt(flow, step, each) for each in step.attempts.all() if _tells(each)]
    return sorted(found, key=lambda each: each.at, reverse=True)


def _acts(invoice: Invoice, flows: Sequence[Flow]) -> Iterator[Happening]:
    subjects = [f"invoice:{invoice.pk}", *(f"flow:{flow.public_id}" for flow in flows)]
    events = Event.objects.filter(
        tenant_id=invoice.tenant_id, subject__in=subjects, action__in=ACTS
    ).select_related("actor")
    for event in _last_savings(events.order_by("at", "pk")):
        state, title = ACTS[event.action]
        yield Happening(
            state=state,
            title=str(title),
            at=event.at,
            detail=_amounts(event),
            who=str(event.actor or ""),
        )


def _last_savings(events: Iterable[Event]) -> list[Event]:
    """Of savings in a row by one person only the last is worth a line."""
    kept: list[Event] = []
    for event in events:
        saving = event.action == "invoice.draft_saved"
        if (
            saving
            and kept
            and (kept[-1].action, kept[-1].actor_id) == (event.action, event.actor_id)
        ):
            kept.pop()
        kept.append(event)
    return kept


def _amounts(event: Event) -> str:
    if "amount" not in event.data:
        return ""
    amount = money(Decimal(event.data["amount"]), "SEK")
    settled = [(each, Decimal(event.data.get(key, 0))) for key, each in SETTLED.items()]
    kept = [f"{word} {money(sum_of, 'SEK')}" for word, sum_of in settled if sum_of]
    if not kept:
        return f"{amount}."
    return _("%(amount)s and %(kept)s.") % {"amount": amount, "kept": ", ".join(kept)}


def _step(flow: Flow, step: Step, numbers: Mapping[str, str]) -> Iterator[Happening]:
    if step.done_at is None or not step.is_finished:
        return
    skipped = step.state == StepState.SKIPPED
    result = short_result(step, numbers)
    detail = str(SKIPPED.get(step.skip_reason, "")) if skipped else ""
    if ocr := step.result.get("ocr"):
        detail = f"OCR {ocr}."
    yield Happening(
        state="skipped" if skipped else "done",
        title=f"{step.label} · {result}" if result else str(step.label),
        at=step.done_at,
        detail=detail,
        who=str(flow.created_by or ""),
    )


def _tells(attempt: Attempt) -> bool:
    return attempt.outcome == Outcome.FOUND or attempt.outcome in OUTCOMES


def _attempt(flow: Flow, step: Step, attempt: Attempt) -> Happening:
    if attempt.outcome == Outcome.FOUND:
        lost = any(each.outcome == Outcome.UNKNOWN for each in step.attempts.all())
        return Happening(
            state="done",
            title=_("Read in Bokio: it was there"),
            at=attempt.at,
            detail=_("%(step)s. Adopted, not sent again.") % {"step": step.label}
            if lost
            else _("%(step)s. Adopted.") % {"step": step.label},
        )
    state, title, detail = OUTCOMES[attempt.outcome]
    stopped = flow.state == FlowState.STUCK and step.pos == flow.cursor
    return Happening(
        state="needs" if stopped and attempt.outcome == Outcome.NOT_EXECUTED else state,
        title=str(title),
        at=attempt.at,
        detail=str(detail) % {"step": step.label},
        reference=attempt.remote_error_id,
    )
