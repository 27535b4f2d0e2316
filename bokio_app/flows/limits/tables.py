"""The limiter's rules on a table, for an installation without Redis: `ask.lua` in other words.

All that is known of a company stands in one row, so a question is one read and one write.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection as database
from django.db import transaction

from bokio_app.core import clock

from .asking import (
    GRACE,
    HORIZON,
    NEXT_LOOK,
    PATIENCE,
    PROBING,
    Finished,
    Permit,
    Reason,
    Rules,
    Wait,
    Want,
    scaled,
)
from .rows import Pace

MICRO = 1_000_000
KEEP = 3600 * MICRO
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class State:
    """What is known of one company. All moments are microseconds since 1970, 0 for none.

    `due` is when the next paced call would come if all kept the pace. Until `known_until` our
    count of calls holds; after that one call finds out (`probe`) what Bokio has counted.
    `under_way` and `counted` are the slots: of permits by their token, and of calls that have
    ended; each until when Bokio may count it. `urgent` are those whom the next free slot belongs
    to, `booked` the moments of paced askers and `tail` the last that was given, `addresses` the
    writes: token, since and until.
    """

    due: int = 0
    known_until: int = 0
    blocked_until: int = 0
    probe: str = ""
    probe_until: int = 0
    under_way: dict[str, int] = field(default_factory=dict)
    counted: list[int] = field(default_factory=list)
    urgent: dict[str, int] = field(default_factory=dict)
    booked: dict[str, int] = field(default_factory=dict)
    tail: int = 0
    addresses: dict[str, tuple[str, int, int]] = field(default_factory=dict)

    def live(self, since: int) -> list[int]:
        """The ends of all slots that were taken at this moment or later, the next one first."""
        return sorted(each for each in (*self.counted, *self.under_way.values()) if each > since)

    def book(self, who: str, moment: int) -> None:
        """Give a paced asker its moment."""
        self.booked[who] = self.tail = moment

    def forget(self, now: int) -> None:
        """Drop what is over; a freed slot stays for a while, to judge what slower answers tell."""
        past = now - _micro(scaled(GRACE))
        self.counted = [until for until in self.counted if until > past]
        self.under_way = {token: until for token, until in self.under_way.items() if until > past}
        self.urgent = {who: until for who, until in self.urgent.items() if until > now}
        self.addresses = {name: held for name, held in self.addresses.items() if held[2] > now}


_KNOWN = {each.name for each in fields(State)}


class TableStore:
    """One short transaction per question, under the lock of the company's row."""

    def ask(self, connection_id: UUID, want: Want, token: str, rules: Rules) -> Permit | Wait:
        """See `Store`."""
        with _locked(connection_id) as state:
            now = _now()
            refusal = (
                _blocked(state, now)
                or _address_taken(state, want, now)
                or _probing(state, now)
                or _too_early(state, want, now, rules)
                or _no_slot(state, want, now, rules)
            )
            if refusal:
                return refusal
            _take(state, want, token, now, rules)
        return Permit(connection_id, token, want.address, want.lasts, now)

    def done(self, permit: Permit, end: Finished, rules: Rules) -> None:
        """See `Store`."""
        with _locked(permit.connection_id) as state:
            now, window = _now(), _micro(rules.window)
            state.under_way.pop(permit.token, None)
            if end.answered:
                state.counted.append(now + window)
            elif end.sent:
                state.counted.append(_latest_end(permit.granted_at, permit.lasts, rules))
            held = state.addresses.get(permit.address)
            if held and held[0] == permit.token and (end.answered or not end.sent):
                del state.addresses[permit.address]
            probed = state.probe == permit.token
            if probed:
                state.probe, state.probe_until = "", 0
                state.known_until = now + KEEP if end.answered else state.known_until
            in_time = probed or now - permit.granted_at < _micro(scaled(GRACE))
            if end.remaining is not None and in_time:
                # What Bokio has counted beyond us was live at some moment since the permit.
                known = len(state.live(permit.granted_at))
                state.counted += [now + window] * (rules.limit - end.remaining - known)

    def block(self, connection_id: UUID, seconds: float) -> None:
        """See `Store`."""
        with _locked(connection_id) as state:
            state.blocked_until, state.known_until = _now() + _micro(seconds), 0


@contextmanager
def _locked(connection_id: UUID) -> Iterator[State]:
    """A company's state, which nobody else sees until it is written back as the block leaves it."""
    key = connection_id if database.features.has_native_uuid_field else connection_id.hex
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(_READ[database.vendor == "postgresql"], [key])
        row = cursor.fetchone()
        if row is None:
            cursor.execute(_BEGIN, [key])
            cursor.execute(_READ[database.vendor == "postgresql"], [key])
            row = cursor.fetchone()
        state = _state(row[0])
        yield state
        if (text := json.dumps(asdict(state))) != row[0]:
            cursor.execute(_WRITE, [text, key])


