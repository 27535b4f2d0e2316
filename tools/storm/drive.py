"""Leading through a storm: orders and deeds side by side, then waiting until all is quiet."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.db.models import Count, Q
from django.db.models.functions import Now

from bokio_app.connections.models import Connection
from bokio_app.flows.models import FlowState, Step, StepState

from .feeding import Office, moving_flows, surely
from .scene import Scene
from .wanted import Wanted
from .weather import REFRESH, lose_a_refresh, strikes

TICK = 0.2
OPEN_PER_COMPANY = 6  # flows that wait or run: enough to keep every worker busy
GAP = (0.1, 1.5)  # seconds between two deeds at least, whatever the speed of the work
WINDOW = 60.0  # seconds, scaled: Bokio's rolling window
GRACE = 180.0  # seconds, scaled: from the last fault, or from when the limit lets all through


class GaveUp(Exception):
    """The storm took longer than it was given."""


@dataclass
class Course:
    """What has happened. Moments are monotonic seconds; `quiet_at` is None if it never came."""

    began_at: float
    deeds: Counter[str] = field(default_factory=Counter)
    strikes: Counter[str] = field(default_factory=Counter)
    last_fault_at: float = 0.0
    limit_alone: float = 0.0
    quiet_at: float | None = None

    @property
    def to_quiet(self) -> float | None:
        """Seconds from the later of last fault and limit to the end of the last flow."""
        if self.quiet_at is None:
            return None
        return max(self.quiet_at - self.last_fault_at - self.limit_alone, 0.0)

    @property
    def told_quiet(self) -> str:
        """The same in words."""
        return "never" if self.to_quiet is None else f"{self.to_quiet:.1f}"


@dataclass
class Drive:
    """One storm over one scene: `wanted` is ordered while `deeds` are done, in their order."""

    scene: Scene
    office: Office
    wanted: Sequence[Wanted]
    deeds: Sequence[str]
    gives_up_at: float
    say: Callable[[str], None]
    fed: int = 0

    def run(self, course: Course) -> None:
        """Everything ordered and done, until no flow moves any more. Raises `GaveUp`."""
        lots = random.Random(self.scene.seed)  # noqa: S311  # meant to be repeatable
        done, due = 0, time.monotonic()
        while done < len(self.deeds) or self.fed < len(self.wanted):
            self._tick()
            next_deed = self.deeds[done] if done < len(self.deeds) else ""
            if next_deed and not self.scene.may(next_deed):
                time.sleep(TICK)
            elif self.fed < self._goal(done):
                self._feed(self._goal(done))
                due = time.monotonic() + lots.uniform(*GAP)  # while the new flows are under way
            elif time.monotonic() < due:
                time.sleep(TICK / 4)
            else:
                self._do(next_deed, course)
                done += 1
                due = time.monotonic() + lots.uniform(*GAP)
                self._tell(course)
        self._calm(course)
        self._until_quiet(course)

    def _do(self, deed: str, course: Course) -> None:
        if deed == REFRESH:
            self._lose_a_refresh()
        else:
            self.scene.do(deed)
        course.deeds[deed] += 1
        course.last_fault_at = time.monotonic()

    def _lose_a_refresh(self) -> None:
        """Wait for it, with work for somebody, and then until whoever refreshes has the pair."""
        lost = lose_a_refresh(self.scene.sandbox)
        while not self.scene.sandbox.fault(lost)["hits"]:
            self._tick()
            if surely(moving_flows) == 0:
                self._feed(min(self.fed + 1, len(self.wanted)))
            time.sleep(TICK)
        under_way = Q(refresh_owner__isnull=False, refresh_until__gt=Now())
        while surely(Connection.objects.filter(under_way).exists):
            self._tick()
            time.sleep(TICK)

    def _goal(self, done: int) -> int:
        """How many orders are to be out before the next deed: as many parts as there are deeds."""
        if done == len(self.deeds):
            return len(self.wanted)
        return len(self.wanted) * (done + 1) // (len(self.deeds) + 1)

    def _feed(self, goal: int) -> None:
        """Order as many as there is room for, and pay what is sent by now."""
        room = OPEN_PER_COMPANY * self.scene.size.companies - surely(moving_flows)
        until = min(goal, self.fed + max(room, 0))
        for each in self.wanted[self.fed : until]:
            surely(partial(self.office.order, each))
        surely(partial(self.office.pay, self._clicked(until)))
        if until == self.fed:
            time.sleep(TICK)
        self.fed = until

    def _clicked(self, until: int) -> list[Wanted]:
        return [each for each in self.wanted[:until] if each.clicked]

    def _calm(self, course: Course) -> None:
        """No more faults from here on: thaw everybody, and have the sandbox fail no longer."""
        while self.scene.frozen:
            self._tick()
            time.sleep(TICK)
        course.strikes = strikes(self.scene.sandbox)
        self.scene.sandbox.clear_faults()
        course.last_fault_at = time.monotonic()
        course.limit_alone = surely(self._limit_alone)
        self.say(f"last fault; {surely(moving_flows)} flows open")

    def _limit_alone(self) -> float:
        """Seconds that Bokio's limit alone needs for the calls that are left, in any company."""
        left = (
            Step.objects.exclude(state__in=[StepState.DONE, StepState.SKIPPED])
            .exclude(flow__state__in=[FlowState.DONE, FlowState.CANCELLED])
            .values("flow__connection")
            .annotate(count=Count("pk"))
            .values_list("count", flat=True)
        )
        size = self.scene.size
        return max(left, default=0) * WINDOW * size.factor / size.limit

    def _until_quiet(self, course: Course) -> None:
        """Wait until every invoice that was clicked is paid for, and no flow moves any more.

        What is stuck or parked by then waits for a person, and the account says why.
        """
        while True:
            self._tick()
            registered = surely(partial(self.office.pay, self._clicked(len(self.wanted))))
            if not registered and surely(moving_flows) == 0:
                break
            time.sleep(TICK)
        course.quiet_at = time.monotonic()

    def _tick(self) -> None:
        self.scene.tend()
        if time.monotonic() > self.gives_up_at:
            raise GaveUp(f"{surely(moving_flows)} flows are still open")

    def _tell(self, course: Course) -> None:
        done = sum(course.deeds.values())
        if done % 10 == 0 or done == len(self.deeds):
            seconds = time.monotonic() - course.began_at
            self.say(
                f"{seconds:6.0f} s  {done}/{len(self.deeds)} deeds, {self.fed}/{len(self.wanted)} "
                f"ordered, {surely(moving_flows)} flows open"
            )
