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

    def run(self, script: Script, keys: Sequence[str], args: Sequence[str | int]) -> Any:
        """Run a script and return its answer. A connection that has died meanwhile, or leads to a
        server that is no longer the first, is made anew, once. Raises `redis.RedisError`.
        """
        rest = [str(len(keys)).encode(), *(str(each).encode() for each in (*keys, *args))]
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
        lengths = [b"*%d\r\n" % len(words), *(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)]
        self._connection.send_packed_command([b"".join(lengths)], check_health=False)
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
        args: list[str | int] = [
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
        ]
        answer = _line(self._url, os.getpid()).run(ASK, _keys(connection_id, want.address), args)
        if not answer[0]:
            return Wait(float(answer[1]) / MICRO, Reason(answer[2].decode()))
        return Permit(connection_id, token, want.address, want.lasts, int(answer[1]))

    def done(self, permit: Permit, end: Finished, rules: Rules) -> None:
        """See `Store`."""
        args: list[str | int] = [
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
        ]
        _line(self._url, os.getpid()).run(DONE, _keys(permit.connection_id, permit.address), args)

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
