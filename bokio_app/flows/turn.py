"""One worker's turn with one flow: every write to its rows, each guarded by the fence."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from bokio_app.audit.services import record
from bokio_app.bokio.errors import BokioError
from bokio_app.core import clock

from . import times
from .epochs import current_epoch
from .models import Attempt, Flow, FlowState, RemoteBinding, Step, StepState
from .operations import OPERATIONS, Done, Operation, StepContext
from .signals import flow_cancelled, flow_finished

logger = logging.getLogger(__name__)


class Fenced(Exception):
    """Another worker owns the flow now; this one must not write anything more."""


@dataclass
class Unsaved:
    """A result that is known but not yet committed: it joins the next step's intent."""

    step: Step
    done: Done
    resolved_by: str
    log: Attempt | None


@dataclass
class Turn:
    """A claimed flow with its steps, as this worker sees them."""

    flow: Flow
    steps: list[Step]
    unsaved: Unsaved | None = None
    worn_token: int = field(default=0, repr=False)
    epoch: int = 0
    is_held_while_waiting: bool = False  # for a permit, by a crew, so that no thread sleeps for it

    @classmethod
    def begin(cls, flow: Flow) -> Turn:
        return cls(flow=flow, steps=list(flow.steps.order_by("pos")), epoch=current_epoch())

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
        return StepContext(flow=self.flow, step=step, results=results)

    def learn(self, step: Step, done: Done, *, by: str, log: Attempt | None = None) -> None:
        """Take a result into memory and move on; `save`, `intend` or `finish` commits it."""
        # Through JSON and back, so that a later step sees what a later worker would see.
        step.result = json.loads(json.dumps(done.result, cls=DjangoJSONEncoder))
        self.unsaved = Unsaved(step=step, done=done, resolved_by=by, log=log)
        self.worn_token = 0  # the token works
        self.flow.cursor = step.pos + 1

    def save(self) -> None:
        """Commit a result that is still only in memory."""
        if self.unsaved:
            with transaction.atomic():
                self._own()

    def intend(self, step: Step) -> float:
        """Commit that this step is about to be sent, with the result of the one before.

        Returns the monotonic second after which the request must not leave any more.
        """
        started, now = time.monotonic(), clock.now()
        window = times.window(now, with_file=self.operation(step).sends_file)
        with transaction.atomic():
            self._own(lease_until=window.lease_until)
            self._set(
                step,
                state=StepState.SENT,
                attempt=step.attempt + 1,
                fence=self.flow.fence,
                intent_at=now,
                send_by=window.send_by,
                settle_at=window.settle_at,
                unknown_at=None,
                absent_reads=0,
                baseline=step.baseline,
                error_code="",
                error_message="",
                error_fields=[],
            )
        return started + (window.send_by - now).total_seconds()

    def extend(self) -> None:
        """Renew the lease, before reads that may take as long as a write."""
        with transaction.atomic():
            self._own(lease_until=times.lease(clock.now()))

    def cancel_requested(self) -> bool:
        """Whether a person has asked for the flow to stop, also since this turn began."""
        self.flow.refresh_from_db(fields=["cancel_requested"])
        return self.flow.cancel_requested

    def change(
        self, step: Step, *, log: Attempt | None = None, checked: bool = False, **fields: Any
    ) -> None:
        """Commit new values of a step, and the attempt that led to them; with `checked`, also
        that the flow stands as the database says.
        """
        with transaction.atomic():
            self._own(**({"recovery_epoch": self.epoch} if checked else {}))
            self._set(step, **fields)
            if log:
                log.save()

    def skip(self, step: Step, reason: str) -> None:
        """There is nothing to do for this step, and we know it from our own copy."""
        with transaction.atomic():
            self._own(cursor=step.pos + 1)
            self._set(step, state=StepState.SKIPPED, skip_reason=reason, done_at=clock.now())

    def put_back(self, *, not_before: datetime, reason: str, failures: int | None = None) -> None:
        """Give the flow up until a later moment, saying why it waits."""
        with transaction.atomic():
            self._own(
                state=FlowState.READY,
                wait_reason=reason,
                not_before=not_before,
                failures=self.flow.failures if failures is None else failures,
                lease_until=None,
                lease_owner="",
            )

    def park(self, reason: str) -> None:
        """Give the flow up until the connection works again."""
        with transaction.atomic():
            self._own(state=FlowState.PARKED, wait_reason=reason, lease_until=None, lease_owner="")

    def stick(self, step: Step, *, code: str, message: str, **fields: Any) -> None:
        """Stop: a person must look. The step keeps what Bokio said and what we saw.

        Whoever cancels a flow has seen where it stands: if it would stop there again, it ends.
        """
        if self.flow.cancel_requested and step.error_code == code:
            self.cancel()
            return
        with transaction.atomic():
            self._own(
                state=FlowState.STUCK,
                stuck_code=code,
                lease_until=None,
                lease_owner="",
                holds_resource=bool(self.flow.resource_key),
            )
            self._set(step, error_code=code, error_message=message, **fields)
            self._audit("flow.stuck", step=step.op, code=code)
        logger.warning("flow_stuck flow=%s step=%s code=%s", self.flow.public_id, step.op, code)

    def finish(self) -> None:
        """Commit the last result and end the flow well."""
        with transaction.atomic():
            self._end(FlowState.DONE)
            self._audit("flow.done")
            flow_finished.send(Flow, flow=self.flow)

    def cancel(self) -> None:
        """End the flow between two steps, because a person asked for it."""
        with transaction.atomic():
            self._end(FlowState.CANCELLED)
            self._audit("flow.cancelled")
            flow_cancelled.send(Flow, flow=self.flow)

    def log_line(
        self,
        step: Step,
        outcome: str,
        *,
        seconds: float = 0,
        error: BokioError | None = None,
    ) -> Attempt:
        """An unsaved line of the attempt log."""
        return Attempt(
            step=step,
            number=step.attempt,
            fence=self.flow.fence,
            outcome=outcome,
            status=error.status if error else 0,
            code=error.code[:60] if error else "",
            remote_error_id=error.error_id[:80] if error else "",
            milliseconds=round(seconds * 1000),
        )

    def _end(self, state: FlowState) -> None:
        self._own(
            state=state,
            wait_reason="",
            stuck_code="",
            lease_until=None,
            lease_owner="",
            holds_resource=False,
            finished_at=clock.now(),
        )

    def _own(self, **fields: Any) -> None:
        """Write to the flow if it is still ours, and commit the unsaved result with it."""
        if self.unsaved:
            fields = {"failures": 0, "cursor": self.flow.cursor, **fields}
        fields.setdefault("fence", self.flow.fence)
        changed = Flow.objects.filter(
            pk=self.flow.pk, fence=self.flow.fence, state=FlowState.RUNNING
        ).update(**fields)
        if not changed:
            raise Fenced
        for name, value in fields.items():
            setattr(self.flow, name, value)
        if self.unsaved:
            self._save_result(self.unsaved)
            self.unsaved = None

    def _save_result(self, unsaved: Unsaved) -> None:
        step, done = unsaved.step, unsaved.done
        operation = self.operation(step)
        self._set(
            step,
            state=StepState.DONE,
            result=done.result,
            remote_id=done.remote_id,
            intent_at=step.intent_at,  # of a reading, which has no intent: when it asked
            resolved_by=unsaved.resolved_by,
            error_code="",
            error_message="",
            error_fields=[],
            evidence=[],
            done_at=clock.now(),
        )
        if operation.object_type and done.remote_id:
            RemoteBinding.objects.create(
                connection_id=self.flow.connection_id,
                object_type=operation.object_type,
                remote_id=done.remote_id,
                step=step,
            )
        if unsaved.log:
            unsaved.log.save()
        operation.apply(self.context(step), done)

    def _set(self, step: Step, **fields: Any) -> None:
        Step.objects.filter(pk=step.pk).update(**fields)
        for name, value in fields.items():
            setattr(step, name, value)

    def _audit(self, action: str, **data: Any) -> None:
        flow = self.flow
        record(
            action,
            tenant=flow.tenant_id,
            subject="flow",
            subject_id=flow.public_id,
            actor=flow.created_by_id,
            kind=flow.kind,
            **data,
        )
