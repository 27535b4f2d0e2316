"""The way from an ordered outage to whatever listens for connections in this process."""

from collections.abc import Callable

_shut: list[Callable[[float], None]] = []


def begin_with(shut: Callable[[float], None]) -> None:
    """Name what shuts the door: it refuses connections for so many seconds."""
    _shut[:] = [shut]


def begin(seconds: float) -> None:
    """Refuse every connection for so long. Returns as soon as the first would be refused."""
    for shut in _shut:
        shut(seconds)
