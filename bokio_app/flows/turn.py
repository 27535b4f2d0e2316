"""One worker's turn with one flow: every write to its rows, each guarded by the fence."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction

from bokio_app.audit.models import Event
from bokio_app.audit.services import line
from bokio_app.bokio.answers import Answer
from bokio_app.bokio.errors import BokioError
from bokio_app.connections import standing
from bokio_app.connections.grants import Access
from bokio_app.core import clock

from . import answers, times
from .bundles import Bundle, Guard, New, write, write_in_turn
from .epochs import latest
from .models import Attempt, Flow, FlowState, RemoteBinding, Step, StepState
from .operations import OPERATIONS, Done, Operation, StepContext, reads_only
from .rows import Fields
from .signals import flow_cancelled, flow_finished

logger = logging.getLogger(__name__)

Write = Callable[[Guard, Bundle], bool | None]
_ENCODER = DjangoJSONEncoder()


class Fenced(Exception):
    """Another worker owns the flow now; this one must not write anything more."""


class Overtaken(Exception):
    """Nothing was sent, for something has changed that must be looked at first: a person wants
    the flow to stop, or the connection has another pair of tokens, or none that works.
    """


@dataclass
class Unsaved:
    """A result that is known but not yet committed: it joins the next step's intent."""

    step: Step
    done: Done
    resolved_by: str
    log: New | None


