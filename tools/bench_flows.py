"""Measure what a durable step costs: `make bench-flows`. Ends with 1 when a goal is missed.

Everything is measured in one run on one machine, so that the ratios hold wherever it runs.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from uuid import UUID

from tools import bench_flows_peers as peers
from tools import bench_flows_scale as scale
from tools.bench_flows_world import STEPS, Company, Cost, World, median, new_company, world

BARE_GOAL = 2.0  # times the bare loop
CALL_GOAL = 2.0  # ms of CPU for a call with everything
VOLUME_GOAL = 1.10  # times the cost with few finished flows
MEMORY_GOAL = 90.0  # MB of a worker
NEAR_LINEAR = 0.8  # of as many times one worker as there are workers, or cores
FEW = 1_000
ROUNDS = 5
DOCS = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench-flows: begin -->", "<!-- bench-flows: end -->"


@dataclass(frozen=True)
class Line:
    """A row of the table. `short` says by how much a goal is missed; empty when none is."""

    name: str
    figures: str
    short: str = ""


def main() -> int:
    """Measure, print, and with `--write` keep the table in the documentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=200, help="of seven steps, per measurement")
    parser.add_argument("--finished", type=int, default=1_000_000, help="flows in the tables")
    parser.add_argument("--only", choices=["overhead", "scale", "volume"], nargs="+")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    asked = parser.parse_args()
    wanted = asked.only or ["overhead", "scale", "volume"]
    lines: list[Line] = []
    with world() as place:
        api_url = place.stub(latency=0)
        place.set_up(api_url)
        parts: dict[str, Iterator[Line]] = {
            "overhead": _overhead(place, api_url, asked.flows, with_peers=not asked.no_peers),
            "scale": _scaling(place),
            "volume": _volume(place, flows=asked.flows, finished=asked.finished),
        }
        for line in itertools.chain.from_iterable(parts[name] for name in wanted):
            lines.append(line)
            missed = f"  SHORT: {line.short}" if line.short else ""
            print(f"{line.name:52} {line.figures}{missed}", flush=True)
    if asked.write:
        _write(lines)
    return 1 if any(line.short for line in lines) else 0


