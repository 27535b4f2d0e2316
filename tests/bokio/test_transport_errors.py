"""Every way in which the HTTP library can fail, and what it says about the request.

The table names each exception class there is: a version that adds one fails here by name, and
somebody decides what it means before it decides about money.
"""

import inspect
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

import httpcore2
import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bokio_app.bokio.errors import NotSent, OutcomeUnknown, from_transport
from bokio_app.bokio.http import Call, Http
from bokio_app.bokio.transport import new_client
from tests.bokio.server import raw_answer

pytestmark = pytest.mark.fault


class Means(Enum):
    NOT_SENT = NotSent  # it happens only while there is no connection to write to
    UNKNOWN = OutcomeUnknown
    NEVER = None  # it does not leave the library, or not in this use of it


TABLE = {
    "httpx2.CloseError": Means.UNKNOWN,
    "httpx2.ConnectError": Means.NOT_SENT,
    "httpx2.ConnectTimeout": Means.NOT_SENT,
    "httpx2.CookieConflict": Means.NEVER,  # from looking into a cookie jar; ours takes no cookies
    "httpx2.DecodingError": Means.UNKNOWN,
    "httpx2.HTTPError": Means.UNKNOWN,
    "httpx2.HTTPStatusError": Means.UNKNOWN,
    "httpx2.InvalidURL": Means.NOT_SENT,
    "httpx2.LocalProtocolError": Means.UNKNOWN,
    "httpx2.NetworkError": Means.UNKNOWN,
    "httpx2.PoolTimeout": Means.NOT_SENT,
    "httpx2.ProtocolError": Means.UNKNOWN,
    "httpx2.ProxyError": Means.NOT_SENT,
    "httpx2.ReadError": Means.UNKNOWN,
    "httpx2.ReadTimeout": Means.UNKNOWN,
    "httpx2.RemoteProtocolError": Means.UNKNOWN,
    "httpx2.RequestError": Means.UNKNOWN,
    "httpx2.RequestNotRead": Means.UNKNOWN,
    "httpx2.ResponseNotRead": Means.UNKNOWN,
    "httpx2.SSEError": Means.UNKNOWN,
    "httpx2.StreamClosed": Means.UNKNOWN,
    "httpx2.StreamConsumed": Means.UNKNOWN,
    "httpx2.StreamError": Means.UNKNOWN,
    "httpx2.TimeoutException": Means.UNKNOWN,
    "httpx2.TooManyRedirects": Means.UNKNOWN,
    "httpx2.TransportError": Means.UNKNOWN,
    "httpx2.UnsupportedProtocol": Means.NOT_SENT,
    "httpx2.WriteError": Means.UNKNOWN,
    "httpx2.WriteTimeout": Means.UNKNOWN,
    "httpcore2.ConnectError": Means.NOT_SENT,
    "httpcore2.ConnectTimeout": Means.NOT_SENT,
    "httpcore2.ConnectionNotAvailable": Means.NEVER,  # tells the pool to take another connection
    "httpcore2.LocalProtocolError": Means.UNKNOWN,
    "httpcore2.NetworkError": Means.UNKNOWN,
    "httpcore2.PoolTimeout": Means.NOT_SENT,
    "httpcore2.ProtocolError": Means.UNKNOWN,
    "httpcore2.ProxyError": Means.NOT_SENT,
    "httpcore2.ReadError": Means.UNKNOWN,
    "httpcore2.ReadTimeout": Means.UNKNOWN,
    "httpcore2.RemoteProtocolError": Means.UNKNOWN,
    "httpcore2.TimeoutException": Means.UNKNOWN,
    "httpcore2.UnsupportedProtocol": Means.NOT_SENT,
    "httpcore2.WriteError": Means.UNKNOWN,
    "httpcore2.WriteTimeout": Means.UNKNOWN,
}


def exceptions_of(library) -> Iterator[tuple[str, type[Exception]]]:
    """Every exception class that the library offers, and every class derived from one."""
    open_ended = [
        each
        for _, each in inspect.getmembers(library, inspect.isclass)
        if issubclass(each, Exception) and not issubclass(each, Warning)
    ]
    found = set()
    while open_ended:
        each = open_ended.pop()
        if each not in found and each.__module__.partition(".")[0] == library.__name__:
            found.add(each)
            open_ended += each.__subclasses__()
    for each in sorted(found, key=lambda kind: kind.__name__):
        yield f"{library.__name__}.{each.__name__}", each


HIGH, LOW = dict(exceptions_of(httpx2)), dict(exceptions_of(httpcore2))


def test_every_exception_there_is_has_been_thought_about():
    assert (HIGH | LOW).keys() == TABLE.keys()


def raised_by(client, url="http://bokio.test/v1") -> tuple[Exception, list[Call]]:
    calls: list[Call] = []
    http = Http(url, access_token="t", client=client, deadline=5, on_call=calls.append)
    with pytest.raises((NotSent, OutcomeUnknown)) as raised:
        http.send("post-invoice", "POST", "invoices", content=b"{}")
    return raised.value, calls


