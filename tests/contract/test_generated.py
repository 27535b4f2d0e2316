"""Generated requests: no 500, no answer outside the contract, no entry that does not balance.

A tenth of a minute's worth runs with the tests; `make contract-cases` runs as many as wanted.
"""

import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from hypothesis import given, note, seed
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests.contract import generated, ledger_model
from tests.contract.histories import CASES, SEED, run_of
from tests.contract.line import Line
from tests.contract.published import Operation, contract
from tests.contract.world import World, open_world
from tests.support.sandbox import Reply, SandboxProcess, running_sandbox

pytestmark = [pytest.mark.contract, pytest.mark.slow]

# The consent is a page for people; `test_sandbox_contract.py` goes through it.
OPERATIONS = [each for each in contract().operations.values() if each.id != "authorize"]
MODES = {"fitting": GenerationMode.POSITIVE, "unfitting": GenerationMode.NEGATIVE}
EACH = math.ceil(CASES / (len(OPERATIONS) * len(MODES))) or 3
ODD = CASES // 10 or 100
REFUSALS = {400, 401, 403, 404}


@dataclass
class Generated:
    """The world that cases are sent to, over one kept connection."""

    world: World
    line: Line
    ids: dict[str, str]
    seen_entries: int = 0

    def send(self, operation: Operation, request: requests.PreparedRequest) -> Reply:
        body = request.body if isinstance(request.body, bytes) else None
        headers = dict(request.headers)
        target = request.path_url
        note(_curl(self.world, request))
        return self.line.send(request.method or "", target, body=body, headers=headers)

    def authorization(self, operation: Operation) -> str:
        if operation.api == "company":
            return f"Bearer {self.world.token}"
        if operation.id == "request-token":
            sandbox = self.world.sandbox
            return requests.auth._basic_auth_str(sandbox.client_id, sandbox.client_secret)
        return f"Bearer {self.world.general_token()}"

    def check_entries(self) -> None:
        """Every entry that was written since the last look balances."""
        page = self.seen_entries // 100 + 1
        while True:
            answer = self.world.ok("GET", f"journal-entries?pageSize=100&page={page}")
            for entry in answer["items"]:
                assert sum(ledger_model.rows_of(entry).values()) == 0, entry
            if page >= answer["totalPages"]:
                self.seen_entries = answer["totalItems"]
                return
            page += 1


def _curl(world: World, request: requests.PreparedRequest) -> str:
    """A command that sends the request again, to a sandbox with a token of its own."""
    parts = ["curl", "-X", request.method or "", f"{world.sandbox.url}{request.path_url}"]
    for name, value in request.headers.items():
        if name != "Content-Length":
            parts += ["-H", f"{name}: {value}"]
    if request.body:
        body = request.body if isinstance(request.body, bytes) else request.body.encode()
        parts += ["--data-binary", body.decode(errors="replace")]
    return shlex.join(parts)


@pytest.fixture(scope="module")
def _sandbox() -> Iterator[SandboxProcess]:
    with running_sandbox({"TIME_FACTOR": "0.02"}, companies=2) as process:
        yield process


@pytest.fixture(scope="module")
def target(_sandbox: SandboxProcess) -> Iterator[Generated]:
    world = open_world(_sandbox, contract())
    line = Line(_sandbox.url)
    ids = {
        placeholder: getattr(World, kind)(world).rsplit("/", 1)[1]
        for kind, placeholder in generated.PLACEHOLDERS.items()
    }
    yield Generated(world, line, ids)
    line.close()


def wrong(operation: Operation, reply: Reply) -> list[str]:
    """What is wrong with an answer, whatever was asked."""
    published = {int(status) for status in operation.described["responses"]}
    if reply.status not in published | REFUSALS:
        return [f"the status {reply.status}"]
    return contract().wrong_in_answer(operation, reply.status, reply.headers, reply.body)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("operation", [pytest.param(each, id=each.id) for each in OPERATIONS])
def test_no_generated_request_gets_an_answer_outside_the_contract(
    target: Generated, operation: Operation, mode: str
):
    known = generated.things(target.world, operation, count=1 if EACH < 10 else 3)
    authorization = target.authorization(operation)

    @seed(SEED)
    @run_of(EACH)
    @given(case=generated.cases(operation, MODES[mode]), place=st.integers(0, 63))
    def run(case: Any, place: int) -> None:
        if place % 8 or not case.path_parameters:
            case.path_parameters = {**(case.path_parameters or {}), **known[place % len(known)]}
        request = generated.prepared(case, target.ids, authorization)
        reply = target.send(operation, request)
        # A path that went astray is another operation's, or nobody's.
        if generated_path_is_of(operation, request):
            assert wrong(operation, reply) == [], reply.body[:500]
        assert reply.status < 500, reply.body[:500]

    run()
    target.check_entries()


def generated_path_is_of(operation: Operation, request: requests.PreparedRequest) -> bool:
    path = request.path_url.removeprefix("/v1").split("?")[0]
    try:
        return contract().find(operation.method, path) == operation
    except AssertionError:
        return False


