"""The sandbox itself: what it holds, its clock, switches and faults, and the record of calls."""

import datetime as dt
import threading
from decimal import Decimal

from django.conf import settings
from django.utils import translation
from django.utils.dateparse import parse_datetime

from bokio_app.sandbox import clock, faults, outage, store, switches
from bokio_app.sandbox.api import shapes
from bokio_app.sandbox.api.limits import rate_limiter
from bokio_app.sandbox.api.quotas import meter
from bokio_app.sandbox.api.registry import all_operations
from bokio_app.sandbox.calls import record
from bokio_app.sandbox.control.asking import Ask, Missing, Routes, Wrong
from bokio_app.sandbox.control.books import companies
from bokio_app.sandbox.seed import seed

LONGEST_WAIT = 60.0
OUTAGE_AFTER_SECONDS = 0.05


def _about(_: Ask) -> object:
    with translation.override("en"):
        kinds = {
            name: {
                "description": str(kind.description),
                "params": {param.name: param.default for param in kind.params},
            }
            for name, kind in faults.KINDS.items()
        }
    return {
        "operations": sorted(operation.id for operation in all_operations()),
        "faults": kinds,
        "timeFactor": str(settings.TIME_FACTOR),
    }


def _reset(ask: Ask) -> object:
    """Forget everything and seed anew: `companies`, `history`, `seed`."""
    faults.ordered.clear()
    with store.write():
        seed.reset(
            companies=int(ask.body.get("companies", 3)),
            history=int(ask.body.get("history", 0)),
            number=int(ask.body.get("seed", seed.DEFAULT_NUMBER)),
        )
        clock.set_offset(dt.timedelta(0))
        switches.reset()
        store.save_state()
    meter.forget()
    rate_limiter.clear()
    record.clear()
    return companies()


def _clock(_: Ask) -> object:
    return {"now": shapes.moment(clock.now()), "today": clock.today().isoformat()}


def _move_clock(ask: Ask) -> object:
    """Move by `seconds` (added to where it is), or to `now`; both missing: back to real time."""
    if "now" in ask.body:
        moment = parse_datetime(str(ask.body["now"]))
        if moment is None or moment.tzinfo is None:
            raise Wrong("now must be a date and time with an offset")
        offset = moment - dt.datetime.now(dt.UTC)
    elif "seconds" in ask.body:
        offset = clock.offset() + dt.timedelta(seconds=float(ask.body["seconds"]))
    else:
        offset = dt.timedelta(0)
    with store.write():
        clock.set_offset(offset)
        store.save_state()
    return _clock(ask)


def _switches(_: Ask) -> object:
    return {"switches": vars(switches.current()), "changed": switches.changed()}


def _turn_switches(ask: Ask) -> object:
    values = {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in ask.body.items()
    }
    with store.write():
        switches.change(values)
        store.save_state()
    return _switches(ask)


def _faults(_: Ask) -> object:
    return {"faults": [fault.as_json() for fault in faults.ordered.all()]}


def _add_fault(ask: Ask) -> object:
    fault = faults.from_json(ask.body)
    known = {operation.id for operation in all_operations()} | {faults.ANY}
    if fault.operation not in known:
        raise Wrong(f"There is no operation {fault.operation!r}")
    return faults.ordered.add(fault).as_json()


def _clear_faults(_: Ask) -> object:
    faults.ordered.clear()
    return None


def _fault(ask: Ask) -> object:
    """The state of a fault. `?wait=seconds&for=held` waits for a held call, else for a hit."""
    fault = faults.ordered.get(ask.parts[0])
    if fault is None:
        raise Missing
    seconds = min(float(ask.call.query.get("wait", "0")), LONGEST_WAIT)
    if seconds > 0:
        held = ask.call.query.get("for") == "held"
        faults.ordered.wait(fault, held=held, seconds=seconds)
    return fault.as_json()


def _remove_fault(ask: Ask) -> object:
    faults.ordered.remove(ask.parts[0])
    return None


def _release(ask: Ask) -> object:
    fault = faults.ordered.get(ask.parts[0])
    if fault is None:
        raise Missing
    faults.ordered.release(fault.id)
    return fault.as_json()


def _outage(ask: Ask) -> object:
    """Refuse every connection for `seconds` (times `TIME_FACTOR`), this API's too."""
    seconds = float(ask.body.get("seconds", 1)) * settings.TIME_FACTOR
    # The door shuts behind the answer, which would not get out otherwise.
    threading.Timer(OUTAGE_AFTER_SECONDS, outage.begin, (seconds,)).start()
    return None


def _calls(_: Ask) -> object:
    return record.as_json()


def _clear_calls(_: Ask) -> object:
    record.clear()
    return None


ROUTES: Routes = (
    ("GET", "", _about),
    ("POST", "reset", _reset),
    ("GET", "clock", _clock),
    ("POST", "clock", _move_clock),
    ("GET", "switches", _switches),
    ("POST", "switches", _turn_switches),
    ("GET", "faults", _faults),
    ("POST", "faults", _add_fault),
    ("DELETE", "faults", _clear_faults),
    ("GET", "faults/([0-9a-f]+)", _fault),
    ("DELETE", "faults/([0-9a-f]+)", _remove_fault),
    ("POST", "faults/([0-9a-f]+)/release", _release),
    ("POST", "outage", _outage),
    ("GET", "calls", _calls),
    ("DELETE", "calls", _clear_calls),
)
