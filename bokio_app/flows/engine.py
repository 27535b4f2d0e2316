"""Carrying out flows: intent committed before a remote call, outcome after, proof before repeat.

`docs/flows.md` tells the whole story; `turn.py` holds the writes, `verdicts.py` what follows
from a refusal.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.errors import BokioError, ConcurrentWrite, StateRefused
from bokio_app.connections import grants
from bokio_app.connections.remote import bokio_for
from bokio_app.core import clock

from . import proving, recovery, times, verdicts
from .limits.asking import Wait
from .limits.gate import Gate, NoRoom
from .models import Attempt, Flow, Step, StepState, WaitReason
from .operations import Ambiguous, Done
from .turn import Fenced, Overtaken, Turn
from .verdicts import Yielded

log = logging.getLogger(__name__)

Outcome = Attempt.Outcome
MOST_ATTEMPTS = 8
TOKEN_LOOK = 0.2  # seconds between two looks for a token that another worker renews
LONGEST_HELD = 5  # seconds; who waits longer is put back, and says why on the pages


@dataclass(frozen=True)
class Rest:
    """Why a turn stopped: no permit, or no token, for so many real seconds. Either the flow is
    held, that is, still claimed and to be gone on with by `go_on`; or it was put back.
    """

    seconds: float
    reason: WaitReason
    is_held: bool


class Resting(Exception):
    """The turn rests for want of a permit or a token."""

    def __init__(self, rest: Rest) -> None:
        super().__init__()
        self.rest = rest


def run(flow: Flow, *, until: datetime) -> None:
    """Work on a claimed flow until it ends, must wait, or the turn's time is up."""
    go_on(Turn.begin(flow), until=until)


def go_on(turn: Turn, *, until: datetime, stops: Callable[[], bool] = lambda: False) -> Rest | None:
    """The same for a turn that has begun; between two steps, `stops` may end it early.

    Tells a `Rest` when it must rest, and None when the flow was given up or has ended.
    """
    flow = turn.flow
    try:
        while clock.now() < until and not stops():
            _go_on(turn)
        turn.put_back(not_before=clock.now(), reason=WaitReason.TURN)
    except Resting as resting:
        return resting.rest
    except Yielded:
        pass
    except Fenced:
        log.warning("flow_fenced flow=%s fence=%s", flow.public_id, flow.fence)
    except IntegrityError:
        verdicts.result_taken(turn)
    except Exception:
        log.exception("flow_failed flow=%s", flow.public_id)
        _give_up(turn)
    return None


def _go_on(turn: Turn) -> None:
    try:
        _advance(turn)
    except Overtaken:
        return  # the next look sees what has changed
    except NoRoom as full:
        raise Resting(_rest(turn, full.wait)) from None


def _rest(turn: Turn, wait: Wait) -> Rest:
    """Keep the flow for a moment, if whoever runs the turn does that, or put it back."""
    pause, reason = timedelta(seconds=wait.seconds), WaitReason(wait.reason)
    longest = _lease_left(turn) if turn.has_looked else times.scaled(LONGEST_HELD)
    is_held = turn.is_held_while_waiting and pause <= longest
    if not is_held:
        turn.put_back(not_before=clock.now() + pause, reason=reason)
    return Rest(wait.seconds, reason, is_held=is_held)


def _lease_left(turn: Turn) -> timedelta:
    until = turn.flow.lease_until
    return until - clock.now() if until else timedelta(0)


def _rest_for_token(turn: Turn) -> Rest:
    """Another worker renews the token, which takes a moment; kept while the lease allows."""
    reason = WaitReason.TOKEN
    still_ours = _lease_left(turn) > timedelta(seconds=settings.FLOW_DEADLINE)
    if turn.is_held_while_waiting and still_ours:
        return Rest(times.scaled(TOKEN_LOOK).total_seconds(), reason, is_held=True)
    pause = times.scaled(1)
    turn.put_back(not_before=clock.now() + pause, reason=reason)
    return Rest(pause.total_seconds(), reason, is_held=False)


def _advance(turn: Turn) -> None:
    step = turn.step
    if step is None:
        turn.finish()
        raise Yielded
    if step.state == StepState.PENDING:
        _stop_if_asked(turn)
    if step.state in {StepState.SENT, StepState.UNKNOWN}:
        _resolve(turn, step)
    elif step.is_finished:
        turn.flow.cursor = step.pos + 1
    elif turn.is_unchecked and not turn.operation(step).reads_only:
        recovery.doubt(turn, step)
    else:
        _perform(turn, step)


