"""Faults that a test or a person orders: each waits for a call of its operation, then strikes.

A kind of fault is a function before the call is handled, one after it was handled and committed,
or both. `before` may answer in the place of the API; `after` may change the answer.
"""

import select
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.conf import settings

from bokio_app.sandbox.refusals import Refusal
from bokio_app.sandbox.wire import Answer, Call, Ending

LOOK_SECONDS = 0.03
ANY = "*"

_changed = threading.Condition()


class ClientGone(Exception):
    """The client hung up while its call was held."""


@dataclass
class Fault:
    """`nth` counts matching calls from 1 since the fault was added; None strikes them all."""

    operation: str
    kind: str
    nth: int | None = 1
    params: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    seen: int = 0
    hits: int = 0
    held: int = 0
    released: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "operation": self.operation,
            "kind": self.kind,
            "nth": self.nth,
            "params": dict(self.params),
            "seen": self.seen,
            "hits": self.hits,
            "held": self.held,
            "released": self.released,
        }


Before = Callable[[Fault, Call], Answer | None]
After = Callable[[Fault, Call, Answer], Answer]


@dataclass(frozen=True)
class Kind:
    before: Before | None = None
    after: After | None = None


def client_gone(client: socket.socket) -> bool:
    """Whether the other side has closed the connection."""
    poller = select.poll()
    poller.register(client, select.POLLIN | select.POLLHUP | select.POLLERR)
    if not poller.poll(0):
        return False
    try:
        return client.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def _hold(fault: Fault, call: Call) -> None:
    """Wait until the fault is released. Raises `ClientGone` when nobody waits for an answer."""
    with _changed:
        fault.held += 1
        _changed.notify_all()
        try:
            while not fault.released:
                if client_gone(call.client):
                    raise ClientGone
                _changed.wait(LOOK_SECONDS)
        finally:
            fault.held -= 1
            _changed.notify_all()


def _hold_before(fault: Fault, call: Call) -> None:
    """With `params.processAnyway` a call whose client left is handled all the same."""
    try:
        _hold(fault, call)
    except ClientGone:
        if not fault.params.get("processAnyway"):
            raise


def _hold_after(fault: Fault, call: Call, answer: Answer) -> Answer:
    _hold(fault, call)
    return answer


def _reset(_fault: Fault, _call: Call) -> Answer:
    return Answer(0, ending=Ending.RESET)


def _lose(_fault: Fault, _call: Call, answer: Answer) -> Answer:
    return replace(answer, ending=Ending.RESET)


def _cut(_fault: Fault, _call: Call, answer: Answer) -> Answer:
    return replace(answer, ending=Ending.CUT)


def _server_error(_fault: Fault, _call: Call) -> Answer:
    return Refusal(500, "internal-server-error", "An unexpected error occurred").answer()


def _server_error_after(fault: Fault, call: Call, _answer: Answer) -> Answer:
    return _server_error(fault, call)


def _delay(fault: Fault, _call: Call) -> None:
    time.sleep(float(fault.params.get("seconds", 1)) * settings.TIME_FACTOR)


def _delay_after(fault: Fault, call: Call, answer: Answer) -> Answer:
    _delay(fault, call)
    return answer


def _status(fault: Fault, _call: Call) -> Answer:
    """Answer `params.status` with `code`, `message` and `headers`, or with a literal `body`."""
    params = fault.params
    headers = {str(k): str(v) for k, v in dict(params.get("headers", {})).items()}
    status = int(params.get("status", 429))
    if "body" in params:
        return Answer(status, str(params["body"]).encode(), headers)
    return Refusal(
        status,
        str(params.get("code", "rate-limit-exceeded")),
        str(params.get("message", "Refused by a fault of the sandbox")),
        headers=headers,
    ).answer()


KINDS: dict[str, Kind] = {
    "hold_before": Kind(before=_hold_before),
    "hold_after": Kind(after=_hold_after),
    "lose_answer": Kind(after=_lose),
    "reset_before": Kind(before=_reset),
    "error_before": Kind(before=_server_error),
    "error_after": Kind(after=_server_error_after),
    "delay": Kind(before=_delay),
    "delay_after": Kind(after=_delay_after),
    "status": Kind(before=_status),
    "truncate": Kind(after=_cut),
}


class Ordered:
    """The faults now in force, in the order they were added."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    def add(self, fault: Fault) -> Fault:
        if fault.kind not in KINDS:
            raise ValueError(f"There is no fault {fault.kind!r}; known: {', '.join(KINDS)}")
        with _changed:
            self._faults[fault.id] = fault
        return fault

    def all(self) -> list[Fault]:
        with _changed:
            return list(self._faults.values())

    def get(self, fault_id: str) -> Fault | None:
        return self._faults.get(fault_id)

    def remove(self, fault_id: str) -> None:
        """Take the fault away; whatever it holds goes on."""
        with _changed:
            if fault := self._faults.pop(fault_id, None):
                fault.released = True
                _changed.notify_all()

    def clear(self) -> None:
        for fault in self.all():
            self.remove(fault.id)

    def release(self, fault_id: str) -> None:
        """Let the held calls of the fault go on, and those that come later."""
        with _changed:
            if fault := self._faults.get(fault_id):
                fault.released = True
                _changed.notify_all()

    def pick(self, operation: str) -> Fault | None:
        """The first fault that strikes this call. Every matching fault counts the call."""
        struck: Fault | None = None
        with _changed:
            for fault in self._faults.values():
                if fault.operation not in (operation, ANY):
                    continue
                fault.seen += 1
                if struck is None and fault.nth in (None, fault.seen):
                    struck = fault
            if struck:
                struck.hits += 1
                _changed.notify_all()
        return struck

    def wait(self, fault: Fault, *, held: bool, seconds: float) -> None:
        """Return once the fault was hit (or holds a call), or after so many seconds."""
        with _changed:
            _changed.wait_for(lambda: bool(fault.held if held else fault.hits), seconds)


ordered = Ordered()


def from_json(data: Mapping[str, Any]) -> Fault:
    """Build a fault from the body of the control API. Raises `ValueError`."""
    nth = data.get("nth", 1)
    if nth is not None and (not isinstance(nth, int) or nth < 1):
        raise ValueError("nth counts from 1; null strikes every call")
    params = {
        key: float(value) if isinstance(value, Decimal) else value
        for key, value in dict(data.get("params") or {}).items()
    }
    return Fault(
        operation=str(data.get("operation", ANY)),
        kind=str(data.get("kind", "")),
        nth=nth,
        params=params,
    )
