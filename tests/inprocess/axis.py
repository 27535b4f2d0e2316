"""The faults of the matrix, as data: what strikes where, and the story that must come of it.

A story is told in words; `expand` says what each stands for in a case. It is complete: these
calls and no others, in this order, and these lines in the attempt log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpcore2
from django.db import OperationalError

from bokio_app.flows import tasks
from bokio_app.flows.models import WaitReason
from bokio_app.flows.operations import OPERATIONS
from tests.flows.cases import CASES, Case

from .cells import Cell

BY_OP = {case.op: case for case in CASES}

RESET = "[Errno 104] Connection reset by peer"
KEPT_ALIVE = 4.0  # seconds after which a call needs a new connection; within the send guard
FROZEN = 300.0  # seconds; beyond every lease and settling
REFRESHED_AGAIN = 2.0  # seconds after which the same refresh token is sent once more
OUTAGE = 30.0  # seconds
QUICK = 0.5  # seconds that a few calls may take
SWEPT = 5.0  # seconds within which work begins once messages arrive again

Arm = Callable[[Cell], None]
Seconds = Callable[[Case], float]
Story = Callable[[Case], str]


def always(_case: Case) -> bool:
    return True


def well(_case: Case) -> str:
    return "done"


@dataclass(frozen=True)
class Strike:
    """One way in which a fault shows.

    `arm` orders it. `after` is how many seconds after the cell's beginning the call comes that
    carries the step on (its answer, its resending or the read that finds it), and `slack` how
    much more it may be. `said` is the reason that the page shows meanwhile. `run` is what happens
    then; `ends` where it ends. `suits` leaves out cases that have no such moment.
    """

    name: str
    arm: Arm
    story: str | Story
    after: Seconds
    slack: float = QUICK
    said: str = ""
    run: Arm = Cell.drive
    ends: Story = well
    stuck_code: str = ""
    consents: int = 0
    from_beginning: bool = False
    suits: Callable[[Case], bool] = always

    def words(self, case: Case) -> list[str]:
        """The story of this case."""
        return (self.story if isinstance(self.story, str) else self.story(case)).split()


@dataclass(frozen=True)
class Fault:
    """A row of the design's table."""

    code: str
    title: str
    strikes: tuple[Strike, ...]


# What follows from a case


def lease(case: Case) -> float:
    """Seconds from an intent to the end of its lease."""
    return 70.0 if OPERATIONS[case.op].sends_file else 40.0


def settled(case: Case) -> float:
    """Seconds from an intent to its resending after an effect that never came."""
    return settle(case) + (5.0 if OPERATIONS[case.op].irreversible else 0.0)


def settle(case: Case) -> float:
    """Seconds from an intent until absence begins to count."""
    return carried_out(case) + (60.0 if OPERATIONS[case.op].by_filter else 0.0)


def carried_out(case: Case) -> float:
    """Seconds from an intent until Bokio carries it out no more."""
    return 125.0 if OPERATIONS[case.op].sends_file else 95.0


def seconds(value: float) -> Seconds:
    return lambda _case: value


def looks(case: Case) -> bool:
    return bool(case.look)


def has_body(case: Case) -> bool:
    """Whether its request has a body, which a connection can die within."""
    bare = ("delete-", "publish-", "record-", "reverse-")
    return not case.call.startswith(bare) and not case.call.endswith(("-publish", "-credit"))


def is_answered_with_body(case: Case) -> bool:
    return not case.call.startswith("delete-")


# What the words of a story stand for

SENDINGS = ("answered", "unclear", "vanished", "doubted")


@dataclass(frozen=True)
class Event:
    """What one word says: calls that Bokio sees, and perhaps a line in the attempt log."""

    calls: tuple[str, ...]
    line: str = ""


