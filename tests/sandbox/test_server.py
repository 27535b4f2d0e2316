"""HTTP as clients in other languages write it, and as nobody should."""

import json
import shutil
import socket
import subprocess
from contextlib import closing

import pytest

from tests.sandbox.conftest import Api, line
from tests.support.sandbox import SandboxProcess

BODY = {"invoiceDate": "2024-10-10", "lineItems": [line()]}


class Wire:
    """A raw connection to the sandbox."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.host, port = sandbox.url.removeprefix("http://").split(":")
        self.port = int(port)
        self._socket = socket.create_connection((self.host, self.port), timeout=10)
        self._read = self._socket.makefile("rb")

    def send(self, *lines: str, body: bytes = b"") -> None:
        head = "\r\n".join([*lines, "", ""])
        self._socket.sendall(head.replace("HOST", f"{self.host}:{self.port}").encode() + body)

    def send_raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self, *, bodiless: bool = False) -> tuple[int, dict[str, str], bytes]:
        status = int(self._read.readline().split()[1])
        headers: dict[str, str] = {}
        while text := self._read.readline().decode().strip():
            name, _, value = text.partition(": ")
            headers[name.lower()] = value
        length = 0 if bodiless else int(headers.get("content-length", "0"))
        return status, headers, self._read.read(length)

    def ended(self) -> bool:
        """Whether the sandbox closed the connection."""
        return self._read.read(1) == b""

    def close(self) -> None:
        self._read.close()
        self._socket.close()


@pytest.fixture
def wire(sandbox: SandboxProcess):
    with closing(Wire(sandbox)) as wire:
        yield wire


def _request(api: Api, method: str, path: str, *more: str) -> list[str]:
    return [
        f"{method} /v1/companies/{api.company_id}/{path} HTTP/1.1",
        "Host: HOST",
        f"Authorization: Bearer {api.token}",
        *more,
    ]


def test_a_body_in_chunks_is_read_whole(api: Api, wire: Wire):
    whole = json.dumps(BODY).encode()
    chunks = [whole[:7], whole[7:50], whole[50:]]
    wire.send(
        *_request(api, "POST", "invoices", "Transfer-Encoding: chunked"),
        body=b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n",
    )

    status, _, body = wire.answer()

    assert status == 200
    assert json.loads(body)["totalAmount"] == 1250


def test_a_client_that_waits_for_a_go_ahead_gets_it_before_it_sends_the_body(api: Api, wire: Wire):
    whole = json.dumps(BODY).encode()
    wire.send(
        *_request(api, "POST", "invoices", "Expect: 100-continue", f"Content-Length: {len(whole)}")
    )

    assert wire.answer()[0] == 100
    wire.send_raw(whole)

    assert wire.answer()[0] == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(api: Api, wire: Wire):
    wire.send(
        *_request(api, "POST", "invoices", "Expect: 100-continue", "Content-Length: 99999999")
    )

    status, headers, _ = wire.answer()

    assert (status, headers["connection"]) == (413, "close")
    assert wire.ended()


def test_a_head_request_is_a_get_without_the_body(api: Api, wire: Wire):
    wire.send(*_request(api, "GET", "company-information"))
    _, of_get, body = wire.answer()

    wire.send(*_request(api, "HEAD", "company-information"))
    status, of_head, _ = wire.answer(bodiless=True)

    assert status == 200
    assert of_head["content-length"] == of_get["content-length"] == str(len(body))
    wire.send(*_request(api, "GET", "company-information"))
    assert wire.answer()[2] == body


@pytest.mark.parametrize("spelling", ["customers/", "customer%73", "CUSTOMERS"])
def test_other_spellings_of_an_address_are_the_same_address(api: Api, spelling: str):
    assert api.call("GET", spelling).status == 200


def test_a_target_with_scheme_and_host_is_read_as_proxies_send_it(api: Api, wire: Wire):
    path = f"/v1/companies/{api.company_id}/customers?pageSize=1"
    wire.send(
        f"GET http://{wire.host}:{wire.port}{path} HTTP/1.1",
        "Host: HOST",
        f"Authorization: Bearer {api.token}",
    )

    assert wire.answer()[0] == 200


def test_requests_that_arrive_together_are_answered_in_order(api: Api, wire: Wire):
    wire.send(*_request(api, "GET", "customers", ""), *_request(api, "GET", "company-information"))

    assert "items" in json.loads(wire.answer()[2])
    assert json.loads(wire.answer()[2])["id"] == api.company_id


def test_an_offer_to_speak_http_2_is_declined_by_going_on_as_before(api: Api, wire: Wire):
    offer = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"]
    whole = json.dumps(BODY).encode()
    wire.send(
        *_request(api, "POST", "invoices", *offer, f"Content-Length: {len(whole)}"), body=whole
    )
    assert wire.answer()[0] == 200

    wire.send(*_request(api, "GET", "customers"))

    assert wire.answer()[0] == 200


@pytest.mark.parametrize("version, header", [("1.1", "Connection: close"), ("1.0", "X-Nothing: 1")])
def test_a_connection_ends_when_the_client_wants_it(
    api: Api, wire: Wire, version: str, header: str
):
    lines = _request(api, "GET", "customers", header)
    wire.send(lines[0].replace("HTTP/1.1", f"HTTP/{version}"), *lines[1:])

    status, headers, _ = wire.answer()

    assert (status, headers["connection"]) == (200, "close")
    assert wire.ended()


def test_an_old_client_may_keep_its_connection(api: Api, wire: Wire):
    lines = _request(api, "GET", "customers", "Connection: keep-alive")
    for _ in range(2):
        wire.send(lines[0].replace("HTTP/1.1", "HTTP/1.0"), *lines[1:])
        status, headers, _ = wire.answer()
        assert (status, headers["connection"]) == (200, "keep-alive")


def test_of_a_repeated_parameter_the_first_counts(api: Api):
    for _ in range(3):
        api.customer()

    listed = api.ok("GET", "customers?pageSize=1&pageSize=2")

    assert len(listed["items"]) == 1


def test_parameters_without_a_meaning_are_ignored_and_counted(api: Api):
    api.ok("GET", "customers?pagesize=1&page=1&orderBy=name")

    assert api.sandbox.calls()["unknownParameters"] == {"pagesize": 1, "orderBy": 1}


def test_a_known_address_names_the_methods_it_knows(api: Api):
    reply = api.call("PATCH", "invoices", BODY)

    assert (reply.status, reply.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "localhost, x"])
def test_a_web_page_cannot_reach_it_by_a_name_of_its_own(wire: Wire, host: str):
    wire.send("GET /_sandbox/companies HTTP/1.1", f"Host: {host}")

    assert wire.answer()[0] == 421


@pytest.mark.parametrize(
    "raw, status",
    [
        (b"nonsense\r\n\r\n", 400),
        (b"BREW /v1/token HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /v1/x y HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /v1/\xc3\xa5 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nbad name: x\r\n\r\n", 400),
        (b"POST /v1/token HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /v1/token HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400),
        (
            b"POST /v1/token HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        (b"POST /v1/token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\nX-Large: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET //v1/%00%ff?%=%&&= HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    ],
)
def test_what_is_not_a_request_is_refused_and_the_sandbox_lives_on(
    sandbox: SandboxProcess, wire: Wire, raw: bytes, status: int
):
    wire.send_raw(raw)

    assert wire.answer()[0] == status
    assert sandbox.companies()


def test_a_client_that_leaves_in_the_middle_of_a_request_does_no_harm(api: Api, wire: Wire):
    wire.send(*_request(api, "POST", "invoices", "Content-Length: 500"), body=b'{"invoiceDate"')
    wire.close()

    assert api.ok("GET", "invoices")["totalItems"] == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"nul", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'{"a": 1e99999999}'],
)
def test_a_body_that_is_no_json_object_is_the_clients_fault(api: Api, body: bytes):
    path = f"/v1/companies/{api.company_id}/invoices"

    reply = api.sandbox.request("POST", path, token=api.token, body=body)

    assert (reply.status, reply.json["code"]) == (400, "validation-error")


def test_text_that_is_no_unicode_is_the_clients_fault(api: Api):
    body = json.dumps(BODY | {"orderNumberReference": "\ud800"}).encode()
    path = f"/v1/companies/{api.company_id}/invoices"

    reply = api.sandbox.request("POST", path, token=api.token, body=body)

    assert (reply.status, reply.json["code"]) == (400, "validation-error")


NODE = """
const [url, id, secret, company] = process.argv.slice(1);
const basic = "Basic " + Buffer.from(`${id}:${secret}`).toString("base64");
const form = new URLSearchParams({ grant_type: "client_credentials" });
const answer = await fetch(`${url}/token`, { method: "POST", body: form,
  headers: { Authorization: basic } });
const token = (await answer.json()).access_token;
const listed = await fetch(`${url}/connections?tenantId=${company}`,
  { headers: { Authorization: `Bearer ${token}` } });
console.log((await listed.json()).items[0].tenantId);
"""


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed")
def test_the_fetch_of_node_works_unchanged(api: Api):
    sandbox = api.sandbox
    arguments = [sandbox.api_url, sandbox.client_id, sandbox.client_secret, api.company_id]

    done = subprocess.run(
        ["node", "--input-type=module", "-e", NODE, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.strip() == api.company_id


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_works_with_a_body_in_chunks_and_a_go_ahead(api: Api):
    headers = (
        f"Authorization: Bearer {api.token}",
        "Transfer-Encoding: chunked",
        "Expect: 100-continue",
        "Content-Type: application/json",
    )
    command = ["curl", "--silent", "--fail", "--max-time", "20", "--data-binary", "@-"]
    for header in headers:
        command += ["--header", header]

    done = subprocess.run(
        [*command, f"{api.sandbox.api_url}/companies/{api.company_id}/invoices"],
        input=json.dumps(BODY).encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )

    assert json.loads(done.stdout)["status"] == "draft"
