"""The record of calls: what came in, when, and what each was answered."""

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

KEPT = 20_000


@dataclass
class Entry:
    """One call. Times are seconds since the record was cleared; `status` is None for no answer."""

    operation: str
    method: str
    path: str
    began: float
    ended: float | None = None
    status: int | None = None
    processed: bool = False


class Record:
    """Counts and lists calls, safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self._start = time.monotonic()
            self._entries: list[Entry] = []
            self._counts: Counter[str] = Counter()
            self._unknown: Counter[str] = Counter()
            self._unknown_parameters: Counter[str] = Counter()

    def begin(self, operation: str, method: str, path: str) -> Entry:
        entry = Entry(operation, method, path, time.monotonic() - self._start)
        with self._lock:
            self._counts[operation] += 1
            if len(self._entries) < KEPT:
                self._entries.append(entry)
        return entry

    def end(self, entry: Entry, status: int | None) -> None:
        entry.status = status
        entry.ended = time.monotonic() - self._start

    def unknown_fields(self, names: list[str]) -> None:
        """Count request fields that the API has no meaning for, and therefore ignored."""
        with self._lock:
            self._unknown.update(names)

    def unknown_parameters(self, names: list[str]) -> None:
        """Count parameters of an address that meant nothing to its operation."""
        if names:
            with self._lock:
                self._unknown_parameters.update(names)

    def as_json(self) -> dict[str, Any]:
        with self._lock:
            entries = list(self._entries)
            counts, unknown = dict(self._counts), dict(self._unknown)
            parameters = dict(self._unknown_parameters)
        return {
            "counts": counts,
            "unknownFields": unknown,
            "unknownParameters": parameters,
            "calls": [
                {
                    "operation": entry.operation,
                    "method": entry.method,
                    "path": entry.path,
                    "status": entry.status,
                    "processed": entry.processed,
                    "began": f"{entry.began:.6f}",
                    "ended": None if entry.ended is None else f"{entry.ended:.6f}",
                }
                for entry in entries
            ],
            "overlappingWrites": _overlaps(entries),
        }


def _overlaps(entries: list[Entry]) -> list[dict[str, str]]:
    """Pairs of writes to the same method and path that were under way at the same time."""
    found = []
    open_until: dict[tuple[str, str], float] = {}
    for entry in entries:
        if entry.method == "GET":
            continue
        key = (entry.method, entry.path)
        if entry.began < open_until.get(key, 0.0):
            found.append({"method": entry.method, "path": entry.path})
        ended = float("inf") if entry.ended is None else entry.ended
        open_until[key] = max(ended, open_until.get(key, 0.0))
    return found


record = Record()
