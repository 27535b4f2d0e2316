"""Everything that can go wrong with a call, and the one place that tells which it was."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import ClassVar, Final
from urllib.parse import unquote

import httpcore2
import httpx2

from bokio_app.bokio.answers import Answer
from bokio_app.bokio.wire import storable


class Verdict(Enum):
    """What may be done about an error, whatever its class."""

    STOP = "stop"  # the same request would be refused again
    RETRY = "retry"  # nothing happened; send again after a wait
    LOOK_FIRST = "look_first"  # it may have happened; read before sending again
    RECONNECT = "reconnect"  # the token is not accepted; refresh once, else ask for consent
    PARK_PLAN = "park_plan"  # the company's price plan does not include the API
    PARK_QUOTA = "park_quota"  # the quota is spent; send nothing until `retry_after`
    BROWNOUT = "brownout"  # this version of the API is being switched off


_PLACE: Final = re.compile(r"0|[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class FieldError:
    """One refused field: `pointer` such as `#/lineItems/0/taxRate`, or `query` for a filter."""

    pointer: str
    message: str

    @property
    def path(self) -> tuple[str | int, ...]:
        """The pointer taken apart: `("lineItems", 0, "taxRate")`. Empty for the whole body.

        Source: RFC 6901, the form for the fragment of an address; a bare word is one step.
        """
        start, *steps = unquote(self.pointer).split("/")
        names = [each.replace("~1", "/").replace("~0", "~") for each in steps]
        if start not in {"", "#"}:
            names.insert(0, start)
        return tuple(int(each) if _PLACE.fullmatch(each) else each for each in names)


@dataclass(frozen=True)
class PlanDetails:
    """Which plan would open what was asked for.

    `feature` such as `PublicApi`, `PrivateApi` or `Tags`; `plans` that include it, and
    `addon_plans` in which it can be bought. `open_in_trial`: a trial has it; `in_trial`: this
    company is in one. Empty or None where the answer does not tell.
    """

    feature: str = ""
    plans: tuple[str, ...] = ()
    addon_plans: tuple[str, ...] = ()
    open_in_trial: bool | None = None
    in_trial: bool | None = None


class BokioError(Exception):
    """A call to Bokio gave no result. `error_id` is Bokio's own reference, for their support.

    `code` and `inner_code` are Bokio's words for the reason, empty where it gave none.
    `retry_after` is in seconds. `status` is 0 when no answer came. `body` is the start of the
    answer as text, long numbers masked, for a question to support: it may name people, so
    it belongs in no log.
    """

    verdict: ClassVar[Verdict] = Verdict.STOP
    not_executed: ClassVar[bool] = True  # proof that the request changed nothing

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        inner_code: str = "",
        error_id: str = "",
        status: int = 0,
        fields: Sequence[FieldError] = (),
        retry_after: float | None = None,
        body: str = "",
    ) -> None:
        super().__init__(message)
        self.code, self.inner_code = code, inner_code
        self.error_id, self.status = error_id, status
        self.fields = tuple(fields)
        self.retry_after = retry_after
        self.body = body


class NotSent(BokioError):
    """No byte of the request left us: no connection, or its time to be sent had passed."""

    verdict = Verdict.RETRY


class Unsendable(BokioError, ValueError):
    """The data breaks a rule that can be checked here: too many decimals, a value no filter can
    carry. Nothing was sent, and the message never quotes the data.
    """


class Unauthorized(BokioError):
    """The access token is expired, revoked or unknown."""

    verdict = Verdict.RECONNECT


class Forbidden(BokioError):
    """The token lacks a scope, or belongs to another company."""


class PlanRequired(BokioError):
    """The company's price plan does not open this part of the API. `details` names ones that do."""

    verdict = Verdict.PARK_PLAN
    details: PlanDetails = PlanDetails()


class QuotaExceeded(BokioError):
    """The day's or month's quota is spent. The whole connection rests for `retry_after`."""

    verdict = Verdict.PARK_QUOTA


