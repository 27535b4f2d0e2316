"""Walking a paged list whose rows shift while it is read.

Bokio has page numbers and nothing else: no cursor and no promised order. A row that is added or
moved towards the start pushes another one onto the next page, where it is seen twice; one that is
taken away pulls another one back onto a page already read, where it would be missed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

from bokio_app.bokio.errors import OutcomeUnknown

PAGE_SIZE: Final = 100  # the largest that Bokio serves
MOST_PAGES: Final = 10_000  # a million rows; a list that goes on after that does not end
MOST_ROUNDS: Final = 3  # how often a list that will not hold still is read from its start


class Identified(Protocol):
    """Anything with an id of Bokio's."""

    @property
    def id(self) -> UUID: ...


Row = TypeVar("Row", bound=Identified)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page. `pages` and `total` (rows) are None if the answer does not tell them."""

    rows: list[Row]
    pages: int | None
    total: int | None


class Found(Iterator[Row]):
    """The rows of a list, each once, in pages that are fetched as they are needed; see `walk`."""

    def __init__(self, operation: str, fetch: Callable[[int], Page[Row]]) -> None:
        self._fetch = fetch
        self._rows = walk(operation, fetch)

    def __next__(self) -> Row:
        return next(self._rows)

    def page(self, number: int) -> Page[Row]:
        """Fetch one page by itself, from 1: for who walks a long list in more than one go, and
        sees to shifting rows. One call.
        """
        return self._fetch(number)


def walk(operation: str, fetch: Callable[[int], Page[Row]]) -> Iterator[Row]:
    """Yield every row once, asking for the next page (from 1) only when it is needed.

    When Bokio's own count changes meanwhile, or is larger than the rows that came, the list is
    read again from its start for what was missed: at most `MOST_ROUNDS` times, and only while
    that finds anything. One page is one answer and needs no second look. A row taken away and
    another one added between two pages cancel out, and can still hide a third.
    Raises what `fetch` does, and `OutcomeUnknown` after `MOST_PAGES` pages.
    """
    known: set[UUID] = set()
    for _ in range(MOST_ROUNDS):
        known_before = len(known)
        totals: set[int] = set()
        for number in range(1, MOST_PAGES + 1):
            page = fetch(number)
            fresh = {row.id: row for row in page.rows if row.id not in known}
            known |= fresh.keys()
            totals |= {page.total} if page.total is not None else set()
            yield from fresh.values()
            if _is_last(page, number, found_more=bool(fresh)):
                break
        else:
            raise OutcomeUnknown(f"{operation}: the list does not end")
        held_still = len(totals) <= 1 and len(known) >= max(totals, default=0)
        if number == 1 or held_still or len(known) == known_before:
            return


def _is_last(page: Page[Row], number: int, *, found_more: bool) -> bool:
    if not page.rows:
        return True
    return not found_more if page.pages is None else number >= page.pages