def expand(
    words: list[str], case: Case, *, earlier: tuple[str, ...], later: list[str]
) -> list[Event]:
    """The events of a story. `earlier` are the calls before this step in a quiet run, `later`
    the operations of the steps after it.
    """
    absent = Event((case.proof,), "absent")
    write, look = (case.call,), _given(case.look)
    found = (case.proof, *_given(case.compares))
    known = {
        "absent": [absent],
        "ambiguous": [Event(found, "ambiguous")],
        "answered": [Event(write, "success")],
        "doubted": [Event(write, "refused")],
        "earlier": [Event(earlier)],
        "found": [Event(found, "found")],
        "looks": [Event(look)],
        "next": [Event(_orphaned(later))],
        "refused": [Event(write, "not_executed")],
        "rest": [Event(_quietly(later))],
        "settles": [absent] * _reads_to_settle(case),
        "token": [Event(("request-token",))],
        "unclear": [Event(write, "unknown")],
        "unsent": [Event((), "not_executed")],
        "vanished": [Event((), "unknown")],
    }
    return [event for word in words for event in known[word]]


def _given(call: str) -> tuple[str, ...]:
    return (call,) if call else ()


def _reads_to_settle(case: Case) -> int:
    """Soon, later, when settled, and once more for what cannot be taken back."""
    return 4 if OPERATIONS[case.op].irreversible else 3


def _quietly(ops: list[str]) -> tuple[str, ...]:
    """The calls of steps to which nothing happens."""
    return tuple(call for op in ops for call in (*_given(BY_OP[op].look), BY_OP[op].call))


def _orphaned(later: list[str]) -> tuple[str, ...]:
    """The next step's reads, if its intent was committed together with the result before it, and
    nobody knows: once on taking over, and then until absence is certain.
    """
    if not later or BY_OP[later[0]].look:
        return ()
    following = BY_OP[later[0]]
    return (following.proof,) * (1 + _reads_to_settle(following))


# How a fault is ordered


def kill(place: str) -> Arm:
    """The worker's process dies at this place."""
    op = place != "claimed"
    return lambda cell: cell.strikes(cell.points.kill(place, op=cell.case.op if op else ""))


def freeze(place: str) -> Arm:
    """The worker's process stands still at this place, for longer than any lease and settling."""
    op = place != "claimed"
    return lambda cell: cell.strikes(
        cell.points.freeze(place, FROZEN, op=cell.case.op if op else "")
    )


def bokio(kind: str, **params: object) -> Arm:
    """Something goes wrong at Bokio's end with the step's write."""
    return lambda cell: cell.strikes(cell.world.sandbox.add_fault(cell.case.call, kind, **params))


def late(kind: str) -> Arm:
    """Bokio takes longer than our deadline, and ends before the step is settled."""

    def arm(cell: Cell) -> None:
        past_deadline = carried_out(cell.case) - 40.0
        cell.strikes(cell.world.sandbox.add_fault(cell.case.call, kind, seconds=past_deadline))

    return arm


def broken(place: str, error: Exception) -> Arm:
    """A socket fails at this place."""

    def arm(cell: Cell) -> None:
        def fail() -> None:
            raise error

        if place == "connect" and cell.case.look:
            # The look before has left its connection open: let the network close it first.
            wait = cell.harness.kernel.sleep
            cell.points.at("after_intent", lambda: wait(KEPT_ALIVE), op=cell.case.op)
        cell.strikes(cell.points.at(place, fail, op=cell.case.op))

    return arm


def result_not_committed(cell: Cell) -> None:
    cell.strikes(cell.points.fail_commit(op=cell.case.op))


def acknowledgement_lost(cell: Cell) -> None:
    cell.strikes(cell.points.lose_commit(op=cell.case.op))


def database_gone(cell: Cell) -> None:
    """Neither the result nor anything after it can be written by this worker."""
    kernel = cell.harness.kernel

    def lost() -> None:
        back_at = kernel.time + 1

        def still_gone() -> None:
            if kernel.time < back_at:
                raise OperationalError("the database is gone")

        cell.points.at("before_commit", still_gone, times=1_000_000)
        raise OperationalError("the database is gone")

    cell.strikes(cell.points.at("before_result", lost, op=cell.case.op))


