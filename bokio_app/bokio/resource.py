"""What every resource needs: paths below a base, and lists fetched page by page."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import BinaryIO, Final, Protocol, TypeVar
from uuid import UUID

from bokio_app.bokio.errors import OutcomeUnknown
from bokio_app.bokio.files import ReceivedFile
from bokio_app.bokio.filterable import query_of
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.http import LARGEST_FILE, Http
from bokio_app.bokio.paging import PAGE_SIZE, Found, Page, Row
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.wire import BodyError

LIST_KEYS: Final = ("items", "result", "data")  # the published one first, then seen variants


class OfInvoice(Protocol):
    """Anything that belongs to an invoice."""

    @property
    def invoice_id(self) -> UUID | None: ...


T = TypeVar("T")
Part = TypeVar("Part", bound=OfInvoice)
Parse = Callable[[object], T]


class Resource:
    """Operations below one path. A method makes one call, and returns a value or raises."""

    def __init__(self, http: Http, base: str = "") -> None:
        self._http = http
        self._base = base

    def _get(
        self, operation: str, path: str, parse: Parse[T], query: Mapping[str, str] | None = None
    ) -> T:
        return self._http.request(
            operation, "GET", self._base + path, parse=_bare(parse), query=query
        )

    def _post(self, operation: str, path: str, parse: Parse[T], body: object = None) -> T:
        return self._http.request(
            operation, "POST", self._base + path, parse=_bare(parse), body=body
        )

    def _put(self, operation: str, path: str, parse: Parse[T], body: object) -> T:
        return self._http.request(
            operation, "PUT", self._base + path, parse=_bare(parse), body=body
        )

    def _delete(self, operation: str, path: str) -> None:
        """A success has no body, or JSON: a page of HTML comes from somebody in Bokio's place."""
        answer = self._http.send(operation, "DELETE", self._base + path)
        if not answer.content:
            return
        try:
            answer.json()
        except BodyError as unfit:
            raise OutcomeUnknown(
                f"{operation}: {answer.status}, but {unfit}", status=answer.status
            ) from None

    def _download(self, operation: str, path: str) -> bytes:
        file = BytesIO()
        self._download_into(operation, path, file)
        return file.getvalue()

    def _download_into(
        self, operation: str, path: str, file: BinaryIO, *, largest: int = LARGEST_FILE
    ) -> ReceivedFile:
        return self._http.download(operation, self._base + path, file, largest=largest)

    def _pages(
        self,
        operation: str,
        path: str,
        parse: Parse[Row],
        *,
        where: Filter | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Found[Row]:
        """Yield every row once, in pages fetched as they are needed: see `paging.Found`.

        A filter that the list does not take is refused at once.
        """
        fixed = dict(query or {}) | query_of(operation, where)

        def fetch(number: int) -> Page[Row]:
            asked = fixed | {"page": str(number), "pageSize": str(PAGE_SIZE)}
            return self._get(operation, path, _page(parse), asked)

        return Found(operation, fetch)


def _bare(parse: Parse[T]) -> Parse[T]:
    """Let an object be wrapped in a key of its own name, as some of Bokio's are.

    Every real answer has more keys than one, or is a list.
    """

    def parsed(data: object) -> T:
        inner = next(iter(data.values())) if isinstance(data, dict) and len(data) == 1 else None
        return parse(inner if isinstance(inner, dict) else data)

    return parsed


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


def _page(parse: Parse[Row]) -> Parse[Page[Row]]:
    """Make a parser for one page; a bare list is the whole of it."""

    def parsed(data: object) -> Page[Row]:
        rows = [parse(each) for each in _rows(data)]
        if not isinstance(data, dict):
            return Page(rows, pages=1, total=None)
        told = Fields(data)
        return Page(rows, told.integer_or_none("totalPages"), told.integer_or_none("totalItems"))

    return parsed


def _rows(data: object) -> list[object]:
    if isinstance(data, dict):
        data = next((data[key] for key in LIST_KEYS if key in data), None)
    if not isinstance(data, list):
        raise BodyError("there is no list in the body")
    return data