def _overhead(place: World, api_url: str, flows: int, *, with_peers: bool) -> Iterator[Line]:
    company = new_company()
    company.order(5)
    company.work(5)
    each = max(flows // ROUNDS, 1)
    bare, alone, rows, full = _in_turn(
        lambda: place.measure(partial(bare_loop, api_url, each)).per(each * STEPS),
        lambda: _without_limits(partial(_measured, place, company, each, calls_only=True)),
        lambda: _without_limits(partial(_measured, place, company, each)),
        lambda: _measured(place, company, each),
    )
    flush = place.flush()
    yield Line("one flush of this disk", f"{flush:7.2f} ms wall")
    yield _line("bare loop of the same calls", bare)
    ratio = alone.wall / bare.wall
    alone_line = _line("engine, the calls alone", alone, _over(ratio, BARE_GOAL, "× bare"))
    floor = f"{alone.wall / (bare.wall + flush):.2f} × bare and flush"
    yield replace(
        alone_line,
        figures=f"{alone_line.figures}, {ratio:.2f} × bare, {floor}",
    )
    yield _line("engine, with the product's own rows", rows)
    short = _over(full.cpu, CALL_GOAL, "ms CPU per call")
    yield _line("engine, with rows, limiter, token, log and audit", full, short)
    if with_peers:
        for found in peers.measure(place, api_url, flows=flows):
            yield _peer(found, alone)


def _in_turn(*measures: Callable[[], Cost]) -> list[Cost]:
    """The median of each after several rounds, so that no moment of the machine decides."""
    rounds = [[measure() for measure in measures] for _round in range(ROUNDS)]
    return [median(costs) for costs in zip(*rounds, strict=True)]


def _without_limits(measure: Callable[[], Cost]) -> Cost:
    with _limits_lifted():
        return measure()


def _peer(found: peers.Measured, ours: Cost) -> Line:
    if found.cost is None:
        return Line(found.name, f"left out: {found.why}")
    cost = found.cost.per(found.steps)
    dearer = [
        name
        for name, mine, theirs in (("wall", ours.wall, cost.wall), ("CPU", ours.cpu, cost.cpu))
        if mine >= theirs
    ]
    return _line(
        found.name, cost, f"the engine takes more {' and '.join(dearer)}" if dearer else ""
    )


def _measured(place: World, company: Company, flows: int, *, calls_only: bool = False) -> Cost:
    """The engine's cost per step, after a few flows that warm it up."""
    company.order(flows + 3)
    with _no_rows() if calls_only else contextlib.nullcontext():
        company.work(3)
        return place.measure(partial(company.work, flows)).per(flows * STEPS)


@contextlib.contextmanager
def _limits_lifted() -> Iterator[None]:
    """Grant every call at once, as the peers do, which have no limiter."""
    from bokio_app.flows.limits import limiter  # noqa: PLC0415  after Django's setup
    from bokio_app.flows.limits.asking import Permit, Rules, Want  # noqa: PLC0415

    class Granting:
        def ask(self, connection_id: UUID, want: Want, token: str, _rules: Rules) -> Permit:
            return Permit(connection_id, token, want.address, want.lasts, 0)

        def done(self, *_told: object) -> None:
            pass

        block = done

    store = limiter._store  # noqa: SLF001  a switch of the bench, not of the product
    limiter._store = Granting  # type: ignore[assignment]  # noqa: SLF001  as above
    try:
        yield
    finally:
        limiter._store = store  # noqa: SLF001  as above


@contextlib.contextmanager
def _no_rows() -> Iterator[None]:
    """Leave out what the product writes to its own tables when a step is done: a peer has none."""
    from bokio_app.flows.operations import OPERATIONS, Operation  # noqa: PLC0415
    from bokio_app.flows.signals import flow_finished  # noqa: PLC0415

    own = {
        (type(each), name): getattr(type(each), name)
        for each in OPERATIONS.values()
        for name in ("apply", "changes")
        if name in vars(type(each))
    }
    receivers, flow_finished.receivers = flow_finished.receivers, []
    flow_finished.sender_receivers_cache.clear()
    for kind, name in own:
        setattr(kind, name, getattr(Operation, name))
    try:
        yield
    finally:
        flow_finished.receivers = receivers
        flow_finished.sender_receivers_cache.clear()
        for (kind, name), method in own.items():
            setattr(kind, name, method)


def bare_loop(api_url: str, flows: int) -> None:
    """The same seven calls, with the same client, and nothing kept."""
    calls = peers.calls(api_url)
    for _number in range(flows):
        made: dict[str, str] = {}
        for call in calls:
            made |= call(made)


def _line(name: str, cost: Cost, short: str = "") -> Line:
    figures = (
        f"{cost.wall:7.2f} ms wall {cost.cpu:7.2f} ms CPU per step"
        f" ({cost.own:.2f} ours, {cost.servers:.2f} servers)"
    )
    return Line(name, figures, short)


def _over(value: float, goal: float, unit: str) -> str:
    return f"{value:.2f} {unit}, goal {goal:g}" if value > goal else ""


def _scaling(place: World) -> Iterator[Line]:
    """Flows per second with one, two and four workers, and what each worker holds."""
    alone, cores = 0.0, os.cpu_count() or 1
    for workers, per_second, memory in scale.run(place):
        alone = alone or per_second
        ratio, wanted = per_second / alone, NEAR_LINEAR * min(workers, cores)
        short = "" if ratio >= min(wanted, workers) else f"{ratio:.2f} ×, goal {wanted:.1f}"
        short += _over(memory, MEMORY_GOAL, "MB")
        figures = f"{per_second:7.1f} flows/s, {ratio:.2f} × one worker, {memory:.0f} MB each"
        yield Line(f"{workers} worker processes at 50 ms, limits lifted", figures, short)


def _volume(place: World, *, flows: int, finished: int) -> Iterator[Line]:
    company = new_company()
    each = max(flows // ROUNDS, 1)
    with _limits_lifted():
        scale.fill(company, FEW)
        [few] = _in_turn(partial(_measured, place, company, each))
        yield _line(f"with {FEW:,} finished flows", few)
        started = time.monotonic()
        scale.fill(company, finished - FEW)
        print(f"{finished:,} finished flows made in {time.monotonic() - started:.0f} s", flush=True)
        [many] = _in_turn(partial(_measured, place, company, each))
    short = _over(many.cpu / few.cpu, VOLUME_GOAL, "× the CPU")
    yield _line(f"with {finished:,} finished flows", many, short)


def _write(lines: list[Line]) -> None:
    table = ["| | | |", "| --- | --- | --- |"]
    table += [
        f"| {line.name} | {' '.join(line.figures.split())} | {line.short} |" for line in lines
    ]
    text = DOCS.read_text()
    before, _begin, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    DOCS.write_text(f"{before}{BEGIN}\n{os.linesep.join(table)}\n{END}{after}")


if __name__ == "__main__":
    sys.exit(main())
