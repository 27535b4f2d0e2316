"""`make coverage-table`: each operation of Bokio × client, sandbox, contract tests, pages.

Read from the code and from the published contract; `docs/coverage.md` is written and never edited.
"""

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from tools import callgraph
from tools.programs import ROOT

DOCUMENT = ROOT / "docs" / "coverage.md"
CLIENT = ROOT / "bokio_app" / "bokio"
GRANTS, CONSENT = "request-token", "authorize"
HEAD = """# Coverage

Every operation that Bokio publishes, by its operationId: the client's method, the sandbox's
function, how both are held to the contract, and the pages that lead to it. `make coverage-table`
writes this page; a test fails when it is stale, or a column but the last has a gap.

- **Client**: the method whose source quotes the operationId; those of OAuth by what they send.
- **Sandbox**: its own table of operations, asked at run time.
- **Contract tests**: how many calls the tables of `tests/contract` make, each checked to reach
  this operation: `c` of the client, `+` where Hypothesis makes more values, `s` of the sandbox,
  one good and the others refused. Generated cases reach every operation besides.
- **Pages**: names of addresses whose views lead there by names in the source: view → service →
  operation of a flow (by its quoted name) → client; a signal leads to its receivers.
  *background* is a Celery task alone.

"""
SANDBOX_TABLE = """
import json, django
django.setup()
from django.urls import resolve
from bokio_app.sandbox.api import operations
from bokio_app.sandbox.api.registry import all_operations
rows = {each.id: each.handle for each in all_operations()}
rows["authorize"] = resolve("/v1/authorize").func
print(json.dumps({key: f"{f.__module__}.{f.__name__}" for key, f in rows.items()}))
"""


def main() -> None:
    """Write the document."""
    DOCUMENT.write_text(rendered())
    print(f"Wrote {DOCUMENT.relative_to(ROOT)}.")


def rendered() -> str:
    """The document as it should be now."""
    lines = ["| Operation | Client | Sandbox | Contract tests | Pages |", "| --- " * 5 + "|"]
    lines += [f"| {' | '.join(row)} |" for row in table()]
    return f"{HEAD}{chr(10).join(lines)}\n"


def table() -> list[tuple[str, str, str, str, str]]:
    """One row per published operation, in the order of the contract."""
    # The tests' own tables, so that nothing is claimed that they do not run.
    from tests.contract.published import contract  # noqa: PLC0415  # needs BOKIO_OPENAPI_DIR

    identifiers = list(contract().operations)
    methods, functions = client_methods(identifiers), sandbox_functions()
    tests, pages = contract_tests(), pages_by_operation(methods)
    return [
        (
            f"`{each}`",
            "<br>".join(f"`{name}`" for name in methods.get(each, ())),
            f"`{functions[each]}`" if each in functions else "",
            tests.get(each, ""),
            ", ".join(pages.get(each, ())),
        )
        for each in identifiers
    ]


def contract_tests() -> dict[str, str]:
    """How many calls the contract tests make of each operation."""
    from tests.contract.client_calls import CALLS, OAUTH  # noqa: PLC0415  # as above
    from tests.contract.client_values import SENDS  # noqa: PLC0415
    from tests.contract.sandbox_cases import GOOD  # noqa: PLC0415
    from tests.contract.sandbox_refusals import REFUSED  # noqa: PLC0415

    calls, refused = CALLS | OAUTH, Counter(each.operation for each in REFUSED)
    return {
        each: f"c{len(calls[each])}{'+' if each in SENDS else ''} s{1 + refused[each]}"
        for each in calls.keys() & GOOD.keys()
    }


