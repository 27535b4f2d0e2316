"""The engine's way to Bokio: no call without a permit, no write but the one that was intended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.http import Call
from bokio_app.core import clock
from bokio_app.flows.models import Lane
from bokio_app.flows.times import LEASE_MARGIN, scaled
from bokio_app.flows.turn import Turn

from . import limiter
from .asking import Permit, Wait, Want, normalised

IN_PLACE = 1.0  # seconds; a shorter wait is not worth giving the flow up for
MOST_IN_PLACE = 5.0  # seconds of such waits in a row
MOST_WITHIN_A_STEP = 60.0  # seconds; as long as Bokio counts a call, so there is room by then
NAP = 2.0  # seconds after which a long sleeper looks after its lease
WINK = 0.003  # real seconds; a shorter wait is not worth handing the thread on for


class NoRoom(Exception):
    """The call must wait longer than a thread waits for it."""

    def __init__(self, wait: Wait) -> None:
        super().__init__(wait.reason)
        self.wait = wait


class Gate:
    """Permits for the calls of one turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._write: Permit | None = None
        self._has_begun = False

    @contextmanager
    def write(self, address: str) -> Iterator[None]:
        """Hold a permit for one write, such as `POST invoices`, for the length of the block.

        Raises `NoRoom`. A permit that no call has used is given back.
        """
        method, _space, path = address.partition(" ")
        company = self._turn.flow.connection.company_id
        step = self._turn.step
        self._write = self._admitted(
            normalised(method, f"companies/{company}/{path}"),
            with_file=step is not None and self._turn.operation(step).sends_file,
        )
        try:
            yield
        finally:
            unused, self._write = self._write, None
            if unused:
                limiter.done(unused, None)

    def before_call(self, method: str, path: str) -> Callable[[Call], None]:
        """Let a call pass, as `Http` asks before each; what is returned is to hear of its end.

        Raises `NoRoom` for a read that must wait, `Unsendable` for a write that nobody intended.
        """
        if method == "GET":
            self._keep_lease()  # a list of many pages may take longer than one lease
        permit = self._admitted("") if method == "GET" else self._intended(method, path)

        def after(call: Call) -> None:
            limiter.done(permit, call)

        return after

    def _intended(self, method: str, path: str) -> Permit:
        permit, address = self._write, normalised(method, path)
        if permit is None or permit.address != address:
            raise Unsendable(f"No permit was taken for {method}.", code="no-permit")
        self._write = None
        return permit

    def _admitted(self, address: str, *, with_file: bool = False) -> Permit:
        flow = self._turn.flow
        want = Want(
            who=str(flow.public_id),
            lasts=_longest_call(with_file=with_file),
            urgent=flow.lane <= Lane.REPAIR,
            address=address,
        )
        longest, in_all = self._patience()
        patient_until = time.monotonic() + in_all
        while isinstance(answer := limiter.ask(flow.connection_id, want), Wait):
            self._keep_lease()
            too_long = answer.seconds >= longest
            if too_long or time.monotonic() + answer.seconds > patient_until:
                raise NoRoom(answer)
            time.sleep(min(answer.seconds, scaled(NAP).total_seconds()))
        self._has_begun = True
        return answer

    def _patience(self) -> tuple[float, float]:
        """How many real seconds this thread may sleep, for one answer and for all of them.

        Between the calls of one step it sleeps as long as it takes: who gave up there would make
        the first calls again, and again, and use up the room that it waits for. Where nothing was
        read yet, or it is kept, a turn that is held elsewhere frees the thread.
        """
        is_held = self._turn.is_held_while_waiting
        if self._has_begun or (self._turn.has_looked and not is_held):
            longest = scaled(MOST_WITHIN_A_STEP).total_seconds()
            return longest, longest
        if is_held:
            return WINK, scaled(MOST_IN_PLACE).total_seconds()
        return scaled(IN_PLACE).total_seconds(), scaled(MOST_IN_PLACE).total_seconds()

    def _keep_lease(self) -> None:
        """Waits must not use up the time in which the flow is ours."""
        until = self._turn.flow.lease_until
        if until and (until - clock.now()).total_seconds() < settings.FLOW_DEADLINE:
            self._turn.extend()


def _longest_call(*, with_file: bool) -> float:
    """Real seconds from a permit to the end of its call: intent, send guard and deadline."""
    deadline = settings.FLOW_FILE_DEADLINE if with_file else settings.FLOW_DEADLINE
    margin = scaled(LEASE_MARGIN).total_seconds()
    return float(settings.FLOW_SEND_GUARD + deadline + margin)
