"""Who sees everything: calls as they arrive at Bokio and what they did, not what is said of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connections

from bokio_app.bokio.oauth import OAuthApp, Tokens
from bokio_app.sandbox.api import gate
from bokio_app.sandbox.wire import Answer
from tests.inprocess.harness import Harness
from tests.inprocess.kernel import Task
from tests.inprocess.points import Place

LONGEST_CALL = 30.0  # seconds; so long a call is under way from its first byte at most


def _newest_pair() -> int:
    """The number of the pair of tokens that was committed last; past Django, as elsewhere here."""
    row = "SELECT max(id) FROM connections_tokengrant"
    [newest] = connections["default"].connection.execute(row).fetchone()
    return int(newest)


@dataclass(frozen=True)
class Arrival:
    """A call as Bokio met it."""

    company: str
    token: str
    at: float


@dataclass(eq=False)
class Underway:
    """A write from its first byte to its end at the client."""

    who: Task
    step: str
    since: float

    def lasts(self, now: float) -> bool:
        """Whether it may still be under way; a dead client's until its deadline."""
        waiting = self.who.facts.get("op") and self.who.facts["step"] == self.step
        return now < self.since + LONGEST_CALL and bool(waiting)


@dataclass
class Witness:
    """What has happened in a run. `problems` is what must not."""

    harness: Harness
    arrivals: list[Arrival] = field(default_factory=list)
    effects: Counter[tuple[str, str]] = field(default_factory=Counter)
    fences: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    writes: dict[str, Underway] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    calls: int = 0
    uncounted: dict[str, int] = field(default_factory=dict)
    fresh: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """See every call that Bokio carries out in the block."""
        real = gate._process

        def process(passage: Any) -> Answer:
            answer = real(passage)
            self._carried_out(passage.call, answer)
            return answer

        refresh = OAuthApp.refresh

        def heard(app: OAuthApp, refresh_token: str) -> Tokens:
            tokens = refresh(app, refresh_token)
            self.fresh[f"Bearer {tokens.access_token}"] = _newest_pair()
            return tokens

        gate._process, OAuthApp.refresh = process, heard  # type: ignore[method-assign]
        self.harness.points.listeners.append(self.pass_by)
        try:
            yield
        finally:
            gate._process, OAuthApp.refresh = real, refresh  # type: ignore[method-assign]

    def pass_by(self, place: Place) -> None:
        """A worker is at this place."""
        if place.name == "first_byte" and place.method not in {"GET", ""}:
            self._leaves(place)
        elif place.name == "answer":
            self._ends(place)
        elif place.name == "claimed":
            self._claimed()

    def _leaves(self, place: Place) -> None:
        facts, now = self.harness.kernel.current.facts, self.harness.kernel.time
        # Past Django, which would take the look for one of the worker's own statements.
        row = (
            connections["default"]
            .connection.execute(
                "SELECT state, attempt FROM flows_step WHERE op_key = ?",
                [facts["step"].replace("-", "")],
            )
            .fetchone()
        )
        if row is None or row[0] not in {"sent", "unknown"} or not row[1]:
            self.problems.append(f"{place.op} leaves without a committed intent: {row}")
        key = f"{place.method} {place.path}"
        other = self.writes.get(key)
        if other and other.lasts(now):
            self.problems.append(f"{key} overlaps another write to the same address")
        self.writes[key] = Underway(self.harness.kernel.current, facts["step"], now)

    def _ends(self, place: Place) -> None:
        key = f"{place.method} {place.path}"
        underway = self.writes.get(key)
        if underway and underway.who is self.harness.kernel.current:
            del self.writes[key]

    def _claimed(self) -> None:
        """Each claim has a fence of its own, and the row's is never below one that was given."""
        flow = self.harness.kernel.current.facts["flow"]
        given = self.fences[flow.pk]
        row = "SELECT fence FROM flows_flow WHERE id = ?"
        (now,) = connections["default"].connection.execute(row, [flow.pk]).fetchone()
        if flow.fence in given or now < max({flow.fence, *given}):
            self.problems.append(f"the fence of {flow} is {now} after {given}, {flow.fence}")
        given.add(flow.fence)

    def lose_count(self, companies: Iterable[str]) -> None:
        """Nobody knows any more how many calls were made: one finds out, and may be too many.
        It is told of what Bokio has counted for its own token alone.
        """
        for company in companies:
            self.uncounted[company] = self.uncounted.get(company, 0) + 1

    def counted(self) -> Iterable[list[float]]:
        """The moments of the calls that one limit holds for: a company's; after a lost count, those
        under one token.
        """
        found: dict[tuple[str, str], list[float]] = defaultdict(list)
        for each in self.arrivals:
            by_token = each.company in self.uncounted
            found[each.company, each.token if by_token else ""].append(each.at)
        return found.values()

    def _arrived(self, company: str, token: str, *, refused: bool) -> None:
        if refused and self.uncounted.get(company):
            self.uncounted[company] -= 1
            return
        self.arrivals.append(Arrival(company, token, self.harness.kernel.time))

    def _carried_out(self, call: Any, answer: Answer) -> None:
        self.calls += 1
        token = call.headers.get("authorization", "")
        if token in self.fresh and self.fresh.pop(token) >= _newest_pair():
            self.problems.append("a new pair of tokens is used before it is committed")
        refused = answer.status == 429 and b"rate-limit" in answer.body
        if refused:
            self.refused["429"] += 1
        if call.path.startswith("/v1/companies/"):
            unheard = answer.status == 401  # Bokio counts for tokens, and knows none here
            self._arrived(call.path.split("/")[3], token, refused=refused or unheard)
        step = self.harness.kernel.current.facts.get("step", "")
        if call.method != "GET" and answer.status < 300 and step and "/companies/" in call.path:
            op = self.harness.kernel.current.facts.get("op", "")
            self.effects[step, op] += 1