_PACE = f'"{Pace._meta.db_table}"'  # noqa: SLF001  Django documents `_meta`
_SELECT = f"SELECT state FROM {_PACE} WHERE connection_id = %s"  # noqa: S608  our own name
_READ = {False: _SELECT, True: f"{_SELECT} FOR UPDATE"}
_BEGIN = f"INSERT INTO {_PACE} (connection_id, state) VALUES (%s, '{{}}') ON CONFLICT DO NOTHING"  # noqa: S608  our own name
_WRITE = f"UPDATE {_PACE} SET state = %s WHERE connection_id = %s"  # noqa: S608  our own name


def _state(text: str) -> State:
    """What a later release may have added beside what is known here is left out."""
    kept: dict[str, Any] = json.loads(text)
    return State(**{name: kept[name] for name in _KNOWN & kept.keys()})


def _now() -> int:
    """The database's clock, which all machines share; on SQLite there is one machine."""
    if database.vendor != "postgresql":
        return (clock.now() - EPOCH) // MICROSECOND
    with database.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return (moment - EPOCH) // MICROSECOND


def _micro(seconds: float) -> int:
    return round(seconds * MICRO)


def _wait(microseconds: int, reason: Reason) -> Wait:
    return Wait(microseconds / MICRO, reason)


def _latest_end(granted_at: int, lasts: float, rules: Rules) -> int:
    """Until when Bokio may count a call of which no answer tells when it arrived."""
    return granted_at + _micro(lasts + rules.late + rules.window)


def _blocked(state: State, now: int) -> Wait | None:
    left = state.blocked_until - now
    return _wait(left, Reason.RATE) if left > 0 else None


def _address_taken(state: State, want: Want, now: int) -> Wait | None:
    _token, since, until = state.addresses.get(want.address, ("", 0, 0))
    if until <= now:
        return None
    # A holder that has just come is soon gone; one that stays is asked after less and less often.
    soon = max(now - since, _micro(scaled(NEXT_LOOK)))
    return _wait(min(soon, until - now), Reason.PATH)


def _probing(state: State, now: int) -> Wait | None:
    if state.known_until > now or state.probe_until <= now:
        return None
    return _wait(min(state.probe_until - now, _micro(scaled(PROBING))), Reason.RATE)


def _too_early(state: State, want: Want, now: int, rules: Rules) -> Wait | None:
    """Each paced asker has a moment of its own, so that nobody else wakes up for it in vain."""
    if want.urgent:
        return None
    # Who comes late has waited its time: it goes before those who were given later moments.
    past = now - _micro(rules.window)
    state.booked = {who: at for who, at in state.booked.items() if at >= past}
    booked = state.booked.get(want.who)
    if booked is None:
        due, interval = state.due or now, _micro(rules.interval)
        booked = max(now, due - (rules.burst - 1) * interval)
        if len(state.live(now)) * 2 >= rules.limit:
            booked = _apart(state, booked, rules)
        if booked - now <= _micro(scaled(HORIZON)):
            state.due = max(due, now) + interval
            state.book(want.who, booked)
    return _wait(booked - now, Reason.RATE) if booked > now else None


def _apart(state: State, moment: int, rules: Rules) -> int:
    """Where slots are scarce, calls in a bunch would free theirs in a bunch a window later, and
    leave a click that comes between two bunches without one: so moments are booked some way apart.
    """
    return max(moment, state.tail + _micro(rules.spacing))


def _no_slot(state: State, want: Want, now: int, rules: Rules) -> Wait | None:
    state.forget(now)
    ends = state.live(now)
    room = rules.limit if want.urgent else rules.limit - len(state.urgent)
    place = len(ends) - room
    if place < 0:
        return None
    free = ends[place] if place < len(ends) else 0
    if free and not want.urgent:
        # Behind those who have been told to come then, or later.
        place += sum(at >= free for at in state.booked.values())
        free = _apart(state, ends[place] if place < len(ends) else free, rules)
    wait = free - now if free else _micro(rules.interval)
    if want.urgent:
        state.urgent[want.who] = now + wait + _micro(scaled(PATIENCE))
    elif wait > _micro(scaled(HORIZON)):
        state.booked.pop(want.who, None)
    else:
        state.book(want.who, now + wait)
    return _wait(wait, Reason.RATE)


def _take(state: State, want: Want, token: str, now: int, rules: Rules) -> None:
    ends = now + _micro(want.lasts)
    if state.known_until <= now:
        state.probe, state.probe_until = token, ends
    state.under_way[token] = _latest_end(now, want.lasts, rules)
    (state.urgent if want.urgent else state.booked).pop(want.who, None)
    if want.address:
        state.addresses[want.address] = (token, now, ends)
