"""The sandbox alone, over HTTP: each of its answers against Bokio's published descriptions.

Where the descriptions are known to be wrong, `corrections.py` says so; nothing else is bent.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.published import JSON_TYPE, Operation, contract
from tests.contract.sandbox_cases import GOOD
from tests.contract.sandbox_refusals import REFUSED, Refused
from tests.contract.world import World, open_world
from tests.support.sandbox import SandboxProcess, running_sandbox

pytestmark = pytest.mark.contract

NOBODY = "00000000-0000-4000-8000-000000000000"
OPERATIONS = contract().operations
COMPANY_API = [each for each in OPERATIONS.values() if each.api == "company"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with running_sandbox({"TIME_FACTOR": "0.02"}, companies=2) as process:
        yield process


@pytest.fixture(scope="module")
def opened(sandbox: SandboxProcess) -> World:
    return open_world(sandbox, contract())


@pytest.fixture
def world(opened: World) -> World:
    opened.called.clear()
    return opened


def by_id(operations: list[Operation]) -> list[Any]:
    return [pytest.param(each, id=each.id) for each in operations]


def with_a_body(operations: list[Operation]) -> list[Operation]:
    return [each for each in operations if JSON_TYPE in each.request_types]


def with_an_id(operations: list[Operation]) -> list[Operation]:
    return [each for each in operations if each.template.count("{") > 1]


def paged(operations: list[Operation]) -> list[Operation]:
    return [each for each in operations if "pageSize" in each.query]


def at_nothing(operation: Operation, company: str) -> str:
    """The operation's path with ids that name nothing."""
    path = operation.template.replace("{companyId}", company).replace("{account}", "9999")
    while "{" in path:
        path = f"{path[: path.index('{')]}{NOBODY}{path[path.index('}') + 1 :]}"
    return path


@pytest.mark.parametrize("operation", by_id(list(OPERATIONS.values())))
def test_each_published_operation_succeeds_and_its_answer_is_as_published(
    world: World, operation: Operation
):
    reply = GOOD[operation.id](world)

    assert world.called[-1] == (operation, reply)
    assert str(reply.status) == operation.success, reply.body[:500]


@pytest.mark.parametrize(
    "case", [pytest.param(each, id=f"{each.operation} {each.name}") for each in REFUSED]
)
def test_what_a_state_forbids_is_refused_and_leaves_the_books_alone(world: World, case: Refused):
    reply = case.call(world)

    assert world.called[-1] == (OPERATIONS[case.operation], reply)
    assert reply.status == case.status, reply.body[:500]


@pytest.mark.parametrize("operation", by_id(COMPANY_API))
def test_nobody_is_let_in_without_a_token(world: World, operation: Operation):
    reply = world.call(operation.method, at_nothing(operation, world.company), token="nonsense")

    assert reply.status == 401


@pytest.mark.parametrize("operation", by_id(COMPANY_API))
def test_a_token_of_one_company_does_not_open_another(world: World, operation: Operation):
    reply = world.call(operation.method, at_nothing(operation, NOBODY))

    assert reply.status == 403


@pytest.mark.parametrize("operation", by_id(COMPANY_API))
def test_a_token_without_the_right_is_refused(world: World, right_less: str, operation: Operation):
    reply = world.call(operation.method, at_nothing(operation, world.company), token=right_less)

    assert reply.status == 403


@pytest.fixture(scope="module")
def right_less(sandbox: SandboxProcess) -> Iterator[str]:
    """A token of a second application's consent, without any scope."""
    other = World(sandbox, contract(), sandbox.companies()[0]["id"], "")
    return sandbox.tokens_for(other.company, []).access_token


@pytest.mark.parametrize("operation", by_id(with_an_id(COMPANY_API)))
def test_an_id_that_names_nothing_is_not_found(world: World, operation: Operation):
    body = {} if JSON_TYPE in operation.request_types else None

    reply = world.call(operation.method, at_nothing(operation, world.company), body)

    assert reply.status == 404


NOT_OBJECTS: dict[str, bytes] = {
    "nothing": b"",
    "half": b'{"name": ',
    "a list": b"[]",
    "a number": b"1",
    "not UTF-8": b'{"name": "\xff"}',
    "deep": b"[" * 5000,
}


@pytest.mark.parametrize(
    "body", [pytest.param(each, id=name) for name, each in NOT_OBJECTS.items()]
)
@pytest.mark.parametrize(
    "operation", by_id([each for each in with_a_body(COMPANY_API) if "{" not in each.template[12:]])
)
def test_a_body_that_is_no_object_is_refused(world: World, operation: Operation, body: bytes):
    path = at_nothing(operation, world.company)

    reply = world.call(operation.method, path, body=body, headers={"Content-Type": JSON_TYPE})

    assert reply.status == 400


PARENTS: dict[str, Callable[[World], str]] = {
    "invoices/{invoiceId}": World.published,
}


def list_path(world: World, operation: Operation) -> str:
    path = operation.template.removeprefix("/companies/{companyId}/")
    for template, make in PARENTS.items():
        path = path.replace(template, make(world)) if template in path else path
    return path


@pytest.mark.parametrize(
    "query",
    [
        *("page=0", "page=x", "pageSize=0", "pageSize=101", "pageSize=-1", "page=1.5"),
        *("query=nonsense", "query=nonsense==1", "query===", "query=%26%26", "query=id==1%7C%7C"),
    ],
)
@pytest.mark.parametrize("operation", by_id(paged(COMPANY_API)))
def test_a_page_or_a_filter_that_makes_no_sense_is_refused(
    world: World, operation: Operation, query: str
):
    reply = world.call("GET", f"{list_path(world, operation)}?{query}")

    assert reply.status == 400
    assert reply.json["code"] == "validation-error"


@pytest.mark.parametrize("operation", by_id(paged(COMPANY_API)))
def test_a_page_behind_the_last_is_empty_and_counts_all(world: World, operation: Operation):
    path = list_path(world, operation)
    first = world.ok("GET", f"{path}?pageSize=1")

    beyond = world.ok("GET", f"{path}?pageSize=1&page={first['totalPages'] + 1}")

    assert beyond["items"] == []
    assert beyond["totalItems"] == first["totalItems"]


def test_the_sandbox_has_each_published_operation_and_no_other(sandbox: SandboxProcess):
    # The consent is a page for people, outside the table of the API.
    assert {*sandbox.control("GET", "")["operations"], "authorize"} == set(OPERATIONS)


def test_a_plan_without_the_api_is_refused_in_the_shape_of_its_own(world: World):
    world.sandbox.change_company(world.company, plan="basic")
    try:
        reply = world.call("GET", "company-information")
    finally:
        world.sandbox.change_company(world.company, plan="business")

    assert reply.status == 403
    assert reply.json["error"] == "price_plan_feature_required"
