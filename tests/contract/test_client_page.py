"""The client's page: its examples run against the sandbox, its tables say what the code says."""

import re
from collections.abc import Iterator
from functools import cached_property
from inspect import get_annotations, getsource, isfunction
from pathlib import Path
from types import FunctionType
from typing import Any
from uuid import UUID

import pytest

from bokio_app.bokio import errors, http, oauth, paging, transport
from bokio_app.bokio.bank_payments import MOST_AT_ONCE
from bokio_app.bokio.client import Bokio, GeneralApi
from bokio_app.bokio.filterable import FILTERABLE
from bokio_app.bokio.filters import FilterError
from bokio_app.bokio.oauth import OAuthApp
from tests.contract.published import AVAILABLE, contract
from tests.support.sandbox import SandboxProcess, running_sandbox

pytestmark = pytest.mark.contract

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "client.md").read_text()
FIRST, *OTHERS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LONGEST_EXAMPLE = 10  # lines, imports apart


@pytest.fixture(scope="module")
def bokios_side() -> Iterator[SandboxProcess]:
    with running_sandbox() as process:
        yield process


@pytest.fixture
def reader(
    bokios_side: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """What somebody who follows the page has before the first line."""
    company_id = bokios_side.companies()[0]["id"]
    monkeypatch.chdir(tmp_path)
    Path("delivery note 7.pdf").write_bytes(b"%PDF-1.7\n" + b"0" * 100)
    return {
        "token": bokios_side.tokens_for(company_id).access_token,
        "company_id": UUID(company_id),
        "client_id": bokios_side.client_id,
        "client_secret": bokios_side.client_secret,
        "redirect_uri": bokios_side.redirect_uri,
        "state": "s" * 32,
        "code": bokios_side.authorize_directly(company_id, redirect_uri=bokios_side.redirect_uri),
    }


def follow(example: str, reader: dict[str, Any], process: SandboxProcess) -> None:
    """Run an example as it stands, with the sandbox in Bokio's place."""
    source = example.replace("https://api.bokio.se/v1", process.api_url)
    exec(compile(source, "docs/client.md", "exec"), reader)  # noqa: S102  # the page is ours


def test_the_first_example_sells_something_and_leaves_it_in_the_books(bokios_side, reader):
    follow(FIRST, reader, bokios_side)

    (sold,) = [
        each
        for each in bokios_side.books(str(reader["company_id"]))["invoices"]
        if each["id"] == str(reader["invoice"].id)
    ]
    assert sold["status"] == "published"
    assert sold["journalEntryRef"]
    assert reader["invoice"].total == 9500
    assert Path("invoice.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("number", range(len(OTHERS)))
def test_every_other_example_goes_on_from_the_first_with_a_draft(bokios_side, reader, number):
    follow(FIRST, reader, bokios_side)
    reader["draft"] = reader["bokio"].invoices.create(reader["order"])

    follow(OTHERS[number], reader, bokios_side)


def test_the_first_example_is_short():
    lines = [
        line for line in FIRST.splitlines() if line and not line.startswith(("from", "import"))
    ]

    assert len(lines) <= LONGEST_EXAMPLE


def rows_under(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, its head left out."""
    _, _, below = PAGE.partition(f"\n## {heading}\n")
    lines = below.split("\n## ")[0].splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def methods() -> Iterator[tuple[str, FunctionType]]:
    """Every public method of every resource, under the name that a caller uses."""
    for api in (Bokio, GeneralApi):
        for name, found in vars(api).items():
            if isinstance(found, cached_property):
                resource = get_annotations(found.func, eval_str=True)["return"]
                for method_name, method in vars(resource).items():
                    if isfunction(method) and not method_name.startswith("_"):
                        yield f"{name}.{method_name}", method
    for name in ("authorize_url_for", "exchange", "refresh", "client_credentials"):
        yield f"OAuthApp.{name}", vars(OAuthApp)[name]


METHODS = dict(methods())


def listed() -> dict[str, list[str]]:
    """The rows of the table of operations by method; `download_into` stands beside `download`."""
    found = {}
    for names, *cells in rows_under("Every operation"):
        name, *others = re.findall(r"`([\w.]+)`", names)
        found[name] = cells
        found |= {f"{name.partition('.')[0]}.{other}": cells for other in others}
    return found


def test_every_method_of_the_client_has_its_row_and_no_row_is_of_another():
    assert listed().keys() == METHODS.keys()


@pytest.mark.parametrize("name", METHODS)
def test_a_row_says_what_the_methods_docstring_says_about_calling_again(name):
    again, proof = listed()[name][2:]
    told = METHODS[name].__doc__ or ""

    if name.endswith(".download_into"):  # it refers to `download`
        name = name.removesuffix("_into")
        told = METHODS[name].__doc__ or ""
    not_again = "ot repeatable" in told or name == "OAuthApp.refresh"
    assert again == ("no" if not_again else "yes")
    assert bool(proof) is not_again


FILTERED = {
    name: properties
    for name, method in METHODS.items()
    for operation, properties in FILTERABLE.items()
    if f'"{operation}"' in getsource(method)
}
FOUR_REFERENCES = {
    *("buyerReference", "contractReference", "orderNumberReference", "projectReference"),
}


def test_every_list_that_can_be_filtered_is_a_method():
    assert len(FILTERED) == len(FILTERABLE)


@pytest.mark.parametrize("name", FILTERED)
def test_a_lists_docstring_names_what_it_can_be_filtered_by(name):
    told = re.sub(r"\s+", " ", METHODS[name].__doc__ or "")
    (sentence,) = re.findall(r"Filters: (.*?)\.(?: |$)", told)

    named = {word.removesuffix("<key>") for word in re.findall(r"`([^`]+)`", sentence)}
    if "the four references" in sentence:
        named |= FOUR_REFERENCES
    assert named == FILTERED[name].keys()


@pytest.mark.skipif(not AVAILABLE, reason="BOKIO_OPENAPI_DIR names no published descriptions")
class TestAgainstTheDescriptions:
    def test_every_operation_there_is_has_a_row(self):
        named = {cells[0].strip("`") for cells in listed().values()}

        assert named == contract().operations.keys()

    @pytest.mark.parametrize("name", [each for each in METHODS if "OAuthApp" not in each])
    def test_a_row_names_the_operation_that_the_method_performs_and_its_scope(self, name):
        operation, scope, *_ = (cell.strip("`") for cell in listed()[name])

        assert f'"{operation}"' in getsource(METHODS[name])
        described = contract().operations[operation].described.get("description", "")
        (published,) = re.findall(r"\*\*Scope:\*\*\s*`([^`]+)`", described) or ["a general token"]
        assert scope == published
        if ":" in scope and not name.endswith(".download_into"):
            assert f"Needs scope `{scope}`" in re.sub(r"\s+", " ", METHODS[name].__doc__)


def test_every_error_has_its_row_with_verdict_and_certainty():
    kinds = {
        kind.__name__: kind
        for module in (errors, oauth)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, errors.BokioError)
    }
    kinds |= {"FilterError": FilterError}
    del kinds["BokioError"]
    rows = {
        name: (verdict, certain.strip("*"))
        for names, _, verdict, certain in rows_under("What an error allows")
        for name in re.findall(r"`(\w+)`", names)
    }

    assert rows == {
        name: (
            kind.verdict.value.replace("park_", "park, ").replace("_", " "),
            "yes" if kind.not_executed else "no",
        )
        for name, kind in kinds.items()
    }


def test_the_limits_are_those_of_the_code():
    told = {what: how_much for what, how_much, _ in rows_under("Limits")}

    assert told == {
        "whole exchange; with a file": f"{http.DEADLINE:.0f} s; {http.FILE_DEADLINE:.0f} s",
        "opening a connection, or waiting for a free one": f"{http.CONNECT_TIMEOUT:.0f} s",
        "connections of a process": str(transport.CONNECTIONS),
        "JSON of an answer": f"{http.LARGEST_JSON // 2**20} MB",
        "rows of a page; pages of a list": f"{paging.PAGE_SIZE}; {paging.MOST_PAGES:,}",
        "bank payments in one call": str(MOST_AT_ONCE),
    }
