"""The phases of a storm, and what is told of each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bokio_app.core import clock

from . import books, drive, table, wanted, weather
from .cells import Cells
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
        self.office = Office.open()
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
        late = late or self._late(course)
        found = surely(self._findings)
        for label, value in table.rows(self.scene, orders, course, found):
            self._say(f"  {label:32} {value}")
        self._say(f"  {'seconds to quiet':32} {course.told_quiet} of {self._allowed:g}")
        return self._verdict(name, found, late)

    def cells(self) -> bool:
        """One real cell per fault, and the account of all of them."""
        cells = Cells(self.scene, self.office, self.companies)
        in_time = cells.run(self._say)
        self.everything += [each.order for each in cells.cells]
        found = surely(self._findings)
        return self._verdict("cells", found, "" if in_time else "Too late.")

    def _verdict(self, name: str, found: Sequence[books.Finding], late: str) -> bool:
        """Tell what is not as it must be, with the rows' story, and whether all is."""
        told = {""}
        for each in found[:SHOWN]:
            self._say(f"  {each.kind}: {each.what}")
            if each.story not in told:
                self._say(each.story)
                told.add(each.story)
        if len(found) > SHOWN:
            self._say(f"  and {len(found) - SHOWN} more")
        good = not found and not late
        verdict = "nothing lost, doubled, wrong or late" if good else f"FELL SHORT. {late}"
        self._say(f"{name}: {verdict}")
        return good

    def _late(self, course: drive.Course) -> str:
        missing = [kind for kind in weather.SHARES if not course.strikes[kind]]
        if missing:
            return f"never struck: {', '.join(missing)}"
        if course.to_quiet is None or course.to_quiet > self._allowed:
            return f"quiet after {course.told_quiet} s, allowed {self._allowed:g} s"
        return ""

    @property
    def _allowed(self) -> float:
        scaled = drive.GRACE * self.scene.size.factor
        return scaled if self.grace is None else self.grace

    def _findings(self) -> list[books.Finding]:
        return books.findings(self.scene.sandbox, self.companies, self.everything)

    @staticmethod
    def _say(line: str) -> None:
        print(line, flush=True)
