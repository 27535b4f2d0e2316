"""One count of calls per company over all workers and machines: ask before, tell after.

A slot is taken before a call and freed one window after its answer, so no window at the server
can hold more calls than the limit, whatever the delay between us. Batches keep a pace as well;
clicks and repairs take the next free slot. Two writes never share an address.
"""

from __future__ import annotations

import logging
import uuid
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from redis import RedisError

from bokio_app.bokio.http import Call

from .asking import UNREACHABLE, Finished, Permit, Reason, Rules, Store, Wait, Want, scaled
from .redis_store import RedisStore
from .tables import TableStore

log = logging.getLogger(__name__)

WINDOW = 60.0  # seconds of Bokio's rolling window
MARGIN = 0.02  # seconds longer than that a slot is kept, since no two clocks run alike


def rules() -> Rules:
    """The limit of this installation."""
    return _rules(settings.BOKIO_RATE_LIMIT, scaled(WINDOW + MARGIN), settings.FLOW_SETTLE)


@lru_cache(maxsize=16)
def _rules(limit: int, window: float, late: float) -> Rules:
    return Rules(limit=limit, window=window, late=late)


def ask(connection_id: UUID, want: Want) -> Permit | Wait:
    """Leave for one call of the company, or how long to wait for it. Never blocks.

    A store that does not answer is a wait as well: nobody calls uncounted.
    """
    try:
        return _store().ask(connection_id, want, uuid.uuid4().hex, rules())
    except RedisError as error:
        log.warning("limiter_unreachable connection=%s error=%s", connection_id, _name(error))
        return Wait(scaled(UNREACHABLE), Reason.LIMITER)


def done(permit: Permit, call: Call | None) -> None:
    """Give a permit back after its call, or unused (None). Untold, it runs out by itself."""
    try:
        _store().done(permit, _end(call), rules())
    except RedisError as error:
        log.warning("limiter_untold connection=%s error=%s", permit.connection_id, _name(error))


def block(connection_id: UUID, seconds: float) -> None:
    """Let nothing of the company through for so many real seconds."""
    try:
        _store().block(connection_id, seconds)
    except RedisError as error:
        log.warning("limiter_untold connection=%s error=%s", connection_id, _name(error))


def _store() -> Store:
    return RedisStore(settings.REDIS_URL) if settings.REDIS_URL else TableStore()


def _end(call: Call | None) -> Finished:
    if call is None or not call.sent:
        return Finished(sent=False)
    if not call.status:
        return Finished(sent=True)
    # What a refused call says of the window counts from `block` on, by a new probe.
    told = None if call.status == 429 or call.remaining is None else int(call.remaining)
    return Finished(sent=True, answered=True, remaining=told)


def _name(error: Exception) -> str:
    return type(error).__name__
