"""The threads of one worker process, and the flows that it holds while those wait for a permit.

Bokio takes few calls a minute from each company, so most flows wait most of the time. A flow that
must wait a moment stays claimed, but no thread sleeps for it: an alarm wakes it at its moment, and
the thread works for other companies meanwhile.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db import connections

from bokio_app.connections.models import Connection
from bokio_app.core import clock

from . import engine
from .claim import claim
from .executor import may_execute
from .models import Lane, WaitReason
from .queueing import FairQueue
from .turn import Fenced, Turn

log = logging.getLogger(__name__)

IDLE = 5.0  # seconds after which a thread without work gives its database connection back
MOST_WAITING = 1000  # flows that a process keeps in mind; more are other processes' affair
CLICKS_SHARE = 4  # one thread in so many takes nothing but what somebody waits for


@dataclass(frozen=True)
class Look:
    """Claim a flow of a company and work on it; with `spreads`, on as many as may run at once."""

    connection_id: UUID
    tenant_id: int
    urgent: bool
    spreads: bool = False


@dataclass(frozen=True)
class Resume:
    """Go on with a flow that was held; `until` ends its turn, and `then` follows its end."""

    turn: Turn
    until: datetime
    then: Look

    @property
    def tenant_id(self) -> int:
        return self.then.tenant_id

    @property
    def urgent(self) -> bool:
        return self.turn.flow.lane <= Lane.REPAIR


Job = Look | Resume


class Crew:
    """So many threads at most, started as they are needed.

    Companies have their turns flow by flow, and tenants before companies, so that many companies
    of one tenant do not stand before another tenant's only one.
    """

    def __init__(self, *, threads: int) -> None:
        for_clicks = max(threads // CLICKS_SHARE, 1)
        self._most = {True: for_clicks, False: max(threads - for_clicks, 1)}
        self._hands: dict[bool, list[threading.Thread]] = {True: [], False: []}
        self._idle: dict[bool, list[threading.Event]] = {True: [], False: []}
        self._jobs: dict[bool, FairQueue[Job]] = {True: FairQueue(), False: FairQueue()}
        self._looks: set[Look] = set()
        self._resting: dict[tuple[UUID, bool], float] = {}
        self._lock = threading.Lock()
        self._later: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()
        self._earlier = threading.Event()
        self._stopping = threading.Event()
        threading.Thread(target=self._keep_time, name="flow-alarm", daemon=True).start()

    def wake(self, connection_id: UUID, *, urgent: bool) -> None:
        """Look for work of the company soon. Asked again before that has happened, it is once."""
        tenant_id = _tenant_of(connection_id)
        if tenant_id is not None:
            self._add(Look(connection_id, tenant_id, urgent, spreads=True))

    def _add(self, look: Look) -> None:
        with self._lock:
            too_many = len(self._later) >= MOST_WAITING and not look.urgent
            if look in self._looks or too_many or self._is_resting(look):
                return
            self._looks.add(look)
        self._put(look)

    def _is_resting(self, look: Look) -> bool:
        until = self._resting.get((look.connection_id, look.urgent), 0.0)
        return until > time.monotonic()

    def stop(self, *, patience: float) -> None:
        """Let the calls under way end, and give all flows back, within `patience` seconds."""
        self._stopping.set()
        self._earlier.set()
        with self._lock:
            held = [job.turn for _at, _number, job in self._later if isinstance(job, Resume)]
            self._later.clear()
            for event in (*self._idle[True], *self._idle[False]):
                event.set()
            hands = [*self._hands[True], *self._hands[False]]
        for turn in held:
            _give_back(turn)
        ends = time.monotonic() + patience
        for hand in hands:
            hand.join(max(ends - time.monotonic(), 0))

    def _put(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.urgent].put(job, of=job.tenant_id)
            self._call_a_hand(job)

    def _call_a_hand(self, job: Job) -> None:
        """Wake the thread that has been idle the shortest, or start one while there may be more."""
        for only_clicks in (False, True) if job.urgent else (False,):
            if self._idle[only_clicks]:
                self._idle[only_clicks].pop().set()
                return
            if len(self._hands[only_clicks]) < self._most[only_clicks]:
                hand = threading.Thread(
                    target=self._work, args=[only_clicks], name="flow-hand", daemon=True
                )
                self._hands[only_clicks].append(hand)
                hand.start()
                return

    def _put_later(self, job: Job, seconds: float) -> bool:
        """Queue the job so many seconds from now. False when the process is about to end."""
        entry = (time.monotonic() + seconds, next(self._numbers), job)
        with self._lock:
            if self._stopping.is_set():
                return False
            heapq.heappush(self._later, entry)
            is_first = self._later[0] is entry
        if is_first:
            self._earlier.set()
        return True

    def _rest(self, look: Look, seconds: float) -> None:
        """Leave the company alone until then: all that it has to do would be refused as well.

        Each flow that was refused has its own moment, and a look at that; a look that comes while
        another of them still keeps the company resting is followed by that one's.
        """
        key, until = (look.connection_id, look.urgent), time.monotonic() + seconds
        with self._lock:
            self._resting[key] = max(until, self._resting.get(key, 0.0))
        self._put_later(replace(look, spreads=True), seconds)

    def _keep_time(self) -> None:
        """Queue each held flow at its moment."""
        while not self._stopping.is_set():
            due: list[Job] = []
            with self._lock:
                while self._later and self._later[0][0] <= time.monotonic():
                    due.append(heapq.heappop(self._later)[2])
                rest = self._later[0][0] - time.monotonic() if self._later else None
                self._earlier.clear()
            for job in due:
                self._put(job)
            if not due and not self._stopping.is_set():
                self._earlier.wait(rest)

    def _work(self, only_clicks: bool) -> None:
        called = threading.Event()
        while (job := self._next(only_clicks, called)) or not self._stopping.is_set():
            if job:
                self._do(job)
            elif not called.wait(IDLE):
                connections.close_all()
                called.wait()
        connections.close_all()

    def _next(self, only_clicks: bool, called: threading.Event) -> Job | None:
        """The next job. If there is none, `called` will be set when there is."""
        with self._lock:
            for urgent in (True,) if only_clicks else (True, False):
                if self._jobs[urgent]:
                    job = self._jobs[urgent].take()
                    if isinstance(job, Look):
                        self._looks.discard(job)
                    return job
            called.clear()
            self._idle[only_clicks].append(called)
        return None

    def _do(self, job: Job) -> None:
        try:
            if isinstance(job, Resume):
                self._go_on(job)
            elif not self._stopping.is_set():
                self._look(job)
        except Exception:
            log.exception("flow_thread_failed tenant=%s", job.tenant_id)
        finally:
            for connection in connections.all(initialized_only=True):
                if connection.errors_occurred:
                    connection.close()

    def _look(self, look: Look) -> None:
        if self._is_resting(look):
            return
        if not (may_execute() and (flow := claim(look.connection_id, urgent=look.urgent))):
            return
        if look.spreads:
            self._add(look)
        turn = Turn.begin(flow)
        turn.is_held_while_waiting = True
        until = clock.now() + timedelta(seconds=settings.FLOW_TURN)
        self._go_on(Resume(turn, until, then=replace(look, spreads=False)))

    def _go_on(self, job: Resume) -> None:
        rest = engine.go_on(job.turn, until=job.until, stops=self._stopping.is_set)
        if rest is None:
            if not self._stopping.is_set():
                self._put(job.then)
        elif rest.is_held:
            if not self._put_later(job, rest.seconds):
                _give_back(job.turn)
        elif rest.reason != WaitReason.PATH:
            self._rest(job.then, rest.seconds)


def _give_back(turn: Turn) -> None:
    try:
        turn.put_back(not_before=clock.now(), reason=WaitReason.TURN)
    except Fenced:
        log.warning("flow_fenced flow=%s fence=%s", turn.flow.public_id, turn.flow.fence)
    except Exception:
        # Nothing is lost: its lease runs out, and another worker takes it over.
        log.exception("flow_not_given_back flow=%s", turn.flow.public_id)


@lru_cache(maxsize=10_000)
def _tenant_of(connection_id: UUID) -> int | None:
    """Whose the connection is, which never changes; None for one that does not exist."""
    return Connection.objects.filter(pk=connection_id).values_list("tenant_id", flat=True).first()
