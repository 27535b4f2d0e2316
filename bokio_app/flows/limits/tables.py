"""The limiter's rules on tables, for an installation without Redis: `ask.lua` in other words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection as database
from django.db import transaction
from django.db.models import QuerySet

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
)
from .asking import after as seconds_of
from .rows import Booking, Pace, PathLease, RateSlot, UrgentAsker

KEEP = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TableStore:
    """One short transaction per question, under the lock of the connection's `Pace` row."""

    def ask(self, connection_id: UUID, want: Want, token: str, rules: Rules) -> Permit | Wait:
        """See `Store`."""
        with transaction.atomic():
            pace = _locked(connection_id)
            now = _now()
            refusal = (
                _blocked(pace, now)
                or _address_taken(connection_id, want, now)
                or _probing(pace, now)
                or _too_early(pace, want, now, rules)
                or _no_slot(connection_id, want, now, rules)
            )
            if refusal:
                return refusal
            _take(pace, want, token, now, rules)
        return Permit(connection_id, token, want.address, want.lasts, _micro(now))

    def done(self, permit: Permit, end: Finished, rules: Rules) -> None:
        """See `Store`."""
        granted_at = EPOCH + permit.granted_at * MICROSECOND
        window, lasts = timedelta(seconds=rules.window), timedelta(seconds=permit.lasts)
        with transaction.atomic():
            pace = _locked(permit.connection_id)
            now = _now()
            if end.sent:
                until = now + window if end.answered else granted_at + lasts + window
                RateSlot.objects.update_or_create(
                    token=permit.token,
                    defaults={"connection_id": permit.connection_id, "until": until},
                )
            else:
                RateSlot.objects.filter(token=permit.token).delete()
            if end.answered or not end.sent:
                PathLease.objects.filter(token=permit.token).delete()
            probed = pace.probe == permit.token
            if probed:
                _end_probe(pace, now, answered=end.answered)
            if end.remaining is not None and (probed or now - granted_at < seconds_of(GRACE)):
                _believe(permit, end.remaining, since=granted_at, until=now + window, rules=rules)

    def block(self, connection_id: UUID, seconds: float) -> None:
        """See `Store`."""
        with transaction.atomic():
            pace = _locked(connection_id)
            pace.blocked_until = _now() + timedelta(seconds=seconds)
            pace.known_until = None
            pace.save()


def _locked(connection_id: UUID) -> Pace:
    Pace.objects.get_or_create(connection_id=connection_id)
    return Pace.objects.select_for_update().get(connection_id=connection_id)


