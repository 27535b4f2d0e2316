"""The limiter's state in Redis: one script per question, by Redis's own clock."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ReadOnlyError
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
NAMES = b"slots pace urgent known probe block path: booked tail".split()
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


@dataclass(frozen=True)
class Script:
    """A script as Redis keeps it: by the hash of its text."""

    text: bytes
    digest: bytes

    @classmethod
    def of(cls, name: str) -> Script:
        """Read the file of that name beside this one."""
        text = (Path(__file__).parent / name).read_bytes()
        return cls(text, hashlib.sha1(text, usedforsecurity=False).hexdigest().encode())


ASK, DONE = Script.of("ask.lua"), Script.of("done.lua")


class Line(threading.local):
    """This thread's own connection. Two questions stand in every call to Bokio, and what redis's
    client does around a command costs several times what the command does.
    """

    def __init__(self, url: str) -> None:
        pool = _client(url).connection_pool
        self._connection = pool.connection_class(**pool.connection_kwargs)

    def run(self, script: Script, keys: Sequence[bytes], args: Sequence[bytes]) -> Any:
        """Run a script and return its answer. A connection that has died meanwhile, or leads to a
        server that is no longer the first, is made anew, once. Raises `redis.RedisError`.
        """
        rest = (b"%d" % len(keys), *keys, *args)
        try:
            return self._ask_again_once(b"EVALSHA", script.digest, *rest)
        except NoScriptError:  # Redis is a new one, or was told to forget
            return self._ask_again_once(b"EVAL", script.text, *rest)

    def _ask_again_once(self, *words: bytes) -> Any:
        try:
            return self._ask(words)
        except (redis.ConnectionError, redis.TimeoutError, ReadOnlyError):
            self._connection.disconnect()
            return self._ask(words)

    def _ask(self, words: Sequence[bytes]) -> Any:
        packed = [b"*%d\r\n" % len(words), *[b"$%d\r\n%b\r\n" % (len(w), w) for w in words]]
        self._connection.send_packed_command([b"".join(packed)], check_health=False)
        return self._connection.read_response()


@lru_cache(maxsize=4)
def _line(url: str, _process: int) -> Line:
    """A forked child has lines of its own."""
    return Line(url)


class RedisStore:
    """Raises `redis.RedisError` when Redis cannot be reached; `limiter` makes that a wait."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, connection_id: UUID, want: Want, token: str, rules: Rules) -> Permit | Wait:
        """See `Store`."""
        fixed = _fixed(rules, settings.TIME_FACTOR)
        args = [
            *(token.encode(), want.who.encode(), fixed.limit, fixed.window, _micro(want.lasts)),
            *(_flag(want.urgent), *fixed.asking, _flag(bool(want.address)), fixed.late),
            fixed.spacing,
        ]
        answer = _line(self._url, os.getpid()).run(ASK, _keys(connection_id, want.address), args)
        if not answer[0]:
            return Wait(float(answer[1]) / MICRO, Reason(answer[2].decode()))
        return Permit(connection_id, token, want.address, want.lasts, int(answer[1]))

    def done(self, permit: Permit, end: Finished, rules: Rules) -> None:
        """See `Store`."""
        fixed = _fixed(rules, settings.TIME_FACTOR)
        told = -1 if end.remaining is None else end.remaining
        args = [
            *(permit.token.encode(), fixed.limit, fixed.window, fixed.grace, _micro(permit.lasts)),
            *(_flag(end.sent), _flag(end.answered), b"%d" % told, b"%d" % permit.granted_at),
            *(_flag(bool(permit.address)), _micro(KEEP), fixed.late),
        ]
        _line(self._url, os.getpid()).run(DONE, _keys(permit.connection_id, permit.address), args)

    def block(self, connection_id: UUID, seconds: float) -> None:
        """See `Store`."""
        keys = _keys(connection_id, "")
        pipe = _client(self._url).pipeline(transaction=True)
        pipe.set(keys[5], "1", px=max(round(seconds * 1000), 1))
        pipe.delete(keys[3])
        pipe.execute()


@dataclass(frozen=True)
class _Fixed:
    """What stands in every question, as it is sent. `asking` is what `ask.lua` alone is told."""

    limit: bytes
    window: bytes
    late: bytes
    spacing: bytes
    grace: bytes
    asking: tuple[bytes, ...]


@lru_cache(maxsize=16)
def _fixed(rules: Rules, _time_factor: float) -> _Fixed:
    """Made anew when the rules change, or how fast time runs."""
    look = max(scaled(NEXT_LOOK), SHORTEST_LOOK)
    times = (scaled(GRACE), scaled(PATIENCE), scaled(PROBING), look, scaled(HORIZON))
    return _Fixed(
        limit=b"%d" % rules.limit,
        window=_micro(rules.window),
        late=_micro(rules.late),
        spacing=_micro(rules.spacing),
        grace=_micro(times[0]),
        asking=(b"%d" % rules.burst, *map(_micro, times)),
    )


@lru_cache(maxsize=10_000)
def _of_connection(connection_id: UUID) -> tuple[bytes, ...]:
    """The keys of a connection without an address. All of them share a hash tag, so that a
    cluster keeps them together.
    """
    start = b"limits:{%b}:" % str(connection_id).encode()
    return tuple(start + name for name in NAMES)


def _keys(connection_id: UUID, address: str) -> Sequence[bytes]:
    *before, path, booked, tail = _of_connection(connection_id)
    return (*before, path + address.encode(), booked, tail)


def _flag(yes: bool) -> bytes:
    return b"1" if yes else b"0"


def _micro(seconds: float) -> bytes:
    return b"%d" % round(seconds * MICRO)
