"""Named places in a worker's way, and what may happen to it there.

Each place is reached through a seam that exists: the methods of `Turn`, the commit of the
database, the network. The product knows nothing of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from django.db import OperationalError, connections

from bokio_app.flows.turn import Turn

from .kernel import Kernel
from .network import Moment

POINTS = (
    "between",  # before any statement outside a transaction, `BEGIN` among them
    "claimed",  # the flow is taken, nothing is done yet
    "before_intent",  # the step's intent is not committed
    "after_intent",  # it is, and nothing is sent
    "connect",
    "first_byte",  # the send guard has let the request pass, no byte is written
    "body",  # the head of the request is written, its body is not (writes with a body)
    "sent",  # the whole request is written
    "answer",  # Bokio has answered, nothing of the answer is read
    "after_response",  # the answer is read, its result is nowhere yet
    "before_result",  # the transaction with the result is about to be committed
    "after_result",  # it is committed
    "before_commit",  # any durable write of a worker is about to be committed
    "after_commit",  # it is committed, and the worker does not know yet
)
WRITES = (
    "save",
    "intend",
    "extend",
    "change",
    "skip",
    "put_back",
    "park",
    "stick",
    "finish",
    "cancel",
)


@dataclass(frozen=True)
class Place:
    """Where a worker is. `op` is the operation of the step that it sends or has just sent."""

    name: str
    op: str = ""
    method: str = ""
    path: str = ""


@dataclass(eq=False)
class Ordered:
    """What happens at the nth such place from now on. `hits` counts how often it has."""

    place: str
    act: Callable[[], None]
    nth: int = 1
    times: int = 1
    op: str = ""
    seen: int = 0
    hits: int = 0

    def meets(self, place: Place) -> bool:
        if place.name != self.place or (self.op and self.op != place.op):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


@dataclass
class Points:
    """What is ordered, and everyone who listens. Use within `watching()`."""

    kernel: Kernel
    ordered: list[Ordered] = field(default_factory=list)
    listeners: list[Callable[[Place], None]] = field(default_factory=list)

    def at(
        self, place: str, act: Callable[[], None], *, op: str = "", nth: int = 1, times: int = 1
    ) -> Ordered:
        """Let something happen at the nth such place (of the step with this operation)."""
        if place not in POINTS:
            raise ValueError(f"no such place: {place}")
        fault = Ordered(place, act, nth, times, op)
        self.ordered.append(fault)
        return fault

    def kill(self, place: str, *, op: str = "", nth: int = 1) -> Ordered:
        """The worker's process dies there: nothing more of it happens, no clean-up either.

        Before a commit this means that nothing of the transaction is kept.
        """
        return self.at(place, self.die, op=op, nth=nth)

    def freeze(self, place: str, seconds: float, *, op: str = "", nth: int = 1) -> Ordered:
        """The worker's process stands still there for so long, and goes on unaware.

        Not around a commit: others would have to wait for it, and here they share a connection.
        """
        if "commit" in place or "result" in place:
            raise ValueError(f"nobody can stand still at {place}")
        return self.at(place, lambda: self.kernel.sleep(seconds), op=op, nth=nth)

    def die(self) -> None:
        """End the current worker here and now; an open transaction ends with its connection."""
        database = connections["default"]
        if not database.get_autocommit():
            database.rollback()
            database.run_on_commit = []
            database.set_autocommit(True)
        self.kernel.abandon()

    def fail_commit(self, *, op: str = "", nth: int = 1, place: str = "before_result") -> Ordered:
        """The database refuses to commit, and the transaction is undone."""
        return self.at(place, _database_lost, op=op, nth=nth)

    def lose_commit(self, *, op: str = "", nth: int = 1, place: str = "after_result") -> Ordered:
        """The database commits, but the worker hears that it failed."""
        return self.at(place, _database_lost, op=op, nth=nth)

    def reach(self, name: str, *, op: str = "", method: str = "", path: str = "") -> None:
        """A worker is at this place."""
        place = Place(name, op or self.kernel.current.facts.get("op", ""), method, path)
        for listener in list(self.listeners):
            listener(place)
        for fault in list(self.ordered):
            if fault.meets(place):
                fault.hits += 1
                fault.act()

    def moment(self, moment: Moment) -> None:
        """A place of the network; the token endpoint and reads are not a step's sending."""
        if "op" in self.kernel.current.facts:
            self.reach(moment.place, method=moment.method, path=moment.path)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Have every worker in the block pass by here."""
        real = {name: getattr(Turn, name) for name in (*WRITES, "begin", "learn")}
        database = connections["default"]
        commit = database._commit
        try:
            Turn.begin = classmethod(self._begin(Turn.begin.__func__))  # type: ignore[attr-defined]
            Turn.learn = self._learn(Turn.learn)
            for name in WRITES:
                setattr(Turn, name, self._writing(name, getattr(Turn, name)))
            database._commit = self._commit(commit)
            with database.execute_wrapper(self._statement):
                yield
        finally:
            for name, method in real.items():
                setattr(Turn, name, method)
            del database._commit

    def _begin(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(real)
        def begin(cls: type[Turn], *given: Any) -> Turn:
            turn: Turn = real(cls, *given)
            facts = self.kernel.current.facts
            facts.pop("op", None)
            facts["flow"] = turn.flow
            self.reach("claimed")
            return turn

        return begin

    def _learn(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(real)
        def learn(turn: Turn, step: Any, *given: Any, **named: Any) -> None:
            if self.kernel.current.facts.get("op"):
                self.reach("after_response")
            self.kernel.current.facts.pop("op", None)
            real(turn, step, *given, **named)

        return learn

    def _writing(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(real)
        def write(turn: Turn, *given: Any, **named: Any) -> Any:
            facts = self.kernel.current.facts
            step = given[0] if name == "intend" else None
            if name == "intend":
                self.reach("before_intent", op=step.op)
            facts["result"] = turn.unsaved.step.op if turn.unsaved else ""
            try:
                result = real(turn, *given, **named)
            finally:
                facts.pop("result", None)
            if name == "intend":
                facts["op"], facts["step"] = step.op, str(step.op_key)
                self.reach("after_intent")
            elif name != "extend":
                facts.pop("op", None)
            return result

        return write

    def _commit(self, real: Callable[[], None]) -> Callable[[], None]:
        def commit() -> None:
            self._around(real)

        return commit

    def _statement(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """A write outside a transaction is one by itself."""
        if context["connection"].in_atomic_block:
            return execute(sql, params, many, context)
        self.reach("between")
        if not _writes(sql):
            return execute(sql, params, many, context)
        return self._around(lambda: execute(sql, params, many, context))

    def _around(self, real: Callable[[], Any]) -> Any:
        op = self.kernel.current.facts.get("result")
        self.reach("before_commit")
        if op:
            self.reach("before_result", op=op)
        result = real()
        self.reach("after_commit")
        if op:
            self.reach("after_result", op=op)
        return result


def _writes(sql: str) -> bool:
    return sql.lstrip(" (").partition(" ")[0].upper() in {"INSERT", "UPDATE", "DELETE", "WITH"}


def _database_lost() -> None:
    raise OperationalError("the database is gone")