@dataclass
class Turn:
    """A claimed flow with its steps, as this worker sees them."""

    flow: Flow
    steps: list[Step]
    unsaved: Unsaved | None = None
    worn_token: int = field(default=0, repr=False)
    access: Access | None = None
    epoch: int = 0
    answer: Answer | None = field(default=None, repr=False)  # the last one, for the attempt log
    is_held_while_waiting: bool = False  # for a permit, by a crew, so that no thread sleeps for it
    has_looked: bool = False  # before the next sending; another turn would have to look again

    @classmethod
    def begin(cls, flow: Flow) -> Turn:
        """Read what belongs to a flow that has just been claimed."""
        now = latest(flow)
        flow.cancel_requested = now.cancel_requested
        return cls(flow=flow, steps=now.steps, epoch=now.epoch, access=now.access)

    @property
    def is_unchecked(self) -> bool:
        """Whether a restore may have lost what the flow did last, and no read has told yet."""
        return self.flow.recovery_epoch < self.epoch

    @property
    def step(self) -> Step | None:
        """The step to work on, or None when all are finished."""
        cursor = self.flow.cursor
        return self.steps[cursor] if cursor < len(self.steps) else None

    @staticmethod
    def operation(step: Step) -> Operation:
        return OPERATIONS[step.op]

    def context(self, step: Step) -> StepContext:
        results = {other.op: other.result for other in self.steps if other.pos < step.pos}
        return StepContext(self.flow, step, results, self.steps)

    def learn(self, step: Step, done: Done, *, by: str, log: New | None = None) -> None:
        """Take a result into memory and move on; `save`, `intend` or `finish` commits it."""
        # Through JSON and back, so that a later step sees what a later worker would see.
        step.result = json.loads(_ENCODER.encode(done.result))
        self.unsaved = Unsaved(step=step, done=done, resolved_by=by, log=log)
        self.worn_token = 0  # the token works
        if self.flow.connection.hindered_by:
            standing.eased(self.flow.connection)
        self.flow.cursor = step.pos + 1

    def save(self) -> None:
        """Commit a result that is still only in memory."""
        if self.unsaved:
            self._write({})

    def intend(self, step: Step) -> float:
        """Commit that this step is about to be sent, with the result of the one before.

        Returns the monotonic second after which the request must not leave any more. Raises
        `Overtaken` if it must not leave at all as things are now, and then nothing is committed.
        """
        started, now = time.monotonic(), clock.now()
        self.has_looked = False
        window = times.window(now, self.operation(step))
        sent: Fields = {
            "state": StepState.SENT,
            "attempt": step.attempt + 1,
            "fence": self.flow.fence,
            "intent_at": now,
            "send_by": window.send_by,
            "settle_at": window.settle_at,
            "unknown_at": None,
            "absent_reads": 0,
            "baseline": step.baseline,
            "error_code": "",
            "error_message": "",
            "error_fields": [],
        }
        self._write(
            {"lease_until": window.lease_until},
            (step, sent),
            generation=self.access.generation if self.access else 0,
        )
        return started + (window.send_by - now).total_seconds()

    def extend(self) -> None:
        """Renew the lease, before reads that may take as long as a write. What is known and not
        yet committed is committed with it.
        """
        self._write({"lease_until": times.lease(clock.now())})

    def cancel_requested(self) -> bool:
        """Whether a person has asked for the flow to stop, as of the last write of this turn.

        One who asks later is heard by `intend`, which then commits nothing.
        """
        return self.flow.cancel_requested

    def change(
        self, step: Step, *, log: New | None = None, checked: bool = False, **fields: Any
    ) -> None:
        """Commit new values of a step, and the attempt that led to them; with `checked`, also
        that the flow stands as the database says.
        """
        flow = {"recovery_epoch": self.epoch} if checked else {}
        self._write(flow, (step, fields), new=[log] if log else [])

    def skip(self, step: Step, reason: str) -> None:
        """There is nothing to do for this step, and we know it from our own copy."""
        skipped = {"state": StepState.SKIPPED, "skip_reason": reason, "done_at": clock.now()}
        self._write({"cursor": step.pos + 1}, (step, skipped))

    def put_back(self, *, not_before: datetime, reason: str, failures: int | None = None) -> None:
        """Give the flow up until a later moment, saying why it waits."""
        self._write(
            {
                "state": FlowState.READY,
                "wait_reason": reason,
                "not_before": not_before,
                "failures": self.flow.failures if failures is None else failures,
                "lease_until": None,
                "lease_owner": "",
            }
        )

    def park(self, reason: str) -> None:
        """Give the flow up until the connection works again."""
        self._write(
            {
                "state": FlowState.PARKED,
                "wait_reason": reason,
                "lease_until": None,
                "lease_owner": "",
            }
        )

    def stick(
        self,
        step: Step,
        *,
        code: str,
        message: str,
        then: Callable[[], object] | None = None,
        **fields: Any,
    ) -> None:
        """Stop: a person must look. The step keeps what Bokio said, with its own code if `fields`
        has one, and what we saw. `then` does what else belongs to the same transaction. Whoever
        cancels a flow has seen where it stands: if it would stop there again, it ends.
        """
        if self.flow.cancel_requested and step.error_code == fields.get("error_code", code):
            self.cancel()
            return
        self._write(
            {
                "state": FlowState.STUCK,
                "stuck_code": code,
                "lease_until": None,
                "lease_owner": "",
                "holds_resource": bool(self.flow.resource_key),
            },
            (step, {"error_code": code, "error_message": message, **fields}),
            new=[self._audit_line("flow.stuck", step=step.op, code=code)],
            then=then,
        )
        logger.warning("flow_stuck flow=%s step=%s code=%s", self.flow.public_id, step.op, code)

    def finish(self) -> None:
        """Commit the last result and end the flow well."""
        unasked = self.flow.created_by_id is None
        quiet = unasked and reads_only(step.op for step in self.steps)
        self._write(
            _ended(FlowState.DONE),
            new=[] if quiet else [self._audit_line("flow.done")],
            then=lambda: flow_finished.send(Flow, flow=self.flow),
        )

    def cancel(self) -> None:
        """End the flow between two steps, because a person asked for it."""
        self._write(
            _ended(FlowState.CANCELLED),
            new=[self._audit_line("flow.cancelled")],
            then=lambda: flow_cancelled.send(Flow, flow=self.flow),
        )

    def hear(self, answer: Answer) -> None:
        """Remember what Bokio has answered, for the next line of the attempt log."""
        self.answer = answer

    def log_line(
        self,
        step: Step,
        outcome: str,
        *,
        seconds: float = 0,
        error: BokioError | None = None,
    ) -> New:
        """An unsaved line of the attempt log, with what Bokio answered last. A reading keeps
        what it reads in rows, not there.
        """
        answer, self.answer = self.answer, None
        if answer and self.operation(step).reads_only:
            answer = None
        line: Fields = {
            "step_id": step.pk,
            "number": step.attempt,
            "fence": self.flow.fence,
            "outcome": outcome,
            "status": error.status if error else 0,
            "code": error.code[:60] if error else "",
            "remote_error_id": error.error_id[:80] if error else "",
            "milliseconds": round(seconds * 1000),
            "answer": answers.kept(answer) if answer else "",
            "at": clock.now(),
        }
        return New(Attempt, line)

    def _write(
        self,
        flow: Fields,
        *steps: tuple[Step, Fields],
        new: Sequence[New] = (),
        then: Callable[[], object] | None = None,
        generation: int | None = None,
    ) -> None:
        """Write to flow and steps if the flow is still ours, and commit the unsaved result with it.

        `new` rows go along. `then` does what else belongs to the same transaction. Without that,
        and without an `apply` of the operation, all of it is one statement.
        """
        bundle = Bundle(flow, [*steps], [*new])
        if self.unsaved:
            self._add_result(bundle, self.unsaved)
        guard = Guard(self.flow.pk, self.flow.fence, generation)
        try:
            self._write_together(guard, bundle, write, then)
        except IntegrityError:
            if not any(change.copy for change in bundle.changes):
                raise
            self._write_together(guard, bundle, write_in_turn, then)
        self.unsaved = None

    def _write_together(
        self, guard: Guard, bundle: Bundle, how: Write, then: Callable[[], object] | None
    ) -> None:
        unsaved = self.unsaved
        applies = unsaved is not None and _applies(self.operation(unsaved.step))
        if not (applies or then):
            self._commit(guard, bundle, how)
            return
        with transaction.atomic():
            self._commit(guard, bundle, how)
            if unsaved and applies:
                operation = self.operation(unsaved.step)
                operation.apply(self.context(unsaved.step), unsaved.done)
            if then:
                _follow(then)

    def _commit(self, guard: Guard, bundle: Bundle, how: Write) -> None:
        told = how(guard, bundle)
        if told is None:
            self._look_again(guard)
        for row, fields in ((self.flow, bundle.flow), *bundle.steps):
            for name, value in fields.items():
                setattr(row, name, value)
        self.flow.cancel_requested = bool(told)

    def _look_again(self, guard: Guard) -> NoReturn:
        """Find out why a write was not made."""
        mine = Flow.objects.filter(pk=guard.flow_id, fence=guard.fence, state=FlowState.RUNNING)
        asked = mine.values_list("cancel_requested", flat=True).first()
        if asked is None or guard.generation is None:
            raise Fenced
        self.flow.cancel_requested, self.access = asked, None
        raise Overtaken

    def _add_result(self, bundle: Bundle, unsaved: Unsaved) -> None:
        step, done = unsaved.step, unsaved.done
        bundle.flow = {"failures": 0, "cursor": self.flow.cursor, **bundle.flow}
        result: Fields = {
            "state": StepState.DONE,
            "result": done.result,
            "remote_id": done.remote_id,
            "intent_at": step.intent_at,  # of a reading, which has no intent: when it asked
            "resolved_by": unsaved.resolved_by,
            "error_code": "",
            "error_message": "",
            "error_fields": [],
            "evidence": [],
            "done_at": clock.now(),
        }
        bundle.steps.insert(0, (step, result))
        bundle.changes = self.operation(step).changes(self.context(step), done)
        object_type = self.operation(step).object_type
        if object_type and done.remote_id:
            bundle.new.append(
                New(
                    RemoteBinding,
                    {
                        "connection_id": self.flow.connection_id,
                        "object_type": object_type,
                        "remote_id": done.remote_id,
                        "step_id": step.pk,
                    },
                )
            )
        if unsaved.log:
            bundle.new.append(unsaved.log)

    def _audit_line(self, action: str, **data: Any) -> New:
        flow = self.flow
        fields = line(
            action,
            tenant=flow.tenant_id,
            subject="flow",
            subject_id=flow.public_id,
            actor=flow.created_by_id,
            kind=flow.kind,
            **data,
        )
        return New(Event, {**fields, "at": clock.now()})


def _follow(then: Callable[[], object]) -> None:
    """Do what follows from a result. What it meets says nothing of the result itself."""
    try:
        then()
    except IntegrityError as error:
        raise RuntimeError("what follows from a result met a row of another's") from error


def _ended(state: FlowState) -> Fields:
    return {
        "state": state,
        "wait_reason": "",
        "stuck_code": "",
        "lease_until": None,
        "lease_owner": "",
        "holds_resource": False,
        "finished_at": clock.now(),
    }


def _applies(operation: Operation) -> bool:
    """Whether more follows from its result than single rows."""
    return type(operation).apply is not Operation.apply