class NotFound(BokioError):
    """No such object, or it is gone."""


class RateLimited(BokioError):
    """Too many requests in the last minute. Wait exactly `retry_after`."""

    verdict = Verdict.RETRY


class ConcurrentWrite(BokioError):
    """Another write to the same method and path was being carried out."""

    verdict = Verdict.RETRY


class VersionBrownout(BokioError):
    """Bokio rehearses the end of this API version; it answers again later, for a while."""

    verdict = Verdict.BROWNOUT


class Invalid(BokioError):
    """Bokio refused the data; `fields` says which."""


class StateRefused(BokioError):
    """The object is not in a state for this, which may be because it was done already."""

    verdict = Verdict.LOOK_FIRST
    not_executed = False


class OutcomeUnknown(BokioError):
    """The request was sent and no trustworthy answer came. It may have been carried out."""

    verdict = Verdict.LOOK_FIRST
    not_executed = False


BODY_LENGTH: Final = 4096  # bytes of an answer that are kept
_KNOWN_STATUSES: Final = frozenset(HTTPStatus)

# Nothing of the request has been written when these are raised: the connection does not stand
# yet (a proxy error comes from setting up the tunnel), or there is no way to make one.
_NO_CONNECTION: Final = (httpx2.ConnectError, httpcore2.ConnectError)
_BEFORE_SENDING: Final = (
    *_NO_CONNECTION,
    *(httpx2.ConnectTimeout, httpcore2.ConnectTimeout),
    *(httpx2.PoolTimeout, httpcore2.PoolTimeout),
    *(httpx2.ProxyError, httpcore2.ProxyError),
    *(httpx2.UnsupportedProtocol, httpcore2.UnsupportedProtocol),
    httpx2.InvalidURL,
)


def from_transport(error: Exception, *, wrote: bool = False) -> BokioError:
    """Say what a failure of the connection means. `wrote`: a byte of the request is known to
    have left, whatever the failure is called.

    The message names the failure; it quotes the system's words only while connecting, because
    later ones can hold pieces of the exchange.
    """
    name = type(error).__name__
    if isinstance(error, _BEFORE_SENDING) and not wrote:
        reason = f" ({error})" if isinstance(error, _NO_CONNECTION) else ""
        return NotSent(f"Bokio could not be reached: {name}{reason}")
    return OutcomeUnknown(f"The exchange with Bokio broke off: {name}")


def classify(answer: Answer) -> BokioError:
    """Turn an answer that is no success into the error that says what may be done about it."""
    body = _error_body(answer.json_or_empty())
    code, fields = _word(body.get("code") or body.get("error")), _fields(body)
    kind, retry_after = _kind(answer, code, has_fields=bool(fields))
    text = body.get("message") or body.get("error_description") or code or _phrase(answer.status)
    error = kind(
        f"{answer.status}: {masked(str(text))}",
        code=code,
        inner_code=_word(body.get("innerCode")),
        error_id=_word(body.get("bokioErrorId")),
        status=answer.status,
        fields=fields,
        retry_after=retry_after,
        body=_start_of(answer.content),
    )
    if isinstance(error, PlanRequired):
        error.details = _plan_details(body.get("details"))
    return error


def _kind(answer: Answer, code: str, *, has_fields: bool) -> tuple[type[BokioError], float | None]:
    match answer.status:
        case 400:
            refused_for_good = has_fields or code == "limit-exceeded"
            return (Invalid if refused_for_good else StateRefused), None
        case 403:
            return _forbidden(answer, code)
        case 410:
            gone = not code.startswith("version_")
            return (NotFound if gone else VersionBrownout), answer.retry_after()
        case 429:
            return _too_many(answer, code)
        case status:
            return _BY_STATUS.get(status, OutcomeUnknown), answer.retry_after()


_BY_STATUS: Final[Mapping[int, type[BokioError]]] = {
    401: Unauthorized,
    404: NotFound,
    409: ConcurrentWrite,
    426: VersionBrownout,
}


