"""What every resource needs: paths below a base, and lists fetched page by page."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol, TypeVar
from uuid import UUID

from bokio_app.bokio.errors import OutcomeUnknown
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.http import LARGEST_FILE, Http
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.wire import BodyError

PAGE_SIZE: Final = 100  # the largest that Bokio serves
MOST_PAGES: Final = 10_000  # a million rows; a list that goes on after that does not end
LIST_KEYS: Final = ("items", "result", "data")  # the published one first, then seen variants


class Identified(Protocol):
    """Anything with an id of Bokio's."""

    @property
    def id(self) -> UUID: ...


class OfInvoice(Protocol):
    """Anything that belongs to an invoice."""

    @property
    def invoice_id(self) -> UUID | None: ...


T = TypeVar("T")
Part = TypeVar("Part", bound=OfInvoice)
Row = TypeVar("Row", bound=Identified)
Parse = Callable[[object], T]


class Resource:
    """Operations below one path. A method makes one call, and returns a value or raises."""

    def __init__(self, http: Http, base: str = "") -> None:
        self._http = http
        self._base = base

    def _get(
        self, operation: str, path: str, parse: Parse[T], query: Mapping[str, str] | None = None
    ) -> T:
        return self._http.request(operation, "GET", self._base + path, parse=parse, query=query)

    def _post(self, operation: str, path: str, parse: Parse[T], body: object = None) -> T:
        return self._http.request(operation, "POST", self._base + path, parse=parse, body=body)

    def _put(self, operation: str, path: str, parse: Parse[T], body: object) -> T:
        return self._http.request(operation, "PUT", self._base + path, parse=parse, body=body)

    def _delete(self, operation: str, path: str) -> None:
        self._http.send(operation, "DELETE", self._base + path)

    def _download(self, operation: str, path: str) -> bytes:
        answer = self._http.send(
            operation, "GET", self._base + path, accept="*/*", largest=LARGEST_FILE
        )
        if not answer.content:
            raise OutcomeUnknown(f"{operation}: the file is empty", status=answer.status)
        return answer.content

    def _pages(
        self,
        operation: str,
        path: str,
        parse: Parse[Row],
        *,
        where: Filter | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Iterator[Row]:
        """Yield every row once, asking for the next page only when it is needed.

        Rows shift between pages while others write, so a row seen before is passed over; one
        that moved to a page already read is missed. Source: Bokio has no cursor and no order.
        """
        fixed = dict(query or {}) | ({} if where is None else {"query": where.text})
        seen: set[UUID] = set()
        for page in range(1, MOST_PAGES + 1):
            asked = fixed | {"page": str(page), "pageSize": str(PAGE_SIZE)}
            rows, pages = self._get(operation, path, _page(parse), asked)
            fresh = {row.id: row for row in rows if row.id not in seen}
            seen |= fresh.keys()
            yield from fresh.values()
            ended = page >= pages if pages is not None else not fresh
            if ended or not rows:
                return
        raise OutcomeUnknown(f"{operation}: the list does not end")


def same(parse: Parse[Row], expected: UUID) -> Parse[Row]:
    """Wrap a parser so that an answer about another object than the one asked for is refused."""

    def checked(data: object) -> Row:
        found = parse(data)
        if found.id != expected:
            raise BodyError("the answer is about another object")
        return found

    return checked


def of_invoice(parse: Parse[Part], invoice_id: UUID) -> Parse[Part]:
    """Wrap a parser so that a part of another invoice is refused."""

    def checked(data: object) -> Part:
        found = parse(data)
        if found.invoice_id not in {None, invoice_id}:
            raise BodyError("the answer is about another invoice")
        return found

    return checked


def plain_list(parse: Parse[T]) -> Parse[list[T]]:
    """Make a parser for a list that is not paged, bare or under one of the usual keys."""

    def parsed(data: object) -> list[T]:
        return [parse(each) for each in _rows(data)]

    return parsed


def _page(parse: Parse[T]) -> Parse[tuple[list[T], int | None]]:
    """Make a parser for one page and the number of pages; None if the answer does not tell."""

    def parsed(data: object) -> tuple[list[T], int | None]:
        pages = Fields(data).integer_or_none("totalPages") if isinstance(data, dict) else 1
        return [parse(each) for each in _rows(data)], pages

    return parsed


def _rows(data: object) -> list[object]:
    if isinstance(data, dict):
        data = next((data[key] for key in LIST_KEYS if key in data), None)
    if not isinstance(data, list):
        raise BodyError("there is no list in the body")
    return data