@pytest.mark.parametrize("name", [name for name in HIGH if TABLE[name] is not Means.NEVER])
def test_a_failed_call_ends_as_the_table_says_and_is_told_to_the_hook(name):
    kind = HIGH[name]

    def fails(request):
        raise kind.__new__(kind)

    with httpx2.Client(transport=httpx2.MockTransport(fails)) as client:
        error, calls = raised_by(client)

    assert type(error) is TABLE[name].value
    assert error.not_executed is (TABLE[name] is Means.NOT_SENT)
    assert kind.__name__ in str(error)
    assert [(call.operation, call.status) for call in calls] == [("post-invoice", 0)]


@pytest.mark.parametrize("name", [name for name in HIGH if TABLE[name] is Means.NOT_SENT])
def test_no_failure_proves_that_nothing_was_sent_once_a_byte_has_left(name):
    assert type(from_transport(HIGH[name]("late"), wrote=True)) is OutcomeUnknown


@dataclass
class Plan:
    """Where the connection fails, and with what."""

    stage: str = ""
    failure: Exception | None = None
    answer: bytes = b""
    written: bytearray = field(default_factory=bytearray)

    def at(self, stage: str) -> None:
        if self.failure and stage == self.stage:
            raise self.failure


class PlannedStream(httpcore2.NetworkStream):
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rest = plan.answer

    def write(self, buffer, timeout=None):
        self.plan.at("later write" if self.plan.written else "first write")
        self.plan.written += buffer

    def read(self, max_bytes, timeout=None):
        if self.rest and self.plan.stage != "first read":
            piece, self.rest = self.rest[:max_bytes], self.rest[max_bytes:]
            return piece
        self.plan.at(self.plan.stage)
        return b""

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        self.plan.at("handshake")
        return self

    def close(self):
        pass

    def get_extra_info(self, info):
        return None


class PlannedBackend(httpcore2.NetworkBackend):
    plan = Plan()

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.plan.at("connect")
        return PlannedStream(self.plan)


@pytest.fixture(scope="module")
def planned() -> Iterator[tuple[httpx2.Client, type[PlannedBackend]]]:
    """A client as the product makes it, whose sockets fail as planned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpcore2, "SyncBackend", PlannedBackend)
        client = new_client()
    with client:
        yield client, PlannedBackend


STAGES = ["connect", "handshake", "first write", "later write", "first read", "later read"]
BEFORE = {"connect", "handshake"}
HALF_AN_ANSWER = raw_answer(b'{"id": 1}')[:-4]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", [name for name in LOW if TABLE[name] is not Means.NEVER])
def test_a_failing_socket_proves_nothing_unless_the_connection_never_stood(planned, name, stage):
    client, backend = planned
    failure = LOW[name]("failed")
    answer = HALF_AN_ANSWER if stage == "later read" else b""
    backend.plan = plan = Plan(stage, failure, answer)

    error, _ = raised_by(client, f"https://{stage.replace(' ', '-')}.bokio.test/v1")

    not_sent = TABLE[name] is Means.NOT_SENT and stage in BEFORE
    assert type(error) is (NotSent if not_sent else OutcomeUnknown)
    assert bool(plan.written) is (stage not in {*BEFORE, "first write"})


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        HALF_AN_ANSWER,
        b"HTTP/1.1 200",
        b"\0\0\0",
        raw_answer(b"x", 200, {"Content-Length": "z"}),
    ],
    ids=["nothing", "half", "half a line", "another protocol", "no length"],
)
def test_a_connection_that_ends_quietly_proves_nothing(planned, answer):
    client, backend = planned
    backend.plan = Plan(answer=answer)

    error, _ = raised_by(client)

    assert type(error) is OutcomeUnknown


@pytest.mark.parametrize("host", ["x..se", "x" * 70 + ".se", "xn--.se", "1.2.3.4.5"])
def test_a_host_that_no_name_service_can_be_asked_for_means_nothing_was_sent(client, host):
    error, _ = raised_by(client, f"http://{host}/v1")

    assert type(error) is NotSent


@pytest.fixture(scope="module")
def impostor(tmp_path_factory) -> Iterator[int]:
    """The port of a server that speaks TLS under a certificate of its own making."""
    path = tmp_path_factory.mktemp("tls") / "impostor.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(
            issuer_name=name,
            subject_name=name,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
        )
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    def serve(listener: socket.socket) -> None:
        sock, _ = listener.accept()
        with suppress(OSError), context.wrap_socket(sock, server_side=True) as stream:
            stream.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


def test_a_certificate_that_nobody_vouches_for_ends_before_anything_is_sent(impostor, client):
    error, _ = raised_by(client, f"https://localhost:{impostor}/v1")

    assert type(error) is NotSent
    assert "certificate verify failed" in str(error).lower().replace("_", " ")