def _too_many(answer: Answer, code: str) -> tuple[type[BokioError], float | None]:
    if code == "quota-exceeded":  # 403 by the newest page, 429 by what others have met
        return QuotaExceeded, answer.retry_after()
    wait = answer.rate("RetryAfter")
    wait = answer.retry_after() if wait is None else wait
    # A clash of two writes carries the same status, but never a time to wait.
    limited = code == "rate-limit-exceeded" or wait is not None
    return (RateLimited if limited else ConcurrentWrite), wait


def _forbidden(answer: Answer, code: str) -> tuple[type[BokioError], float | None]:
    wait = answer.retry_after()
    if code == "price_plan_feature_required":
        return PlanRequired, None
    # The quota's code is documented, its neighbours are not: a refusal that ends is a quota too.
    if code == "quota-exceeded" or wait is not None:
        return QuotaExceeded, wait
    return Forbidden, None


def _error_body(body: Mapping[str, object]) -> Mapping[str, object]:
    nested = body.get("error")  # an older form wraps everything
    return nested if isinstance(nested, dict) else body


def _word(value: object) -> str:
    return value[:100] if isinstance(value, str) else ""


def _fields(body: Mapping[str, object]) -> tuple[FieldError, ...]:
    listed = body.get("errors")
    if not isinstance(listed, list):
        return ()
    return tuple(
        FieldError(str(each.get("field") or ""), masked(str(each.get("message") or "")))
        if isinstance(each, dict)
        else FieldError("", masked(str(each)))
        for each in listed
    )


def _plan_details(details: object) -> PlanDetails:
    if not isinstance(details, dict):
        return PlanDetails()
    return PlanDetails(
        feature=_word(details.get("requiredFeature")),
        plans=_words(details.get("availableIn")),
        addon_plans=_words(details.get("availableAsAddonIn")),
        open_in_trial=_flag(details.get("isAvailableInTrial")),
        in_trial=_flag(details.get("isInTrial")),
    )


def _words(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in _KNOWN_STATUSES else "no such status"


# Month and day of a personal number (day + 60 for a co-ordination number). The month keeps
# companies' own numbers out: their third digit is at least 2.
_BORN: Final = r"(?:0[1-9]|1[0-2])(?:[06][1-9]|[1278]\d|[39][01])"

PERSONAL_NUMBER: Final = re.compile(
    rf"(?<![0-9A-Za-z])(?:(?:19|20)?\d\d{_BORN}[-+]\d{{4}}"
    rf"|(?:19|20)\d\d{_BORN}\d{{4}})(?![0-9A-Za-z])"
)
"""A number that is hardly anything else: with its separator, or with its century."""

BARE_PERSONAL_NUMBER: Final = re.compile(
    rf"(?<![0-9A-Za-z])(?:SE ?)?(?:19|20)?\d\d{_BORN}[-+ ]?\d{{4}}(?: ?01)?(?![0-9A-Za-z])",
    re.IGNORECASE,
)
"""The same also as ten digits, which may be something else, and inside a number for VAT."""

MASK: Final = "••••••-••••"


def masked(text: str) -> str:
    """Hide personal numbers in a message of Bokio's, and cut it to a bearable length."""
    return BARE_PERSONAL_NUMBER.sub(MASK, text)[:500]


# Rather one reference too many than one person's number, which in a body has no fixed form.
_LIKE_A_PERSONAL_NUMBER: Final = re.compile(r"\d{6,8}[-+ ]?\d{4}")
_OF_NUMBERS: Final = "0123456789+- "  # at the end of a piece they may be half a number


def _start_of(content: bytes) -> str:
    text = storable(content[:BODY_LENGTH].decode(errors="replace"))
    whole = text if len(content) <= BODY_LENGTH else text.rstrip(_OF_NUMBERS)
    return _LIKE_A_PERSONAL_NUMBER.sub(MASK, whole)[:BODY_LENGTH]