def client_methods(identifiers: Iterable[str]) -> dict[str, list[str]]:
    """The client's public methods by operation, as a caller writes them."""
    known = set(identifiers)
    resources = _resources()
    found: dict[str, list[str]] = defaultdict(list)
    for _, tree in callgraph.modules(under=CLIENT):
        for kind in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            owner = resources.get(kind.name)
            for method in (each for each in kind.body if isinstance(each, ast.FunctionDef)):
                if method.name.startswith("_"):
                    continue
                if owner:
                    for text in known & set(callgraph.texts(method)):
                        found[text].append(f"{owner}.{method.name}")
                elif kind.name == "OAuthApp" and (operation := _of_oauth(method)):
                    found[operation].append(f"OAuthApp.{method.name}")
    return found


def _of_oauth(method: ast.FunctionDef) -> str:
    """The operation of a method of `OAuthApp`: by the helper or the address that it uses."""
    used = {node.attr for node in ast.walk(method) if isinstance(node, ast.Attribute)}
    if "_ask" in used:
        return GRANTS
    return CONSENT if "_authorize_url" in used else ""


def _resources() -> dict[str, str]:
    """The classes of resources, by the property of the client that gives them."""
    tree = ast.parse((CLIENT / "client.py").read_text())
    return {
        each.returns.id: each.name
        for kind in tree.body
        if isinstance(kind, ast.ClassDef)
        for each in kind.body
        if isinstance(each, ast.FunctionDef) and isinstance(each.returns, ast.Name)
    }


def sandbox_functions() -> dict[str, str]:
    """The function behind each operation of the sandbox, without the common prefix."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bokio_app.sandbox.settings",
            "VAR_DIR": folder,
        }
        command = [sys.executable, "-c", SANDBOX_TABLE]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
    found: dict[str, str] = json.loads(done.stdout)
    return {each: name.removeprefix("bokio_app.sandbox.") for each, name in found.items()}


def pages_by_operation(methods: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The pages that lead to a method of the client, by operation."""
    graph = callgraph.read()
    operation_of = {name: each for each, names in methods.items() for name in names}
    calling: dict[str, set[str]] = defaultdict(set)
    for node, source in graph.sources.items():
        for name in _client_calls(source) & operation_of.keys():
            calling[operation_of[name]].add(node)
    starts = dict(_pages(graph)) | dict.fromkeys(_tasks(graph), "*background*")
    reached: dict[str, set[str]] = defaultdict(set)
    for node, label in starts.items():
        reached[label] |= graph.reachable(node)
    return {each: _labels(reached, nodes) for each, nodes in calling.items()}


def _labels(reached: Mapping[str, set[str]], nodes: set[str]) -> list[str]:
    found = sorted(label for label, seen in reached.items() if seen & nodes)
    return [each for each in found if not each.startswith("*")] or found


def _client_calls(source: ast.AST) -> set[str]:
    """`bokio.invoices.get(…)` as `invoices.get`, and calls of an `OAuthApp` by its method."""
    found = set()
    for node in ast.walk(source):
        match node:
            case ast.Attribute(ast.Attribute(ast.Name() | ast.Call(), resource), method):
                found.add(f"{resource}.{method}")
            case ast.Attribute(ast.Name() | ast.Call(), method):
                found.add(f"OAuthApp.{method}")
    return found


def _tasks(graph: callgraph.Graph) -> list[str]:
    return [
        node
        for node, source in graph.sources.items()
        if any("shared_task" in ast.dump(each) for each in getattr(source, "decorator_list", ()))
    ]


def _pages(graph: callgraph.Graph) -> Iterator[tuple[str, str]]:
    """Each view with the name of its address, from all `urls.py` of the product."""
    for module, tree in graph.trees.items():
        if module.endswith(".urls"):
            app = module.split(".")[1:-1]
            for node in ast.walk(tree):
                match node:
                    case ast.Call(
                        ast.Name("path"), [_, view], [ast.keyword("name", ast.Constant(name))]
                    ):
                        label = ":".join([*app, str(name)])
                        yield from ((each, label) for each in graph.mentioned(view, module))


if __name__ == "__main__":
    main()
