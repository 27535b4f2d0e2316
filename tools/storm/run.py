"""The phases of a storm and the table of each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bokio_app.core import clock

from . import books, drive, wanted, weather
from .feeding import Office, moving_flows, surely
from .scene import Scene

SHOWN = 20
READING_SECONDS = 120.0


@dataclass
class Run:
    """Phases over one scene. `gives_up_at` is a monotonic moment; `grace` seconds until quiet."""

    scene: Scene
    gives_up_at: float
    grace: float | None
    faults: float
    everything: list[wanted.Wanted] = field(default_factory=list)

    def prepare(self) -> None:
        """Connect the companies, start the workers, and have the books read."""
        size = self.scene.size
        self._say(
            f"{size.companies} companies, {size.workers} worker processes, times x {size.factor:g},"
            f" Bokio's limit {size.limit} calls per {60 * size.factor:g} s, seed {self.scene.seed}"
        )
        self.office = Office()
        self.companies = self.scene.companies()
        self.office.connect(self.scene.sandbox, self.companies)
        self.scene.start_workers()
        deadline = time.monotonic() + READING_SECONDS
        while surely(moving_flows):
            self.scene.tend()
            if time.monotonic() > deadline:
                raise drive.GaveUp("the companies' books were not read")
            time.sleep(drive.TICK)

    def storm(self, name: str, deeds: weather.Deeds, *, flows: int) -> bool:
        """One phase from the first order to the account; whether all is as it must be."""
        orders = wanted.draw(
            self.companies,
            flows=flows,
            day=clock.today().isoformat(),
            seed=self.scene.seed,
            name=name,
        )
        self.everything += orders
        sandbox = self.scene.sandbox
        sandbox.clear_calls()
        weather.order_faults(sandbox, seed=self.scene.seed, factor=self.faults)
        course = drive.Course(began_at=time.monotonic())
        leading = drive.Drive(
            scene=self.scene,
            office=self.office,
            wanted=orders,
            deeds=deeds.in_random_order(self.scene.seed),
            gives_up_at=self.gives_up_at,
            say=self._say,
        )
        late = ""
        try:
            leading.run(course)
        except drive.GaveUp as gave_up:
            late = f"given up: {gave_up}"
        found = surely(lambda: books.findings(sandbox, self.companies, self.everything))
        late = late or self._late(course)
        self._table(name, orders, course, found)
        for each in found[:SHOWN]:
            self._say(f"  {each.kind}: {each.what}")
            if each.story:
                self._say(each.story)
        verdict = "nothing lost, doubled, wrong or late" if not (found or late) else "FELL SHORT"
        self._say(f"{name}: {verdict}. {late}")
        return not (found or late)

    def _late(self, course: drive.Course) -> str:
        missing = [kind for kind in weather.KINDS if not course.strikes[kind]]
        if missing:
            return f"never struck: {', '.join(missing)}"
        if course.to_quiet is None or course.to_quiet > self._allowed:
            return f"quiet after {_seconds(course.to_quiet)} s, allowed {self._allowed:g} s"
        return ""

    @property
    def _allowed(self) -> float:
        scaled = drive.GRACE * self.scene.size.factor
        return scaled if self.grace is None else self.grace

    def _table(
        self,
        name: str,
        orders: Sequence[wanted.Wanted],
        course: drive.Course,
        found: Sequence[books.Finding],
    ) -> None:
        tally, calls = surely(books.tally), self.scene.sandbox.calls()["counts"]
        kinds = Counter(each.kind for each in found)
        shape = Counter(each.steps for each in orders if not each.clicked)
        clicked = sum(each.clicked for each in orders)
        ended = course.quiet_at or time.monotonic()
        rows = [
            ("invoices wanted", f"{len(orders)}"),
            ("by file, by steps", ", ".join(f"{n} x {shape[n]}" for n in sorted(shape))),
            ("by click", f"{clicked} sent, then paid"),
            *((weather.DEEDS[deed], str(n)) for deed, n in sorted(course.deeds.items())),
            *((f"sandbox: {kind}", str(n)) for kind, n in sorted(course.strikes.items())),
            ("calls to Bokio", str(sum(calls.values()))),
            ("token refreshes and exchanges", str(calls.get("request-token", 0))),
            ("429 for the rate", str(self.scene.times_said("rate_limit_hit"))),
            ("fenced writers", str(self.scene.times_said("flow_fenced"))),
            ("processes that ended alone", str(self.scene.ended_alone)),
            ("steps settled by", _told(tally.steps)),
            ("attempts", _told(tally.attempts)),
            ("most sendings of a step", str(tally.most_attempts)),
            ("seconds in all", f"{ended - course.began_at:.0f}"),
            ("seconds by the limit alone", f"{course.limit_alone:.1f}"),
            ("seconds to quiet", f"{_seconds(course.to_quiet)} of {self._allowed:g}"),
            *((kind, str(kinds[kind])) for kind in ("lost", "doubled", "wrong", "open")),
        ]
        for label, value in rows:
            self._say(f"  {label:32} {value}")

    @staticmethod
    def _say(line: str) -> None:
        print(line, flush=True)


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _seconds(given: float | None) -> str:
    return "never" if given is None else f"{given:.1f}"