def _stop_if_asked(turn: Turn) -> None:
    if turn.cancel_requested():
        turn.cancel()
        raise Yielded


def _perform(turn: Turn, step: Step) -> None:
    """Do a step that no attempt has touched, or whose attempts provably had no effect."""
    operation, ctx = turn.operation(step), turn.context(step)
    if not _is_free(turn, step):
        return
    verdicts.require_scopes(turn, step)
    access = _access(turn)
    if operation.reads_only:
        _read(turn, step, access)
        return
    if operation.looks_first and step.baseline is None:
        step.baseline = operation.known_before(ctx)
        if step.baseline is None and not _look(turn, step, access):
            return
    recovery.wait_for_others(turn)
    _send(turn, step, access)


def _is_free(turn: Turn, step: Step) -> bool:
    """Whether the step is still to be done, and not by another flow just now."""
    operation, ctx = turn.operation(step), turn.context(step)
    if reason := operation.skip(ctx):
        turn.skip(step, reason)
        return False
    if reason := operation.waits_for(ctx):
        turn.put_back(not_before=clock.now() + times.scaled(1), reason=reason)
        raise Yielded
    return True


def _saw_all(turn: Turn, step: Step) -> bool:
    """Whether what was read before sending still holds; if not, the step is to look again."""
    if not turn.operation(step).is_overtaken(turn.context(step)):
        return True
    step.baseline = None
    return False


def _send(turn: Turn, step: Step, access: grants.Access) -> None:
    resending = step.attempt > 0
    if step.attempt >= MOST_ATTEMPTS:
        turn.stick(step, code="too-many-attempts", message="")
        raise Yielded
    operation, gate = turn.operation(step), Gate(turn)
    failure: BokioError | None = None
    with gate.write(operation.address(turn.context(step))):
        # Only whoever holds the address knows that nobody has got ahead since the first look.
        if operation.meets_others and not (_is_free(turn, step) and _saw_all(turn, step)):
            return
        send_by = turn.intend(step)
        bokio = _bokio(turn, access, gate=gate, send_by=send_by)
        started = time.monotonic()
        try:
            done = operation.send(turn.context(step), bokio)
        except BokioError as error:
            failure = error
    if failure:
        seconds = time.monotonic() - started
        _not_done(turn, step, failure, seconds=seconds, access=access, resending=resending)
        return
    attempt = turn.log_line(step, Outcome.SUCCESS, seconds=time.monotonic() - started)
    turn.learn(step, done, by="response", log=attempt)


def _not_done(
    turn: Turn,
    step: Step,
    error: BokioError,
    *,
    seconds: float,
    access: grants.Access,
    resending: bool,
) -> None:
    still_running = isinstance(error, ConcurrentWrite) and resending
    if error.not_executed and not still_running:
        attempt = turn.log_line(step, Outcome.NOT_EXECUTED, seconds=seconds, error=error)
        # Such an attempt does not count. Unless an earlier one is unclear, what existed before
        # sending is read anew, for time may pass until the next try.
        turn.change(
            step,
            log=attempt,
            state=StepState.PENDING,
            attempt=step.attempt - 1,
            baseline=step.baseline if resending else None,
        )
        verdicts.react(turn, step, error, generation=access.generation)
        return
    refused = isinstance(error, StateRefused)
    outcome = Outcome.REFUSED if refused else Outcome.UNKNOWN
    turn.change(
        step,
        log=turn.log_line(step, outcome, seconds=seconds, error=error),
        state=StepState.UNKNOWN,
        unknown_at=clock.now(),
        # A refused resend means that the first request is still being carried out.
        settle_at=times.window(clock.now(), turn.operation(step)).settle_at
        if still_running
        else step.settle_at,
    )
    if refused:
        _prove(turn, step, refusal=error)
    else:
        _check_later(turn, step)


def _resolve(turn: Turn, step: Step) -> None:
    """Settle a step whose last attempt has no known outcome: read, and only then repeat."""
    if step.state == StepState.SENT:
        # The worker that sent it is gone, and with it the answer.
        lost = turn.log_line(step, Outcome.UNKNOWN)
        turn.change(step, log=lost, state=StepState.UNKNOWN, unknown_at=clock.now())
    _prove(turn, step)


