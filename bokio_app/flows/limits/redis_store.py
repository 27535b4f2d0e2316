"""The limiter's state in Redis: one script per question, by Redis's own clock."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

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

KEEP = 3600.0  # seconds after which a silent company's count has to be found out anew
MICRO = 1_000_000
SHORTEST_LOOK = 0.002  # seconds, however fast the tests' time runs


@lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=1,
        socket_connect_timeout=0.25,
        max_connections=256,
        retry=Retry(NoBackoff(), 1),  # a connection that died while it lay in the pool
    )


@lru_cache(maxsize=4)
def _scripts(url: str) -> tuple[Any, Any]:
    here, client = Path(__file__).parent, _client(url)
    return (
        client.register_script((here / "ask.lua").read_text()),
        client.register_script((here / "done.lua").read_text()),
    )


class RedisStore:
    """Raises `redis.RedisError` when Redis cannot be reached; `limiter` makes that a wait."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, connection_id: UUID, want: Want, token: str, rules: Rules) -> Permit | Wait:
        """See `Store`."""
        script, _done = _scripts(self._url)
        answer = script(
            keys=_keys(connection_id, want.address),
            args=[
                token,
                want.who,
                rules.limit,
                _micro(rules.window),
                _micro(want.lasts),
                int(want.urgent),
                rules.burst,
                _micro(scaled(GRACE)),
                _micro(scaled(PATIENCE)),
                _micro(scaled(PROBING)),
                _micro(max(scaled(NEXT_LOOK), SHORTEST_LOOK)),
                _micro(scaled(HORIZON)),
                int(bool(want.address)),
                _micro(rules.late),
            ],
        )
        if not answer[0]:
            return Wait(float(answer[1]) / MICRO, Reason(answer[2].decode()))
        return Permit(connection_id, token, want.address, want.lasts, int(answer[1]))

    def done(self, permit: Permit, end: Finished, rules: Rules) -> None:
        """See `Store`."""
        _ask, script = _scripts(self._url)
        script(
            keys=_keys(permit.connection_id, permit.address),
            args=[
                permit.token,
                rules.limit,
                _micro(rules.window),
                _micro(scaled(GRACE)),
                _micro(permit.lasts),
                int(end.sent),
                int(end.answered),
                -1 if end.remaining is None else end.remaining,
                permit.granted_at,
                int(bool(permit.address)),
                _micro(KEEP),
                _micro(rules.late),
            ],
        )

    def block(self, connection_id: UUID, seconds: float) -> None:
        """See `Store`."""
        keys = _keys(connection_id, "")
        pipe = _client(self._url).pipeline(transaction=True)
        pipe.set(keys[5], "1", px=max(round(seconds * 1000), 1))
        pipe.delete(keys[3])
        pipe.execute()


def _keys(connection_id: UUID, address: str) -> list[str]:
    """All keys of a connection share a hash tag, so that a cluster keeps them together."""
    start = f"limits:{{{connection_id}}}:"
    names = ("slots", "pace", "urgent", "known", "probe", "block", f"path:{address}", "booked")
    return [start + name for name in names]


def _micro(seconds: float) -> int:
    return round(seconds * MICRO)