# What the schemas do not speak of: filters, paging, headers, paths, bodies of other kinds.

PROPERTIES = [
    *("status", "invoiceDate", "dueDate", "totalAmount", "customerRef", "metadata.op_key", "type"),
    *("name", "orgNumber", "description", "unitPrice", "taxRate", "date", "sumBaseCurrency"),
    *("title", "journalEntryNumber", "journalEntryId", "supplierRef.id", "dimensionNumber"),
    *(
        "account",
        "accountType",
        "createdDateTime",
        "modifiedDateTime",
        "fileName",
        "id",
        "metadata.",
    ),
]
values = st.one_of(
    st.sampled_from(
        ["", "draft", "2024-10-10", "2024-13-45", "1e999", "NaN", "-0", "%", "_", "å", "x" * 3000]
    ),
    st.sampled_from(list(generated.PLACEHOLDERS.values())),
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.text(max_size=12),
)
conditions = st.builds(
    "{}{}{}".format,
    st.one_of(st.sampled_from(PROPERTIES), st.text(max_size=6)),
    st.sampled_from(["==", "!=", ">", "<", ">=", "<=", "~", "=", " == ", "===", ""]),
    values,
)
queries = st.one_of(
    conditions,
    st.lists(conditions, min_size=2, max_size=4).map("&&".join),
    st.lists(conditions, min_size=2, max_size=4).map("||".join),
    st.text(max_size=30),
)
numbers = st.one_of(st.integers(-2, 120).map(str), st.integers().map(str), st.text(max_size=4))
LISTS = [each for each in OPERATIONS if "query" in each.query]


@pytest.fixture(scope="module")
def list_paths(target: Generated) -> dict[str, str]:
    return {
        each.id: each.template.format(**generated.things(target.world, each, count=1)[-1])
        for each in LISTS
    }


def test_no_filter_and_no_page_gets_an_answer_outside_the_contract(
    target: Generated, list_paths: dict[str, str]
):
    @seed(SEED)
    @run_of(ODD)
    @given(
        operation=st.sampled_from(LISTS),
        query=st.fixed_dictionaries(
            {}, optional={"query": queries, "page": numbers, "pageSize": numbers, "tagId": values}
        ),
    )
    def run(operation: Operation, query: dict[str, str]) -> None:
        url = f"http://sandbox/v1{list_paths[operation.id]}"
        request = requests.Request("GET", url, params=query).prepare()
        request.headers["Authorization"] = f"Bearer {target.world.token}"
        reply = target.send(operation, request)
        assert wrong(operation, reply) == [], reply.body[:500]
        assert reply.status in (200, 400), reply.body[:500]

    run()


segments = st.one_of(
    st.sampled_from(
        ["companies", "invoices", "customers", "..", ".", "", "%00", "%2F", "%ff", "%", "v1", "~"]
    ),
    st.sampled_from(["publish", "record", "bulk", "token", "connections", "%C3%A5", "a" * 5000]),
    st.text(
        st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#"), max_size=8
    ),
)
headers = st.dictionaries(
    st.sampled_from(
        [
            *("Content-Type", "Accept", "Accept-Encoding", "Authorization", "Range", "Cookie"),
            *("X-HTTP-Method-Override", "X-Forwarded-Host", "Origin", "If-None-Match"),
        ]
    ),
    st.one_of(
        st.sampled_from(
            [
                *("", "*/*", "application/json", "application/json; charset=utf-16", "text/html"),
                *("multipart/form-data", "multipart/form-data; boundary=", "Bearer", "Bearer  x y"),
                *("Basic Og==", "Basic ////", "bytes=0-0", "gzip"),
            ]
        ),
        st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
    ),
    max_size=3,
)
bodies = st.one_of(
    st.none(),
    st.binary(max_size=60),
    st.sampled_from(
        [b"[" * 20_000, b'{"a":' * 5_000, b"1e999999", b'{"name": NaN}', b"\xef\xbb\xbf{}"]
    ),
    st.sampled_from(
        [b'{"name": "\\ud800", "type": "private"}', b'{"name":"a","name":"b"}', b"null"]
    ),
)


def test_no_odd_path_header_or_body_makes_the_sandbox_fail(target: Generated):
    world = target.world
    starts = [f"/companies/{world.company}/", f"/companies/{world.company}/invoices/", "/", "//"]

    @seed(SEED)
    @run_of(ODD)
    @given(
        method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]),
        start=st.sampled_from(starts),
        rest=st.lists(segments, max_size=4),
        given_headers=headers,
        body=bodies,
    )
    def run(
        method: str, start: str, rest: list[str], given_headers: dict[str, str], body: bytes | None
    ) -> None:
        path = f"{start}{'/'.join(rest)}"
        whole = {"Authorization": f"Bearer {world.token}"} | given_headers
        note(f"{method} {path} {whole} {body!r}")
        reply = target.line.send(method, f"/v1{path}", body=body, headers=whole)
        assert reply.status < 500, reply.body[:500]

    run()
    target.check_entries()
