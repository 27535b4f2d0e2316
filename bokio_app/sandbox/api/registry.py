"""The table of operations. Adding one to the sandbox is one decorated function."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import unquote

from bokio_app.sandbox import refusals, wire
from bokio_app.sandbox.models import AccessToken, Application, Company
from bokio_app.sandbox.refusals import FieldError, Refusal
from bokio_app.sandbox.wire import Answer, Call

COMPANY_PREFIX = "/companies/{companyId}"
TAG_SEGMENTS = frozenset({"tag-groups", "tags"})


class Audience(Enum):
    """Who may call: a company's token, a general token, or anybody with a client secret."""

    COMPANY = "company"
    GENERAL = "general"
    OPEN = "open"


@dataclass
class Context:
    """One authorised call in the hands of its operation."""

    call: Call
    params: Mapping[str, str]
    received_at: dt.datetime
    token: AccessToken | None = None
    _company: Company | None = None

    @property
    def company(self) -> Company:
        if self._company is None:
            raise LookupError("Only operations under a company's path have a company")
        return self._company

    @property
    def application(self) -> Application:
        if self.token is None:
            raise LookupError("Only operations with a bearer token have an application")
        return self.token.application

    def id(self, name: str, kind: str) -> uuid.UUID:
        """The UUID at this place in the path. A malformed one names nothing: 404."""
        try:
            return uuid.UUID(self.params[name])
        except ValueError:
            raise refusals.not_found(kind, self.params[name]) from None

    def body(self) -> Mapping[str, object]:
        """The JSON object that was sent. Anything else is refused with 400."""
        try:
            data = wire.loads(self.call.body)
        except (ValueError, RecursionError):
            raise refusals.invalid(
                [FieldError("#", "The request body is not valid JSON")]
            ) from None
        if not isinstance(data, dict):
            raise refusals.invalid([FieldError("#", "The request body must be an object")])
        return data


Handler = Callable[[Context], object]


@dataclass(frozen=True)
class Operation:
    """`handle` returns JSON data, None for 204, or a whole `Answer`."""

    id: str
    method: str
    template: str
    scope: str
    audience: Audience
    handle: Handler
    creates: bool = False
    segments: tuple[str, ...] = field(init=False)
    is_about_tags: bool = field(init=False)

    def __post_init__(self) -> None:
        segments = _split(self.template)
        object.__setattr__(self, "segments", segments)
        object.__setattr__(self, "is_about_tags", not TAG_SEGMENTS.isdisjoint(segments))

    @property
    def writes(self) -> bool:
        return self.method != "GET"


@dataclass(frozen=True)
class Route:
    """An operation and the address it was found by: `path` is the same for all its spellings."""

    operation: Operation
    params: Mapping[str, str]
    path: str


_operations: dict[tuple[str, int], list[Operation]] = {}


def _split(path: str) -> tuple[str, ...]:
    """The decoded parts of a path. A slash at its end makes no difference."""
    parts = path.strip("/").split("/")
    return tuple(map(unquote, parts)) if "%" in path else tuple(parts)


def operation(
    method: str,
    path: str,
    operation_id: str,
    *,
    scope: str = "",
    audience: Audience = Audience.COMPANY,
    creates: bool = False,
) -> Callable[[Handler], Handler]:
    """Register the function as an operation of the API. `path` is below the company's."""
    template = COMPANY_PREFIX + path if audience is Audience.COMPANY else path

    def register(handler: Handler) -> Handler:
        row = Operation(operation_id, method, template, scope, audience, handler, creates)
        _operations.setdefault((method, len(row.segments)), []).append(row)
        return handler

    return register


def find(method: str, path: str) -> Route | None:
    """The operation of this method and path (without `/v1`), or None."""
    segments = _split(path)
    for row in _operations.get((method, len(segments)), ()):
        params = _match(row.segments, segments)
        if params is not None:
            return Route(row, params, "/".join(segments).lower())
    return None


def methods_of(path: str) -> set[str]:
    """The methods that the address knows; none if there is no such address."""
    segments = _split(path)
    return {
        method
        for (method, length), rows in _operations.items()
        if length == len(segments) and any(_match(row.segments, segments) for row in rows)
    }


def _match(template: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for wanted, given in zip(template, segments, strict=True):
        if wanted.startswith("{"):
            params[wanted[1:-1]] = given
        elif wanted not in (given, given.lower()):
            return None
    return params


def all_operations() -> list[Operation]:
    return [row for rows in _operations.values() for row in rows]


__all__ = [
    "Answer",
    "Audience",
    "Context",
    "Operation",
    "Refusal",
    "Route",
    "all_operations",
    "find",
    "operation",
]