def _now() -> datetime:
    """The database's clock, which all machines share; on SQLite there is one machine."""
    if database.vendor != "postgresql":
        return clock.now()
    with database.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _micro(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def _live(connection_id: UUID, since: datetime) -> QuerySet[RateSlot]:
    return RateSlot.objects.filter(connection_id=connection_id, until__gt=since)


def _blocked(pace: Pace, now: datetime) -> Wait | None:
    if pace.blocked_until is None or pace.blocked_until <= now:
        return None
    return Wait((pace.blocked_until - now).total_seconds(), Reason.RATE)


def _address_taken(connection_id: UUID, want: Want, now: datetime) -> Wait | None:
    if not want.address:
        return None
    lease = PathLease.objects.filter(
        connection_id=connection_id, address=want.address, until__gt=now
    ).first()
    if lease is None:
        return None
    # A holder that has just come is soon gone; one that stays is asked after less and less often.
    soon = max(now - lease.since, seconds_of(NEXT_LOOK))
    return Wait(min(soon, lease.until - now).total_seconds(), Reason.PATH)


def _is_known(pace: Pace, now: datetime) -> bool:
    return pace.known_until is not None and pace.known_until > now


def _probing(pace: Pace, now: datetime) -> Wait | None:
    if _is_known(pace, now) or pace.probe_until is None or pace.probe_until <= now:
        return None
    return Wait(min(pace.probe_until - now, seconds_of(PROBING)).total_seconds(), Reason.RATE)


def _too_early(pace: Pace, want: Want, now: datetime, rules: Rules) -> Wait | None:
    """Each paced asker has a moment of its own, so that nobody else wakes up for it in vain."""
    if want.urgent:
        return None
    bookings = Booking.objects.filter(connection_id=pace.connection_id)
    bookings.filter(at__lt=now - seconds_of(PATIENCE)).delete()
    booked = bookings.filter(who=want.who).values_list("at", flat=True).first()
    if booked is None:
        due, interval = pace.due or now, timedelta(seconds=rules.interval)
        booked = max(now, due - (rules.burst - 1) * interval)
        if booked - now <= seconds_of(HORIZON):
            pace.due = max(due, now) + interval
            pace.save(update_fields=["due"])
            _book(pace.connection_id, want.who, booked)
    return Wait((booked - now).total_seconds(), Reason.RATE) if booked > now else None


def _no_slot(connection_id: UUID, want: Want, now: datetime, rules: Rules) -> Wait | None:
    RateSlot.objects.filter(
        connection_id=connection_id, until__lte=now - seconds_of(GRACE)
    ).delete()
    live, waiting = _live(connection_id, now), 0
    if not want.urgent:
        waiting = UrgentAsker.objects.filter(connection_id=connection_id, until__gt=now).count()
    used, room = live.count(), rules.limit - waiting
    if used < room:
        return None
    ends = live.order_by("until").values_list("until", flat=True)
    free = ends[used - room : used - room + 1].first()
    if free and not want.urgent:
        # Behind those who have been told to come then, or later.
        told = Booking.objects.filter(connection_id=connection_id, at__gte=free).count()
        free = ends[used - room + told : used - room + told + 1].first() or free
    wait = free - now if free else timedelta(seconds=rules.interval)
    if want.urgent:
        UrgentAsker.objects.update_or_create(
            connection_id=connection_id,
            who=want.who,
            defaults={"until": now + wait + seconds_of(PATIENCE)},
        )
    elif wait > seconds_of(HORIZON):
        Booking.objects.filter(connection_id=connection_id, who=want.who).delete()
    else:
        _book(connection_id, want.who, now + wait)
    return Wait(wait.total_seconds(), Reason.RATE)


def _book(connection_id: UUID, who: str, at: datetime) -> None:
    Booking.objects.update_or_create(connection_id=connection_id, who=who, defaults={"at": at})


def _take(pace: Pace, want: Want, token: str, now: datetime, rules: Rules) -> None:
    ends = now + timedelta(seconds=want.lasts)
    if not _is_known(pace, now):
        pace.probe, pace.probe_until = token, ends
    pace.save()
    RateSlot.objects.update_or_create(
        token=token,
        defaults={
            "connection_id": pace.connection_id,
            "until": ends + timedelta(seconds=rules.window),
        },
    )
    waiting = UrgentAsker.objects.all() if want.urgent else Booking.objects.all()
    waiting.filter(connection_id=pace.connection_id, who=want.who).delete()
    if want.address:
        PathLease.objects.update_or_create(
            connection_id=pace.connection_id,
            address=want.address,
            defaults={"token": token, "since": now, "until": ends},
        )


def _end_probe(pace: Pace, now: datetime, *, answered: bool) -> None:
    pace.probe, pace.probe_until = "", None
    if answered:
        pace.known_until = now + KEEP
    pace.save()


def _believe(
    permit: Permit, remaining: int, *, since: datetime, until: datetime, rules: Rules
) -> None:
    """Count what Bokio has counted beyond us: all of that was live at some moment since then."""
    counted = _live(permit.connection_id, since).count()
    RateSlot.objects.bulk_create(
        RateSlot(token=f"{permit.token}:{number}", connection_id=permit.connection_id, until=until)
        for number in range(1, rules.limit - remaining - counted + 1)
    )
