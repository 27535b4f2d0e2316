"""The fault matrix: every operation that writes, struck by every fault, has one effect."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import pytest

from bokio_app.flows.models import StepState
from tests.flows.cases import CASES, Case
from tests.inprocess.axis import FAULTS, SENDINGS, Event, Fault, Strike, expand
from tests.inprocess.cells import Cell, Stage
from tests.inprocess.matrix_table import ALSO, PAGE, ROWS, page, strikes_of

pytestmark = pytest.mark.fault


def matrix() -> list[Any]:
    """All cells; those of one operation go to the same process, which has its scene."""
    return [
        pytest.param(
            fault, case, id=f"{fault.code}-{case.op}", marks=pytest.mark.xdist_group(case.op)
        )
        for case in CASES
        for fault in FAULTS
    ]


@pytest.mark.parametrize("fault, case", matrix())
def test_a_fault_leaves_one_effect_and_the_calls_that_it_takes(
    fault: Fault, case: Case, stage: Stage
) -> None:
    for strike in fault.strikes:
        if strike.suits(case):
            begin = stage.beginning if strike.from_beginning else stage.cell
            with begin(case) as cell:
                strike.arm(cell)
                strike.run(cell)
                check(strike, cell)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.op)
def test_without_a_fault_only_the_known_calls_are_made(case: Case, stage: Stage) -> None:
    with stage.cell(case) as cell:
        cell.drive()

        assert stage.scene(case).quiet == flat(story(["looks", "answered", "rest"], cell))
        assert cell.lines() == ["success"]


@dataclass(frozen=True)
class Told:
    """The run in short, put together only for a failure."""

    strike: Strike
    cell: Cell

    def __str__(self) -> str:
        return f"{self.strike.name}: {self.cell.told()}"

    __repr__ = __str__


def check(strike: Strike, cell: Cell) -> None:
    """Remote effects, local state, number of calls, audit trail."""
    case, told = cell.case, Told(strike, cell)
    words = strike.words(case)
    events = story(words, cell)
    ends = strike.ends(case)
    assert cell.struck() == [1] * len(cell.orders), told
    assert [each.operation for each in cell.calls()] == list(flat(events)), told
    assert cell.lines() == [event.line for event in events if event.line], told
    assert cell.step.attempt == sum(word in SENDINGS for word in words), told
    assert cell.audited() == ["flow.started", f"flow.{ends}"], told
    assert cell.consented == strike.consents, told
    assert not strike.said or strike.said in cell.said, told
    assert cell.world.sandbox.calls()["overlappingWrites"] == [], told
    in_time(strike, cell, events, told)
    if ends == "done":
        ended_well(cell, words, told)
    else:
        stopped(strike, cell, words, told)


def ended_well(cell: Cell, words: list[str], told: Told) -> None:
    step, scene = cell.step, cell.scene
    assert (cell.flow.state, cell.flow.stuck_code) == ("done", ""), told
    assert (step.state, step.resolved_by) == (
        StepState.DONE,
        "proof" if "found" in words else "response",
    ), told
    assert cell.case.effects(cell.world) == 1, told
    if not cell.meddled:
        assert cell.books() == scene.books, told
        assert cell.rows() == scene.rows, told


def stopped(strike: Strike, cell: Cell, words: list[str], told: Told) -> None:
    assert (cell.flow.state, cell.flow.stuck_code) == ("stuck", strike.stuck_code), told
    assert cell.step.state == ("unknown" if "ambiguous" in words else "pending"), told
    assert bool(cell.step.evidence) == ("ambiguous" in words), told


def in_time(strike: Strike, cell: Cell, events: list[Event], told: Told) -> None:
    """The call that carried the step on came when it should, by Bokio's record."""
    carrying = {"success", "found", "ambiguous"}
    lasts = [place for place, event in enumerate(events) if event.line in carrying]
    if lasts:
        place = len(flat(events[: lasts[-1]]))
        at = cell.calls()[place].at
        earliest = strike.after(cell.case)
        assert earliest - 0.001 <= at <= earliest + strike.slack, (at, earliest, told)


def story(words: list[str], cell: Cell) -> list[Event]:
    later = cell.flow.steps.filter(pos__gt=cell.step.pos).order_by("pos")
    return expand(
        words,
        cell.case,
        earlier=cell.scene.earlier,
        later=list(later.values_list("op", flat=True)),
    )


def flat(events: list[Event]) -> tuple[str, ...]:
    return tuple(call for event in events for call in event.calls)


def test_the_matrix_has_no_gap() -> None:
    rows = [*ROWS, *((op, (op,)) for op in ALSO)]
    gaps = [
        (row, fault.code) for row, ops in rows for fault in FAULTS if not strikes_of(fault, ops)
    ]

    assert (len(ROWS), len(FAULTS)) == (16, 16)
    assert gaps == []
    assert sorted(op for _row, ops in rows for op in ops) == sorted(case.op for case in CASES)


def test_the_page_says_what_is_tested() -> None:
    if os.environ.get("WRITE_FAULT_MATRIX"):
        PAGE.write_text(page())

    assert PAGE.read_text() == page(), "make fault-matrix writes it anew"
