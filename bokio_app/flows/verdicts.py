"""What follows when a call gave no result: wait, renew, park, or stop for a person."""

from __future__ import annotations

import logging
import random
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bokio_app.bokio.errors import (
    BokioError,
    ConcurrentWrite,
    Forbidden,
    OutcomeUnknown,
    RateLimited,
    Verdict,
)
from bokio_app.bokio.oauth import OAuthRefused
from bokio_app.connections import budget, grants, roll_call, standing
from bokio_app.connections.causes import Cause
from bokio_app.core import clock

from . import times
from .explain import LACKS_SCOPE
from .limits import limiter
from .models import Attempt, Step, StepState, WaitReason
from .operations import Ambiguous
from .turn import Fenced, Turn

log = logging.getLogger(__name__)

MOST_FAILURES_OF_OURS = 6
PLAN_REST = timedelta(days=1)
QUOTA_REST = timedelta(hours=1)
BROWNOUT_REST = timedelta(hours=1)
RATE_REST = timedelta(seconds=60)
SHORTEST_REST = 1.0
_REASONS = {Cause.PLAN: WaitReason.PLAN, Cause.BROWNOUT: WaitReason.BOKIO_DOWN}


class Yielded(Exception):
    """The flow was put back, parked, stuck or ended: this worker's turn with it is over."""


def wait(turn: Turn, reason: WaitReason) -> None:
    """Put the flow back for a while that grows with each wait in a row."""
    failures = turn.flow.failures + 1
    at = clock.now() + times.backoff(failures)
    turn.put_back(not_before=at, reason=reason, failures=failures)


def react(turn: Turn, step: Step, error: BokioError, *, generation: int) -> None:
    """Go on from an error that proves that nothing was executed."""
    match error.verdict:
        case Verdict.RECONNECT:
            _renew(turn, generation=generation)
            return
        case Verdict.RETRY:
            _retry(turn, error)
        case Verdict.PARK_QUOTA:
            until = _told(error, QUOTA_REST)
            spent = budget.is_used_up(turn.flow.connection, until=until)
            _rest(turn, Cause.BUDGET if spent else Cause.QUOTA, until=until, error=error)
        case Verdict.PARK_PLAN:
            _rest(turn, Cause.PLAN, until=clock.now() + PLAN_REST, error=error)
        case Verdict.BROWNOUT:
            _rest(turn, Cause.BROWNOUT, until=clock.now() + BROWNOUT_REST, error=error)
        case _ if isinstance(error, Forbidden):
            _lacks(turn, step, turn.operation(step).scopes, said=error)
        case _:
            stop(turn, step, error)
    raise Yielded


def could_not_read(turn: Turn, step: Step, error: BokioError, *, generation: int) -> None:
    """A read failed, which leaves everything as it was: try again, or react to the refusal."""
    if isinstance(error, OutcomeUnknown):
        _bokio_is_down(turn)
        raise Yielded
    react(turn, step, error, generation=generation)


def no_token(turn: Turn, error: BokioError) -> None:
    """The token could not be renewed, which says nothing of whether Bokio still lets us in."""
    if error.verdict is Verdict.BROWNOUT:
        _rest(turn, Cause.BROWNOUT, until=clock.now() + BROWNOUT_REST, error=error)
    elif isinstance(error, RateLimited):
        standing.hindered(turn.flow.connection, Cause.TOLD_TO_WAIT)
        wait(turn, WaitReason.TOLD_TO_WAIT)
    elif isinstance(error, OAuthRefused):
        standing.hindered(turn.flow.connection, Cause.REGISTRATION)
        wait(turn, WaitReason.BOKIO_DOWN)
    else:
        _bokio_is_down(turn)


def stop(turn: Turn, step: Step, error: BokioError) -> None:
    """Bokio would refuse the same request again: show a person what it said."""
    turn.stick(step, code=error.code or type(error).__name__, **_words_of(error))


def _words_of(error: BokioError) -> dict[str, Any]:
    return {
        "message": str(error),
        "error_code": error.code or type(error).__name__,
        "error_fields": [[field.pointer, field.message] for field in error.fields],
        "remote_error_id": error.error_id,
    }


def refused_for_good(turn: Turn, step: Step, error: BokioError) -> None:
    """Bokio says that the state forbids it, and a read shows that it has not happened."""
    turn.change(step, state=StepState.PENDING)
    stop(turn, step, error)
    raise Yielded


def ambiguous(turn: Turn, step: Step, proof: Ambiguous, *, seconds: float) -> None:
    """Reading cannot tell whether this step took effect: show a person both sides."""
    seen = turn.log_line(step, Attempt.Outcome.AMBIGUOUS, seconds=seconds)
    turn.change(step, log=seen, last_proof_at=clock.now())
    turn.stick(step, code="ambiguous", message=proof.why, evidence=proof.evidence)
    raise Yielded


