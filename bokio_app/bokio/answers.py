"""One answer of Bokio as it came, and what its headers say about limits."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from bokio_app.bokio import wire

RATE_PREFIXES: Final = ("bokio-ratelimit-", "x-bokio-ratelimit-")  # the second is from older docs
LONGEST_LIST: Final = 200  # characters of a header that are worth telling
LONGEST_WAIT: Final = 31 * 24 * 3600.0  # a month: the longest quota there is


@dataclass(frozen=True)
class Answer:
    """Status, headers and the whole body of one answer. Its repr shows the status alone."""

    status: int
    headers: Mapping[str, str]  # by names in lower case
    content: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status})"

    def json(self) -> object:
        """The parsed body. Raises `wire.BodyError`."""
        return wire.decode(self.content)

    def json_or_empty(self) -> Mapping[str, object]:
        """The parsed body if it is an object, else an empty one: errors may carry HTML."""
        try:
            body = self.json()
        except wire.BodyError:
            return {}
        return body if isinstance(body, dict) else {}

    def rate(self, name: str) -> float | None:
        """Read the rate header `name` (`Limit`, `Remaining`, `RetryAfter`); None if unreadable."""
        for prefix in RATE_PREFIXES:
            told = self.headers.get(prefix + name.lower(), "")
            if told and (number := _number(told)) is not None:
                return number
        return None

    def versions(self, kind: str) -> str:
        """The API versions that are `Supported` or `Deprecated`, as listed; empty if not told."""
        text = self.headers.get(f"bokio-api-{kind.lower()}-versions", "")
        return "".join(each for each in text if each.isprintable())[:LONGEST_LIST]

    def retry_after(self) -> float | None:
        """Seconds to wait by the standard header, which may hold a date; None without it."""
        value = self.headers.get("retry-after", "")
        if (seconds := _number(value)) is not None:
            return seconds
        if (then := _moment(value)) is None:
            return None
        # A date is measured on the sender's own clock, so that ours may be wrong.
        now = _moment(self.headers.get("date", "")) or datetime.now(UTC)
        return min(max((then - now).total_seconds(), 0.0), LONGEST_WAIT)


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return min(max(number, 0.0), LONGEST_WAIT) if math.isfinite(number) else None


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
