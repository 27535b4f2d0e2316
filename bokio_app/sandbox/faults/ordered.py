"""The faults now in force, and how one is ordered."""

import json
from collections.abc import Mapping
from typing import Any

from bokio_app.sandbox.faults.fault import ANY, Fault, changed
from bokio_app.sandbox.faults.kinds import KINDS, Kind, Param
from bokio_app.sandbox.models import Plan
from bokio_app.sandbox.wire import Call

_YES = {"true", "on", "1", "yes"}


class Ordered:
    """The faults now in force, in the order they were added."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    def add(self, fault: Fault) -> Fault:
        if fault.kind not in KINDS:
            raise ValueError(f"There is no fault {fault.kind!r}; known: {', '.join(KINDS)}")
        with changed:
            self._faults[fault.id] = fault
        return fault

    def all(self) -> list[Fault]:
        with changed:
            return list(self._faults.values())

    def get(self, fault_id: str) -> Fault | None:
        return self._faults.get(fault_id)

    def remove(self, fault_id: str) -> None:
        """Take the fault away; whatever it holds goes on."""
        with changed:
            if fault := self._faults.pop(fault_id, None):
                fault.released = True
                changed.notify_all()

    def clear(self) -> None:
        for fault in self.all():
            self.remove(fault.id)

    def release(self, fault_id: str) -> None:
        """Let the held calls of the fault go on, and those that come later."""
        with changed:
            if fault := self._faults.get(fault_id):
                fault.released = True
                changed.notify_all()

    def pick(self, operation: str, call: Call) -> Fault | None:
        """The first fault that strikes this call. Every matching fault counts the call."""
        if not self._faults:
            return None
        struck: Fault | None = None
        with changed:
            for fault in self._faults.values():
                only = KINDS[fault.kind].only
                if not fault.matches(operation, call) or (only and not only(call)):
                    continue
                if fault.next_strikes() and struck is None:
                    struck = fault
            if struck:
                struck.hits += 1
                changed.notify_all()
        return struck

    def wait(self, fault: Fault, *, held: bool, seconds: float) -> None:
        """Return once the fault was hit (or holds a call), or after so many seconds."""
        with changed:
            changed.wait_for(lambda: bool(fault.held if held else fault.hits), seconds)


ordered = Ordered()


def from_json(data: Mapping[str, Any]) -> Fault:
    """Build a fault from the body of the control API, or of a form. Raises `ValueError`."""
    name = str(data.get("kind", ""))
    kind = KINDS.get(name)
    if kind is None:
        raise ValueError(f"There is no fault {name!r}; known: {', '.join(KINDS)}")
    return Fault(
        operation=str(data.get("operation") or kind.operation or ANY),
        kind=name,
        nth=_count(data, "nth", 1),
        params=_params(kind, dict(data.get("params") or {})),
        company=str(data.get("company") or "").lower(),
        method=str(data.get("method") or "").upper(),
        times=_count(data, "times", None),
        probability=_share(data.get("probability")),
        seed=int(data.get("seed") or 0),
    )


def _count(data: Mapping[str, Any], name: str, default: int | None) -> int | None:
    given = data.get(name, default)
    if given is None:
        return None
    if isinstance(given, bool) or int(given) != given or given < 1:
        raise ValueError(f"{name} counts from 1, or is null")
    return int(given)


def _share(given: Any) -> float | None:
    if given is None or given == "":
        return None
    share = float(given)
    if not 0 <= share <= 1:
        raise ValueError("probability is between 0 and 1")
    return share


def _params(kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    known = {param.name: param for param in kind.params}
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"This fault takes no {', '.join(unknown)}; it takes {', '.join(known)}")
    params = {name: _value(known[name], value) for name, value in given.items()}
    if "plan" in params:
        Plan(params["plan"])
    return params


def _value(param: Param, given: Any) -> Any:
    """The value in the type of the default, from JSON or from the text of a form."""
    default = param.default
    if isinstance(default, bool):
        return given if isinstance(given, bool) else str(given).lower() in _YES
    if isinstance(default, dict):
        value = json.loads(given) if isinstance(given, str) else given
        return dict(value)
    if isinstance(default, int | float):
        number = float(given)
        if not 0 <= number < float("inf"):
            raise ValueError(f"{param.name} must be a number of at least 0")
        return type(default)(number)
    return None if given is None else str(given)