def require_scopes(turn: Turn, step: Step) -> None:
    """Stop before anything is sent that the connection has no leave for: Bokio would refuse it,
    and refused requests are counted. A new consent with the permission lets the flow go on.
    """
    given = set(turn.flow.connection.scopes)
    missing = set(turn.operation(step).scopes) - given
    if given and missing:  # where it is not known what was given, Bokio says it
        _lacks(turn, step, missing)
        raise Yielded


def result_taken(turn: Turn) -> None:
    """The object that this step believes to be its own is bound to another step."""
    unsaved, turn.unsaved = turn.unsaved, None
    if unsaved is None:
        failure_of_ours(turn)
        return
    turn.flow.cursor = unsaved.step.pos
    try:
        turn.stick(
            unsaved.step,
            code="bound-elsewhere",
            message=unsaved.done.remote_id,
            state=StepState.UNKNOWN,
            unknown_at=clock.now(),
            evidence=[dict(unsaved.step.result)],
        )
    except Fenced:
        return


def failure_of_ours(turn: Turn) -> None:
    """A defect in this program: try a few times, then stop for a person. Nothing is guessed,
    because a step that was sent stays marked as sent.
    """
    turn.unsaved = None
    # What the failed transaction had set is undone in the database, not in memory.
    turn.flow.refresh_from_db(fields=["cursor", "failures"])
    try:
        if turn.flow.failures >= MOST_FAILURES_OF_OURS and turn.step:
            turn.stick(turn.step, code="internal-error", message="")
        else:
            wait(turn, WaitReason.TURN)
    except Fenced:
        return


def _renew(turn: Turn, *, generation: int) -> None:
    """Refresh once after a refused token. A token that Bokio has just given us and refuses as well
    says that it lets nobody in, unless it also says that the connection is gone.
    """
    if not turn.worn_token:
        turn.worn_token = generation
        return
    connection = turn.flow.connection
    if roll_call.is_gone(connection):
        grants.break_connection(connection, generation=generation, cause=Cause.DISCONNECTED)
        turn.park(WaitReason.CONSENT)
    else:
        _bokio_is_down(turn)
    raise Yielded


def _retry(turn: Turn, error: BokioError) -> None:
    if isinstance(error, RateLimited):
        _rate_limited(turn, error)
    elif isinstance(error, ConcurrentWrite):
        pause = times.scaled(random.uniform(0.3, 1))  # noqa: S311  no secret depends on it
        turn.put_back(not_before=clock.now() + pause, reason=WaitReason.TURN)
    else:
        _bokio_is_down(turn)


def _bokio_is_down(turn: Turn) -> None:
    standing.hindered(turn.flow.connection, Cause.DOWN)
    wait(turn, WaitReason.BOKIO_DOWN)


def _lacks(
    turn: Turn, step: Step, scopes: Collection[str], *, said: Forbidden | None = None
) -> None:
    """Stop until the company has allowed more, and say which permissions that takes, or what
    Bokio `said`.
    """
    words = _words_of(said) if said else {}
    turn.stick(
        step,
        code=LACKS_SCOPE,
        **({"message": ", ".join(sorted(scopes))} | words),
        then=partial(standing.lacks, turn.flow.connection, scopes),
    )


def _rate_limited(turn: Turn, error: RateLimited) -> None:
    """The limiter should have kept us from this: a defect of ours, or a stranger on our token."""
    told = RATE_REST if error.retry_after is None else timedelta(seconds=error.retry_after)
    rest = times.scaled(max(told.total_seconds(), SHORTEST_REST))
    flow = turn.flow
    log.error("rate_limit_hit connection=%s seconds=%s", flow.connection_id, rest.total_seconds())
    limiter.block(flow.connection_id, rest.total_seconds())
    _rest(turn, Cause.TOLD_TO_WAIT, until=clock.now() + rest, error=error)


def _told(error: BokioError, otherwise: timedelta) -> datetime:
    if error.retry_after is None:
        return clock.now() + otherwise
    return clock.now() + timedelta(seconds=max(error.retry_after, SHORTEST_REST))


def _rest(turn: Turn, cause: Cause, *, until: datetime, error: BokioError) -> None:
    """Send nothing more for this company before `until`."""
    code = error.code or type(error).__name__
    grants.block(turn.flow.connection, until=until, code=code, cause=cause)
    turn.put_back(not_before=until, reason=_REASONS.get(cause, WaitReason.TOLD_TO_WAIT))