def token_expired(cell: Cell) -> None:
    cell.strikes(cell.world.sandbox.add_fault(cell.case.call, "token_expires"))


def refresh_refused(cell: Cell) -> None:
    token_expired(cell)
    refusal = '{"error": "invalid_grant"}'
    cell.strikes(cell.world.sandbox.add_fault("request-token", "status", status=400, body=refusal))


def refresh_lost(*, accepted_again: bool) -> Arm:
    def arm(cell: Cell) -> None:
        cell.world.sandbox.set_switches(refresh_accepts_previous_once=accepted_again)
        token_expired(cell)
        cell.strikes(cell.world.sandbox.add_fault("request-token", "lose_refresh"))

    return arm


def nothing(cell: Cell) -> None:
    """What happens is in `run`."""


# What happens then


def linger(cell: Cell) -> None:
    """Others carry on; in the end whoever was frozen, or late, does what it still can."""
    cell.drive()
    cell.harness.kernel.sleep(2 * FROZEN)


def messages_lost(cell: Cell) -> None:
    """For a while every message to the workers is lost."""
    _until_delivered(cell, cell.harness.bells.lose)


def broker_down(cell: Cell) -> None:
    """Nobody can send a message when the flow is started, nor for a while after."""
    cell.harness.bells.broken = True
    cell.begin()
    _until_delivered(cell, lambda: None)


def messages_tenfold(cell: Cell) -> None:
    """Every message arrives ten times, at ten workers."""
    _stop_after_this_flow(cell)
    tasks.sweep()
    cell.harness.bells.double(10)
    _answer(cell, at_least=10)


def _until_delivered(cell: Cell, lose: Callable[[], object]) -> None:
    bells, kernel = cell.harness.bells, cell.harness.kernel
    _stop_after_this_flow(cell)
    while kernel.time < cell.began + OUTAGE:
        tasks.sweep()
        lose()
        kernel.sleep(2)
    assert cell.calls() == []
    bells.broken = False
    tasks.sweep()
    _answer(cell, at_least=1)


def _answer(cell: Cell, *, at_least: int) -> None:
    """A worker for each message, all at once."""
    bells = cell.harness.bells.take()
    assert len(bells) >= at_least
    workers = [cell.harness.worker(f"worker {n}", bell.answer) for n, bell in enumerate(bells)]
    for worker in workers:
        cell.harness.kernel.join(worker)
    cell.flow.refresh_from_db()


def _stop_after_this_flow(cell: Cell) -> None:
    """What is read afterwards, by flows of their own, is no part of the story."""
    cell.points.kill("claimed", nth=2)


def meddled(cell: Cell) -> None:
    """Somebody does in Bokio what the case says, after an attempt without an answer."""
    cell.one_worker()
    cell.meddle(cell.case.meddle)
    cell.drive()


def meddled_beforehand(cell: Cell) -> None:
    cell.meddle(cell.case.meddle)
    cell.drive()


def removed(cell: Cell) -> None:
    assert cell.case.removes
    cell.meddle(cell.case.removes)
    cell.drive()


def no_answer(cell: Cell) -> None:
    kind = "lose_answer" if cell.case.after_effect else "error_before"
    cell.strikes(cell.world.sandbox.add_fault(cell.case.call, kind))


MEDDLED = {
    "found": "looks unclear found rest",
    "absent": "looks unclear settles answered rest",
    "ambiguous": "looks unclear ambiguous",
}

