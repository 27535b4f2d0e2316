"""Who calls what in the product, read from its source and never run.

Nodes are the functions, classes and variables of modules. One points at another whose name stands
in it, at an operation of a flow whose `name` it quotes, and a signal points at its receivers.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.programs import ROOT

PRODUCT = "bokio_app"
OTHERS = ("bokio_app.bokio", "bokio_app.sandbox")


def modules(*, under: Path, base: Path = ROOT) -> Iterator[tuple[str, ast.Module]]:
    """The dotted name and the parsed source of each module below a folder."""
    for path in sorted(under.rglob("*.py")):
        parts = path.relative_to(base).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, ast.parse(path.read_text())


@dataclass
class Graph:
    """Edges between nodes, and the source of each node."""

    edges: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    sources: dict[str, ast.AST] = field(default_factory=dict)
    trees: dict[str, ast.Module] = field(default_factory=dict)
    names: dict[str, dict[str, str]] = field(default_factory=dict)

    def reachable(self, start: str) -> set[str]:
        """Every node that a node leads to, itself included."""
        found, waiting = set(), [start]
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += self.edges.get(node, ())
        return found

    def mentioned(self, source: ast.AST, module: str) -> set[str]:
        """What the names, and the attributes of imported modules, in a piece of source mean."""
        names, found = self.names[module], set()
        for node in ast.walk(source):
            match node:
                case ast.Name(name) if name in names:
                    found.add(self._origin(names[name]))
                case ast.Attribute(ast.Name(name), attribute) if name in names:
                    found.add(self._origin(f"{names[name]}.{attribute}"))
        return found

    def _origin(self, name: str) -> str:
        """Where a name that a package passes on is defined."""
        for _ in range(5):
            module, _, last = name.rpartition(".")
            further = self.names.get(module, {}).get(last, name)
            if further == name:
                break
            name = further
        return name


def read() -> Graph:
    """The graph of the product, without client and sandbox."""
    graph = Graph()
    for name, tree in modules(under=ROOT / PRODUCT):
        if name.startswith(OTHERS) or ".migrations" in name:
            continue
        graph.trees[name] = tree
        graph.names[name] = _imported(name, tree, package=_is_package(name))
        for node, source in _defined(tree):
            graph.sources[f"{name}.{node}"] = source
            graph.names[name][node] = f"{name}.{node}"
    quoted = _operations(graph)
    for node, source in graph.sources.items():
        module = max((each for each in graph.trees if node.startswith(f"{each}.")), key=len)
        graph.edges[node] |= graph.mentioned(source, module) - {node}
        graph.edges[node] |= {quoted[each] for each in texts(source) if each in quoted} - {node}
        for signal in _signals(source, graph.names[module]):
            graph.edges[signal].add(node)
    return graph


def _is_package(name: str) -> bool:
    return (ROOT / name.replace(".", "/")).is_dir()


def _defined(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Assign):
            yield from ((each.id, node) for each in node.targets if isinstance(each, ast.Name))


def _imported(module: str, tree: ast.Module, *, package: bool) -> dict[str, str]:
    """What the names of imports stand for. Relative ones start at the module's own package."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            parts = module.split(".")
            above = node.level - package if node.level else 0
            start = ".".join(parts[: len(parts) - above]) if node.level else ""
            origin = ".".join(filter(None, (start, node.module or "")))
            for each in node.names:
                found[each.asname or each.name] = f"{origin}.{each.name}"
    return found


def _operations(graph: Graph) -> dict[str, str]:
    """The classes that are operations of a flow, by the name that flows and pages quote."""
    found = {}
    for node, source in graph.sources.items():
        if isinstance(source, ast.ClassDef) and any(
            isinstance(base, ast.Name) and base.id == "Operation" for base in source.bases
        ):
            for line in source.body:
                match line:
                    case ast.Assign([ast.Name("name")], ast.Constant(str(text))):
                        found[text] = node
    return found


def texts(source: ast.AST) -> Iterator[str]:
    for node in ast.walk(source):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _signals(source: ast.AST, names: Mapping[str, str]) -> Iterator[str]:
    """The signals that a function is decorated to receive."""
    for decorator in getattr(source, "decorator_list", ()):
        match decorator:
            case ast.Call(ast.Name("receiver"), [ast.Name(signal), *_]):
                yield names.get(signal, signal)
