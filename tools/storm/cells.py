"""One real cell per fault: nothing scaled, so that the engine's own seconds are seen to hold.

Each cell is one seven-step order in a company of its own, and one fault at its payment, the step
that can least be repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bokio_app.core import clock
from bokio_app.flows.models import Flow, FlowState, Step

from . import wanted
from .feeding import Office, surely
from .scene import Scene
from .weather import ANSWERS, BROKER, CRASH, DEEDS, FLUSH, FREEZE, KILL

AT = "post-invoice-payment"
ALLOWED = 180.0  # seconds from the fault to the end of the flow
TICK = 0.2
LOST_REFRESH = "the refresh's answer is lost"


@dataclass
class Cell:
    """One order and its fault. `seconds` are from the fault to the end, None if it never came."""

    name: str
    order: wanted.Wanted
    seconds: float | None = None

    @property
    def flow(self) -> Flow:
        return surely(lambda: Flow.objects.get(bulk_line__reference=self.order.reference))

    @property
    def is_good(self) -> bool:
        return self.seconds is not None and self.seconds <= ALLOWED

    def told(self) -> str:
        """One line: how long it took, and what the attempts of the payment came to."""
        step = Step.objects.get(flow=self.flow, op="create_payment")
        outcomes = ", ".join(step.attempts.values_list("outcome", flat=True))
        took = "never" if self.seconds is None else f"{self.seconds:5.1f} s"
        return f"{self.name:36} {took}  {step.resolved_by or step.state}: {outcomes}"


class Cells:
    """All cells over one scene, whose times are not scaled."""

    def __init__(self, scene: Scene, office: Office, companies: Sequence[wanted.Company]) -> None:
        self.scene, self.office = scene, office
        self._companies = iter(companies)
        self.cells: list[Cell] = []

    def run(self, say: Callable[[str], None]) -> bool:
        """Whether all ended in time. Faults of answers go side by side, deeds one by one."""
        together = [self._cell(name) for name in ANSWERS.values()]
        for kind, cell in zip(ANSWERS, together, strict=True):
            self.scene.sandbox.add_fault(AT, kind, company=cell.order.company)
        self._all_end(together, since=time.monotonic())
        self._lose_refresh(self._cell(LOST_REFRESH))
        for deed in (KILL, FREEZE, CRASH, FLUSH, BROKER):
            self._with_deed(self._cell(DEEDS[deed]), deed)
        self.scene.sandbox.clear_faults()
        for cell in self.cells:
            say(f"  {cell.told()}")
        return all(cell.is_good for cell in self.cells)

    def _cell(self, name: str) -> Cell:
        company, number = next(self._companies), len(self.cells)
        drawn = wanted.draw(
            [company],
            flows=1,
            day=clock.today().isoformat(),
            seed=self.scene.seed,
            name=f"cell{number}",
        )
        cell = Cell(name, next(each for each in drawn if each.steps == 7 and not each.clicked))
        self.cells.append(cell)
        return cell

    def _start(self, cell: Cell) -> None:
        surely(lambda: self.office.order(cell.order))

    def _all_end(self, cells: Sequence[Cell], *, since: float) -> None:
        for cell in cells:
            self._start(cell)
        self._wait_for(cells, since=since)

    def _wait_for(self, cells: Sequence[Cell], *, since: float) -> None:
        """Wait until all flows are done; one that never is, is told with the others."""
        left = list(cells)
        while left and time.monotonic() - since < ALLOWED * 2:
            self.scene.tend()
            for cell in [each for each in left if each.flow.state == FlowState.DONE]:
                cell.seconds = time.monotonic() - since
                left.remove(cell)
            time.sleep(TICK)

    def _lose_refresh(self, cell: Cell) -> None:
        company = cell.order.company
        self.scene.sandbox.add_fault(AT, "token_expires", company=company)
        self.scene.sandbox.add_fault("request-token", "lose_refresh")
        self._all_end([cell], since=time.monotonic())

    def _with_deed(self, cell: Cell, deed: str) -> None:
        """The payment is in Bokio's books, its answer is held back, and then it happens."""
        sandbox = self.scene.sandbox
        hold = sandbox.add_fault(AT, "hold_after", company=cell.order.company)
        self._start(cell)
        sandbox.wait_held(hold, seconds=60)
        since = time.monotonic()
        if deed in {KILL, FREEZE}:
            self._to_owner(cell, deed)
        else:
            self.scene.do(deed)
        sandbox.release(hold)
        self._wait_for([cell], since=since)
        while self.scene.frozen:  # what it does once it is thawed must change nothing
            self.scene.tend()
            time.sleep(TICK)

    def _to_owner(self, cell: Cell, deed: str) -> None:
        """Kill the worker that waits for the answer, or have it stand still past its lease."""
        pid = int(cell.flow.lease_owner.split(":")[1])
        owner = next(each for each in self.scene.workers if each.pid == pid)
        if deed == KILL:
            self.scene.kill(owner)
        else:
            self.scene.freeze(owner, leases=1.5)