FAULTS = (
    Fault(
        "F1",
        "killed after claim, before intent",
        (
            Strike("at the claim", kill("claimed"), "looks answered rest", seconds(40)),
            # The dead worker's permit keeps the address for as long as its call might have taken.
            Strike("before the intent", kill("before_intent"), "looks looks answered rest", lease),
        ),
    ),
    Fault(
        "F2",
        "killed after intent, before the first byte",
        tuple(
            Strike(name, kill(place), "looks vanished absent settles answered rest", settled)
            for name, place in (("at the intent", "after_intent"), ("at the wire", "first_byte"))
        ),
    ),
    Fault(
        "F3",
        "connect refused, DNS, TLS failure",
        tuple(
            Strike(
                name,
                broken("connect", httpcore2.ConnectError(text)),
                "looks unsent looks answered rest",
                lambda case: 1.6 + (KEPT_ALIVE if case.look else 0),
                slack=0.8 + QUICK,
                said=WaitReason.BOKIO_DOWN,
            )
            for name, text in (
                ("refused", "[Errno 111] Connection refused"),
                ("no such name", "[Errno -2] Name or service not known"),
                ("no trust", "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"),
            )
        ),
    ),
    Fault(
        "F4",
        "reset while the body is being written",
        tuple(
            Strike(
                name,
                broken(place, httpcore2.WriteError(RESET)),
                "looks vanished settles answered rest",
                settled,
                said=WaitReason.CHECKING,
                suits=suits,
            )
            for name, place, suits in (
                ("within the head", "first_byte", always),
                ("within the body", "body", has_body),
            )
        ),
    ),
    Fault(
        "F5",
        "server commits, connection drops",
        (
            Strike(
                "reset",
                bokio("lose_answer"),
                "looks unclear found rest",
                seconds(2),
                said=WaitReason.CHECKING,
            ),
        ),
    ),
    Fault(
        "F6",
        "server commits, answers 500",
        tuple(
            Strike(name, arm, "looks unclear found rest", seconds(2), said=WaitReason.CHECKING)
            for name, arm in (
                ("500", bokio("error_after")),
                ("502 by a gateway", bokio("bad_gateway", processed=True)),
            )
        ),
    ),
    Fault(
        "F7",
        "server fails before commit, answers 500",
        tuple(
            Strike(
                name,
                arm,
                "looks unclear settles answered rest",
                settled,
                said=WaitReason.CHECKING,
            )
            for name, arm in (
                ("500", bokio("error_before")),
                ("502 by a gateway", bokio("bad_gateway")),
                ("reset", bokio("reset_before")),
            )
        ),
    ),
    Fault(
        "F8",
        "answer after our deadline, commit inside settle",
        (
            Strike(
                "late commit",
                late("delay"),
                "looks unclear absent absent found rest",
                settle,
                said=WaitReason.CHECKING,
                run=linger,
            ),
            Strike(
                "late answer",
                late("delay_after"),
                "looks unclear found rest",
                lambda case: carried_out(case) - 63.0,
                said=WaitReason.CHECKING,
                run=linger,
            ),
        ),
    ),
    Fault(
        "F9",
        "2xx with truncated or foreign body",
        (
            *(
                Strike(
                    kind,
                    bokio(kind),
                    "looks unclear found rest",
                    seconds(2),
                    said=WaitReason.CHECKING,
                    suits=is_answered_with_body,
                )
                for kind in ("truncate", "malformed", "empty")
            ),
            Strike(
                "nothing to truncate",
                bokio("truncate"),
                "looks answered rest",
                seconds(0),
                suits=lambda case: not is_answered_with_body(case),
            ),
            Strike(
                "another server's page",
                bokio("status", status=200, body="<html>Log in to the network</html>"),
                "looks unclear settles answered rest",
                settled,
                said=WaitReason.CHECKING,
            ),
        ),
    ),
    Fault(
        "F10",
        "killed after the response, before the result commit",
        tuple(
            Strike(name, kill(place), "looks unclear found rest", lease)
            for name, place in (
                ("before the answer", "sent"),
                ("after the answer", "after_response"),
                ("at the commit", "before_result"),
            )
        ),
    ),
    Fault(
        "F11",
        "result commit fails or its acknowledgement is lost",
        (
            Strike(
                "fails",
                result_not_committed,
                "looks unclear found rest",
                seconds(1.6),
                slack=0.8 + QUICK,
                said=WaitReason.TURN,
            ),
            Strike("database gone", database_gone, "looks unclear found rest", lease),
            Strike(
                "acknowledgement lost",
                acknowledgement_lost,
                "looks answered next rest",
                seconds(0),
            ),
        ),
    ),
    Fault(
        "F12",
        "429 rate, 429 concurrent, 403 quota",
        (
            Strike(
                "429 rate",
                bokio("rate_limited", retryAfter=20),
                "looks refused looks answered rest",
                seconds(20),
                said=WaitReason.TOLD_TO_WAIT,
            ),
            Strike(
                "429 concurrent",
                bokio("status", status=429, code="concurrent-write"),
                "looks refused looks answered rest",
                seconds(0.3),
                slack=0.7 + QUICK,
                said=WaitReason.TURN,
            ),
            Strike(
                "403 quota",
                bokio("status", status=403, code="quota-exceeded", headers={"Retry-After": "1800"}),
                "looks refused looks answered rest",
                seconds(1800),
                said=WaitReason.TOLD_TO_WAIT,
            ),
        ),
    ),
    Fault(
        "F13",
        "token expired, revoked, refresh refused, refresh answer lost",
        (
            Strike("expired", token_expired, "looks refused token looks answered rest", seconds(0)),
            Strike(
                "refresh answer lost",
                refresh_lost(accepted_again=True),
                "looks refused token token looks answered rest",
                seconds(REFRESHED_AGAIN),
            ),
            *(
                Strike(
                    name,
                    arm,
                    f"looks refused {tokens} looks answered rest",
                    seconds(60 + again),
                    said=WaitReason.CONSENT,
                    consents=1,
                )
                for name, arm, tokens, again in (
                    ("revoked", bokio("connection_revoked"), "token", 0),
                    ("refresh refused", refresh_refused, "token", 0),
                    (
                        "refreshed pair lost",
                        refresh_lost(accepted_again=False),
                        "token token",
                        REFRESHED_AGAIN,
                    ),
                )
            ),
        ),
    ),
    Fault(
        "F14",
        "owner frozen beyond lease and settle, then resumes",
        (
            Strike(
                "at the claim", freeze("claimed"), "looks answered rest", seconds(75), run=linger
            ),
            Strike(
                "before sending",
                freeze("after_intent"),
                "looks vanished absent settles answered rest",
                settled,
                run=linger,
            ),
            *(
                Strike(name, freeze(place), "looks unclear found rest", seconds(75), run=linger)
                for name, place in (("after sending", "sent"), ("at the answer", "answer"))
            ),
        ),
    ),
    Fault(
        "F15",
        "message lost, duplicated ten times, broker down when created",
        (
            Strike(
                "lost",
                nothing,
                "looks answered rest",
                seconds(OUTAGE),
                slack=SWEPT,
                run=messages_lost,
            ),
            Strike("tenfold", nothing, "looks answered rest", seconds(0), run=messages_tenfold),
            Strike(
                "broker down",
                nothing,
                "earlier looks answered rest",
                seconds(OUTAGE),
                slack=SWEPT,
                run=broker_down,
                from_beginning=True,
            ),
        ),
    ),
    Fault(
        "F16",
        "a person changed or deleted the object meanwhile",
        (
            Strike(
                "meanwhile",
                no_answer,
                lambda case: MEDDLED[case.meddled],
                lambda case: settled(case) if case.meddled == "absent" else 2,
                said=WaitReason.CHECKING,
                run=meddled,
                ends=lambda case: case.ends,
                stuck_code="ambiguous",
            ),
            Strike(
                "beforehand",
                nothing,
                lambda case: case.beforehand,
                seconds(0),
                run=meddled_beforehand,
                suits=lambda case: bool(case.beforehand),
            ),
            Strike(
                "removed",
                nothing,
                lambda case: "looks" if case.look else "refused",
                seconds(0),
                run=removed,
                ends=lambda _case: "stuck",
                stuck_code="not-found",
                suits=lambda case: case.removes is not None,
            ),
        ),
    ),
)
