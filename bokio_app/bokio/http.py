"""One call to Bokio: a request goes out at most once, and ends as a value or as an error."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedReader
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx2

from bokio_app.bokio import transport, wire
from bokio_app.bokio.answers import Answer
from bokio_app.bokio.errors import (
    BokioError,
    NotSent,
    OutcomeUnknown,
    Unsendable,
    classify,
    from_transport,
)
from bokio_app.bokio.files import FileFailed, Form, ReceivedFile, Sink, received
from bokio_app.bokio.receiving import Response, read_answer

T = TypeVar("T")

DEADLINE: Final = 30.0  # seconds for a whole exchange
FILE_DEADLINE: Final = 180.0  # seconds for one that carries a file: 25 MB at little over 1 Mbit/s
CONNECT_TIMEOUT: Final = 5.0  # seconds to open a connection, or to wait for a free one
LARGEST_JSON: Final = 16 * 1024 * 1024  # bytes; a page of 100 full invoices is under 1 MB
LARGEST_FILE: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class Call:
    """What may be told about a finished call: never an address, a body or a token.

    `status` is 0 when no answer came, and `sent` False when it is certain that nothing of the
    request left us. `seconds` is the whole exchange. The rate figures come from
    the answer's headers and are None when it has none. `supported` and `deprecated` are the
    API's versions as Bokio's headers list them, empty when they do not.
    """

    operation: str
    method: str
    status: int
    seconds: float
    code: str = ""
    error_id: str = ""
    limit: float | None = None
    remaining: float | None = None
    retry_after: float | None = None
    supported: str = ""
    deprecated: str = ""
    sent: bool = True

    def deprecates(self, version: str) -> bool:
        """Whether Bokio announced the end of this version, such as `v1`; also spelt `1` or `1.0`.

        The form of the header is not published. Source: docs.bokio.se, Versioning.
        """
        listed = (_bare_version(each) for each in self.deprecated.split(","))
        return _bare_version(version) in listed


# Asked before each exchange with method and path (relative to the API's address, no query). It
# may raise, and then nothing is sent; what it returns hears of the call when it is finished.
BeforeCall = Callable[[str, str], Callable[[Call], None]]


class Http:
    """Calls under one access token. Cheap to make; safe to use from many threads.

    `api_url` includes the version, such as `https://api.bokio.se/v1`. `client` is shared by all
    (default: the process's own). `deadline` is in seconds, over connecting, writing and reading
    together; `file_deadline` takes its place for calls that carry a file. `send_by` is a
    `time.monotonic()` moment: later than that the request is not written, and `NotSent` is
    raised. `on_call` hears of every finished call, good or bad, in the calling thread, and must
    not raise. `before_call` may hold a call back or refuse it. Nothing is ever sent twice and no
    redirect is followed. `on_answer` is given each answer, good or bad, before it is parsed.
    """

    def __init__(
        self,
        api_url: str,
        *,
        access_token: str,
        client: httpx2.Client | None = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        deadline: float = DEADLINE,
        file_deadline: float = FILE_DEADLINE,
        on_call: Callable[[Call], None] | None = None,
        before_call: BeforeCall | None = None,
        on_answer: Callable[[Answer], None] | None = None,
        send_by: float | None = None,
    ) -> None:
        if not (access_token.isascii() and access_token.isprintable() and access_token.strip()):
            raise ValueError("an access token is printable ASCII")
        self._api_url = checked_address(api_url)
        self._authorization = f"Bearer {access_token}"
        self._client = client
        self._connect_timeout = connect_timeout
        self._deadline = deadline
        self._file_deadline = file_deadline
        self._on_call = on_call
        self._before_call = before_call
        self._on_answer = on_answer
        self._send_by = send_by

    def __repr__(self) -> str:
        return f"Http({self._api_url!r})"

    def request(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        parse: Callable[[object], T],
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> T:
        """Send one request and hand the JSON of its answer to `parse`.

        `operation` is the operation's id in Bokio's published description, `path` is relative to
        the API's address, `body` goes as JSON unless it is a form with a file. A body that
        `parse` refuses (`wire.BodyError`) is an `OutcomeUnknown`: the request was carried out,
        or something else answered in Bokio's place. A body that has no exact JSON is
        `Unsendable`.
        """
        content = _content(operation, body)
        answer = self.send(operation, method, path, query=query, content=content)
        try:
            return parse(answer.json())
        except wire.BodyError as unfit:
            raise OutcomeUnknown(
                f"{operation}: {answer.status}, but {unfit}", status=answer.status
            ) from None

    def send(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | Form | None = None,
        largest: int = LARGEST_JSON,
        sink: Sink | None = None,
    ) -> Answer:
        """Send one request and return its answer if it is a success; raise the error if not.

        `content` is JSON, or a form with a file. With a `sink`, the body of a success goes there
        and `Answer.content` stays empty. Any other body over `largest` bytes is an
        `OutcomeUnknown`.
        """
        answer: Answer | None = None
        error: BokioError | None = None
        with_file = sink is not None or isinstance(content, Form)
        after_call = self._before_call(method, path) if self._before_call else None
        started = time.monotonic()
        try:
            answer = exchange(
                self._client or transport.shared_client(),
                method,
                self._api_url,
                f"/{path}{_query_text(query)}",
                headers=self._headers(content, sink),
                content=content,
                connect_timeout=self._connect_timeout,
                deadline=self._file_deadline if with_file else self._deadline,
                send_by=self._send_by,
                largest=largest,
                sink=sink,
            )
            if not 200 <= answer.status < 300:
                error = classify(answer)
        except BokioError as failure:
            error = failure
        if answer is not None and self._on_answer:
            self._on_answer(answer)
        call = _call(operation, method, time.monotonic() - started, answer, error)
        for hear in (after_call, self._on_call):
            if hear:
                hear(call)
        if error is not None:
            raise error
        if answer is None:
            raise AssertionError("an exchange ends with an answer or an error")
        return answer

    def download(
        self,
        operation: str,
        path: str,
        file: BinaryIO,
        *,
        largest: int = LARGEST_FILE,
    ) -> ReceivedFile:
        """Fetch a file into `file`, piece by piece, and say what it was.

        A file that is empty, over `largest` bytes or shorter than announced is an
        `OutcomeUnknown`, and so is a `file` that cannot be written. After any error, what `file`
        holds is a part of it or nothing.
        """
        sink = Sink(file, largest=largest)
        answer = self.send(operation, "GET", path, sink=sink)
        if not sink.size:
            raise OutcomeUnknown(f"{operation}: the file is empty", status=answer.status)
        return received(answer.headers, size=sink.size)

    def _headers(self, content: bytes | Form | None, sink: Sink | None) -> dict[str, str]:
        headers = {"Authorization": self._authorization, "Accept": "application/json"}
        if isinstance(content, bytes):
            headers["Content-Type"] = "application/json"  # a form names its own, with its boundary
        if sink is not None:
            # Unpacking does not notice a missing end, a length on the wire does.
            headers |= {"Accept": "*/*", "Accept-Encoding": "identity"}
        return headers


def exchange(
    client: httpx2.Client,
    method: str,
    address: str,
    path: str = "",
    *,
    headers: Mapping[str, str],
    content: bytes | Form | None = None,
    connect_timeout: float = CONNECT_TIMEOUT,
    deadline: float = DEADLINE,
    send_by: float | None = None,
    largest: int = LARGEST_JSON,
    sink: Sink | None = None,
) -> Answer:
    """Send one request over `client` and read the whole answer, whatever its status.

    `path`, with a slash and perhaps a query, is below `address`. The body of a success goes to
    `sink` if there is one, under the sink's own limit. Raises `NotSent` or `OutcomeUnknown`;
    `Unsendable` when the file to send broke before anything was written. An answer over `largest`
    bytes is not read to its end.
    """
    state = transport.Exchange(ends_at=time.monotonic() + deadline, send_by=send_by)
    timeout = _timeout(deadline, min(connect_timeout, deadline))
    try:
        state.refuse_if_late()  # for clients with a transport of their own, as in tests
        with state:
            response = _send(
                client, method, address, path, headers=headers, content=content, timeout=timeout
            )
            return read_answer(response, largest=largest, sink=sink)
    except transport.SendGuardPassed:
        raise NotSent("The time in which the request might be sent had passed") from None
    except FileFailed as failure:
        kind = OutcomeUnknown if state.wrote else Unsendable
        raise kind(str(failure)) from failure.__cause__
    except transport.FAILURES as failure:
        raise from_transport(failure, wrote=state.wrote) from None


def _send(
    client: httpx2.Client,
    method: str,
    address: str,
    path: str,
    *,
    headers: Mapping[str, str],
    content: bytes | Form | None,
    timeout: httpx2.Timeout,
) -> Response:
    """Straight to the connections if they are ours; httpx2 writes forms, as the file is read."""
    if isinstance(client, transport.Client) and not isinstance(content, Form):
        return client.open(method, address, path, headers=headers, content=content, timeout=timeout)
    request = client.build_request(
        method, address + path, headers=dict(headers), timeout=timeout, **_body_options(content)
    )
    return client.send(request, stream=True, auth=None, follow_redirects=False)


@lru_cache(maxsize=64)
def _timeout(deadline: float, patience: float) -> httpx2.Timeout:
    return httpx2.Timeout(deadline, connect=patience, pool=patience)


@lru_cache(maxsize=8)
def checked_address(url: str) -> str:
    """Return the address without its last slash; `ValueError` if it is no plain http(s) one."""
    parts = urlsplit(url)
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        raise ValueError("an API address looks like https://api.bokio.se/v1")
    return url.rstrip("/")


def _reason(unfit: Exception) -> str:
    """The words of our own encoder; Python's words on broken text quote it."""
    return "the text is no Unicode" if isinstance(unfit, UnicodeError) else str(unfit)


def _content(operation: str, body: object) -> bytes | Form | None:
    try:
        return body if body is None or isinstance(body, Form) else wire.encode(body)
    except (TypeError, ValueError) as unfit:
        raise Unsendable(f"{operation}: {_reason(unfit)}") from None


def _body_options(content: bytes | Form | None) -> dict[str, Any]:
    """The body as httpx2's requests take it; it writes forms itself, from the file as it goes."""
    if not isinstance(content, Form):
        return {"content": content}
    reader = BufferedReader(content.source)
    return {"data": content.fields, "files": {"file": (content.name, reader, content.media_type)}}


def _query_text(query: Mapping[str, str] | None) -> str:
    return "?" + urlencode(query, quote_via=quote, safe="") if query else ""


def _bare_version(text: str) -> str:
    return text.strip().lower().removeprefix("v").removesuffix(".0")


def _call(
    operation: str, method: str, seconds: float, answer: Answer | None, error: BokioError | None
) -> Call:
    return Call(
        operation,
        method,
        status=answer.status if answer else error.status if error else 0,
        seconds=seconds,
        code=error.code if error else "",
        error_id=error.error_id if error else "",
        limit=answer.rate("Limit") if answer else None,
        remaining=answer.rate("Remaining") if answer else None,
        retry_after=answer.rate("RetryAfter") if answer else None,
        supported=answer.versions("Supported") if answer else "",
        deprecated=answer.versions("Deprecated") if answer else "",
        sent=not isinstance(error, NotSent | Unsendable),
    )
