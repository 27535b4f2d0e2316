"""The figures of one phase, one line each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from . import books, weather
from .drive import Course
from .feeding import surely
from .scene import Scene
from .wanted import Wanted

KINDS = ("lost", "doubled", "wrong", "open")


def rows(
    scene: Scene, orders: Sequence[Wanted], course: Course, found: Sequence[books.Finding]
) -> list[tuple[str, str]]:
    """Label and value. What comes from our rows and from the workers' logs counts all phases."""
    tally, record = surely(books.tally), scene.sandbox.calls()
    calls = record["counts"]
    kinds = Counter(each.kind for each in found)
    shape = Counter(str(each.steps) for each in orders if not each.clicked)
    ended = course.quiet_at or time.monotonic()
    return [
        ("invoices wanted", str(len(orders))),
        ("by file, by steps", ", ".join(f"{shape[n]} of {n}" for n in sorted(shape))),
        ("by click, sent and then paid", str(sum(each.clicked for each in orders))),
        *((weather.DEEDS[deed], str(count)) for deed, count in sorted(course.deeds.items())),
        *((f"sandbox: {kind}", str(count)) for kind, count in sorted(course.strikes.items())),
        ("calls to Bokio", str(sum(calls.values()))),
        ("token requests", str(calls.get("request-token", 0))),
        ("429 for the rate", str(scene.times_said("rate_limit_hit"))),
        ("writes that met at an address", str(len(record["overlappingWrites"]))),
        ("fenced writers", str(scene.times_said("flow_fenced"))),
        ("processes that ended alone", str(scene.ended_alone)),
        ("steps settled by", _told(tally.steps)),
        ("attempts", _told(tally.attempts)),
        ("most sendings of a step", str(tally.most_attempts)),
        *((kind, str(kinds[kind])) for kind in KINDS),
        ("seconds in all", f"{ended - course.began_at:.0f}"),
        ("seconds by the limit alone", f"{course.limit_alone:.1f}"),
    ]


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
