"""What can come between us and a company: how it is brought about, and how it ends.

Each row is played by `test_failures.py`, once with a run that was queued before, and once with
nothing but the daily check; `failures_table.py` makes `docs/failures.md` of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bokio_app.connections.causes import Cause
from bokio_app.flows.models import FlowState
from tests.support.sandbox_client import ALL_SCOPES

from . import strikes
from .play import A_WHILE, Play

NO_WRITING = tuple(each for each in ALL_SCOPES if each != "invoices:write")

READY, PARKED, STUCK = FlowState.READY, FlowState.PARKED, FlowState.STUCK
BROKE, RECOVERED, LASTING = "broke", "recovered", "lasting"
WAITS = {
    READY: "waits, and goes on by itself",
    PARKED: "is parked, and goes on by itself",
    STUCK: "stops, and goes on by itself",
}


@dataclass(frozen=True)
class Failure:
    """A row: `injected` and `ends` in words, `strike` and `mend` what they do. `flow` is how the
    queued run stands meanwhile, `told` the notices from beginning to end. `work` is how long
    workers try before people look; `daily` whether the daily check finds it too.
    """

    name: str
    injected: str
    strike: Callable[[Play], object]
    cause: Cause
    ends: str
    mend: Callable[[Play], object]
    flow: FlowState = READY
    told: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    work: timedelta = A_WHILE
    daily: bool = True


NEEDS_ONE = (BROKE, RECOVERED)


FAILURES = (
    Failure(
        "revoked",
        "Access ended in Bokio, met by the next call: `invalid_grant`",
        strikes.revoked,
        Cause.REVOKED,
        "reconnect",
        Play.consent,
        flow=PARKED,
        told=NEEDS_ONE,
        daily=False,  # that finds it in another way, as the next row says
    ),
    Failure(
        "disconnected",
        "Access ended in Bokio, found by the daily check: gone from Bokio's list",
        strikes.swept_after_revoking,
        Cause.DISCONNECTED,
        "reconnect",
        Play.consent,
        flow=PARKED,
        told=NEEDS_ONE,
    ),
    Failure(
        "unauthorised",
        "401 to every call, also with a new token",
        strikes.unauthorised,
        Cause.DOWN,
        "by itself",
        strikes.back,
    ),
    Failure(
        "refresh lost",
        "The answer to a refresh lost, and the old token spent by it",
        strikes.refresh_lost,
        Cause.REVOKED,
        "reconnect",
        Play.consent,
        flow=PARKED,
        told=NEEDS_ONE,
    ),
    Failure(
        "other company",
        "A refresh answered with another company's tokens",
        strikes.other_company,
        Cause.OTHER_COMPANY,
        "reconnect",
        strikes.clear_and_consent,
        flow=PARKED,
        told=NEEDS_ONE,
    ),
    Failure(
        "token refused",
        "A private integration ended in Bokio: 401",
        strikes.token_revoked,
        Cause.TOKEN_REFUSED,
        "a new token pasted",
        strikes.new_token,
        flow=PARKED,
        told=NEEDS_ONE,
        private=ALL_SCOPES,
    ),
    Failure(
        "plan",
        "A plan without the API: 403 `price_plan_feature_required`",
        strikes.plan("basic"),
        Cause.PLAN,
        "the plan changed, and *Look again now*",
        strikes.plan_and_look,
        told=NEEDS_ONE,
    ),
    Failure(
        "plan, waited",
        "The same, and nobody tells us that the plan has changed",
        strikes.plan("basic"),
        Cause.PLAN,
        "by itself, a day later",
        strikes.plan_and_wait,
        told=NEEDS_ONE,
    ),
    Failure(
        "permission not given",
        "A consent without a permission that the run needs",
        strikes.less_allowed,
        Cause.SCOPE,
        "one permission more allowed",
        strikes.ask_for_more,
        flow=STUCK,
        told=NEEDS_ONE,
        daily=False,
    ),
    Failure(
        "permission refused",
        "403 without a word, to a permission that was asked for",
        strikes.refused_without_word,
        Cause.SCOPE,
        "reconnect",
        strikes.clear_and_consent,
        flow=STUCK,
        told=NEEDS_ONE,
    ),
    Failure(
        "token lacks a permission",
        "A private integration without a permission: 403",
        lambda _play: None,
        Cause.SCOPE,
        "a new token pasted",
        strikes.new_token,
        flow=STUCK,
        told=NEEDS_ONE,
        private=NO_WRITING,
        daily=False,
    ),
    Failure(
        "budget used up",
        "A private integration's calls of the month used up: 403 `quota-exceeded`",
        strikes.used_up,
        Cause.BUDGET,
        "connected by consent",
        strikes.by_consent,
        told=NEEDS_ONE,
        private=ALL_SCOPES,
    ),
    Failure(
        "budget, waited",
        "The same, and nobody does anything",
        strikes.used_up,
        Cause.BUDGET,
        "by itself, in the new month",
        strikes.new_month,
        told=NEEDS_ONE,
        private=ALL_SCOPES,
    ),
    Failure(
        "quota",
        "The day's quota of failed calls spent: 403 `quota-exceeded`",
        strikes.too_many_failed,
        Cause.QUOTA,
        "by itself, at midnight",
        strikes.midnight,
        daily=False,
    ),
    Failure(
        "rate",
        "429 with a time to wait",
        strikes.limit_reached,
        Cause.TOLD_TO_WAIT,
        "by itself, when that time is over",
        strikes.back,
        work=timedelta(seconds=5),
    ),
    Failure(
        "brownout 410",
        "A brownout: 410 `version_sunset_brownout`",
        strikes.brownout(410),
        Cause.BROWNOUT,
        "by itself, within an hour of its end",
        strikes.brownout_ends,
    ),
    Failure(
        "brownout 426",
        "A brownout: 426",
        strikes.brownout(426),
        Cause.BROWNOUT,
        "by itself, within an hour of its end",
        strikes.brownout_ends,
    ),
    Failure(
        "refuses connections",
        "Connections refused",
        strikes.refuses_connections,
        Cause.DOWN,
        "by itself",
        strikes.back,
    ),
    Failure(
        "error 500",
        "500 to every call",
        strikes.answers("error_before"),
        Cause.DOWN,
        "by itself",
        strikes.back,
    ),
    Failure(
        "bad gateway",
        "502 with a page of HTML",
        strikes.answers("bad_gateway"),
        Cause.DOWN,
        "by itself",
        strikes.back,
    ),
    Failure(
        "unavailable",
        "503 to every call",
        strikes.answers("status", status=503, body=""),
        Cause.DOWN,
        "by itself",
        strikes.back,
    ),
    Failure(
        "no answer",
        "No answer within the time that we wait",
        strikes.answers("delay", seconds=90),
        Cause.DOWN,
        "by itself",
        strikes.back,
        work=timedelta(minutes=30),
    ),
    Failure(
        "answers lost",
        "Every answer lost on its way",
        strikes.answers("lose_answer"),
        Cause.DOWN,
        "by itself",
        strikes.back,
    ),
    Failure(
        "down for long",
        "Connections refused for longer than `CONNECTIONS_TELL_AFTER`",
        strikes.refuses_connections,
        Cause.DOWN,
        "by itself",
        strikes.back,
        work=timedelta(hours=3),
        told=(LASTING, RECOVERED),
    ),
    Failure(
        "tokens down",
        "A worn token, and 502 to every refresh",
        strikes.token_answers("bad_gateway"),
        Cause.DOWN,
        "by itself",
        strikes.back,
    ),
    Failure(
        "refused in a row",
        "Five other invoices refused alike: our own breaker",
        strikes.refused_in_a_row,
        Cause.PAUSED,
        "by itself, after a quarter of an hour",
        strikes.back,
        daily=False,
    ),
    Failure(
        "wrong secret",
        "Our own client secret refused: 401 `invalid_client`",
        strikes.wrong_secret,
        Cause.REGISTRATION,
        "the operator sets the right one",
        strikes.right_secret,
    ),
)