def _prove(turn: Turn, step: Step, *, refusal: BokioError | None = None) -> None:
    access = _access(turn)
    turn.extend()
    started, asked_at = time.monotonic(), clock.now()
    try:
        proof, by = proving.prove(turn, step, _bokio(turn, access))
    except BokioError as error:
        verdicts.could_not_read(turn, step, error, generation=access.generation)
        return
    seconds = time.monotonic() - started
    if isinstance(proof, Done):
        found = turn.log_line(step, Outcome.FOUND, seconds=seconds)
        turn.learn(step, proof, by=by, log=found)
    elif isinstance(proof, Ambiguous):
        verdicts.ambiguous(turn, step, proof, seconds=seconds)
    elif refusal:
        verdicts.refused_for_good(turn, step, refusal)
    else:
        _absent(turn, step, asked_at=asked_at, seconds=seconds)


def _absent(turn: Turn, step: Step, *, asked_at: datetime, seconds: float) -> None:
    """Believe that nothing happened only once no late effect is possible any more."""
    settled = step.settle_at is not None and asked_at >= step.settle_at
    reads = step.absent_reads + 1 if settled else 0
    needed = 2 if turn.operation(step).irreversible else 1
    absent = turn.log_line(step, Outcome.ABSENT, seconds=seconds)
    if settled and reads >= needed:
        turn.change(step, log=absent, checked=True, state=StepState.PENDING, absent_reads=reads)
        return
    turn.change(step, log=absent, absent_reads=reads, last_proof_at=asked_at)
    _check_later(turn, step)


def _check_later(turn: Turn, step: Step) -> None:
    at = times.next_proof(step, clock.now())
    turn.put_back(not_before=at, reason=WaitReason.CHECKING)
    raise Yielded


def _look(turn: Turn, step: Step, access: grants.Access) -> bool:
    """Read before the first sending. False when what was wanted exists already."""
    turn.extend()
    _stop_if_asked(turn)
    try:
        before = turn.operation(step).before(turn.context(step), _bokio(turn, access))
    except BokioError as error:
        verdicts.could_not_read(turn, step, error, generation=access.generation)
        return False
    if isinstance(before, Done):
        turn.learn(step, before, by="proof", log=turn.log_line(step, Outcome.FOUND))
        return False
    step.baseline, turn.has_looked = before, True
    return True


def _read(turn: Turn, step: Step, access: grants.Access) -> None:
    turn.extend()
    _stop_if_asked(turn)
    started, step.intent_at = time.monotonic(), clock.now()
    try:
        done = turn.operation(step).send(turn.context(step), _bokio(turn, access))
    except BokioError as error:
        verdicts.could_not_read(turn, step, error, generation=access.generation)
        return
    attempt = turn.log_line(step, Outcome.SUCCESS, seconds=time.monotonic() - started)
    turn.learn(step, done, by="response", log=attempt)


def _bokio(
    turn: Turn, access: grants.Access, *, gate: Gate | None = None, send_by: float | None = None
) -> Bokio:
    """A client whose calls are counted; without a gate of its own it can only read."""
    turn.answer = None
    return bokio_for(
        turn.flow.connection,
        access=access,
        before_call=(gate or Gate(turn)).before_call,
        on_answer=turn.hear,
        send_by=send_by,
    )


def _access(turn: Turn) -> grants.Access:
    if turn.access and turn.access.is_good(worn=turn.worn_token):
        return turn.access
    try:
        turn.access = grants.access(turn.flow.connection, worn=turn.worn_token)
        return turn.access
    except grants.NeedsConsent:
        turn.park(WaitReason.CONSENT)
    except grants.RefreshUnderWay:
        raise Resting(_rest_for_token(turn)) from None
    except BokioError as error:
        verdicts.no_token(turn, error)
    raise Yielded


def _give_up(turn: Turn) -> None:
    """Put the flow back, or if the database cannot be reached, leave it to whoever finds it."""
    try:
        connection.close_if_unusable_or_obsolete()
        verdicts.failure_of_ours(turn)
    except DatabaseError as error:
        log.warning("flow_left flow=%s error=%s", turn.flow.public_id, type(error).__name__)
