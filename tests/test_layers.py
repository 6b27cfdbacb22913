"""Imports inside the package point down the layers, make no circle, and are absolute; the lowest layer is light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

LAYERS: tuple[frozenset[str], ...] = (  # the lowest first; a name is a module of the package or a whole sub-package
    frozenset(
        {
            "errors",
            "labels",
            "contradictions",
            "values",
            "memory",
            "zoo",
            "settings",
            "people",
            "published",
            "stats",
            "tally",
        }
    ),
    frozenset({"images", "quantize", "placement", "checkpoint", "selfcheck", "loading"}),
    frozenset({"engine"}),
    frozenset({"backends"}),
    frozenset(
        {
            "lavis",
            "prompts",
            "chat",
            "transcript",
            "transcript_page",
            "replay",
            "captioning",
            "gathering",
            "unpacking",
            "spreadsheets",
            "caption_tables",
            "caption_journal",
            "matching",
            "match_tables",
            "features",
            "nearest",
            "indexes",
            "indexing",
            "retrieval",
            "votes",
            "vote_tables",
        }
    ),
    frozenset({"pocket", "evaluation", "bench", "checkup", "doctor"}),
    frozenset({"api", "ui", "space"}),
    frozenset({"cli", "__main__"}),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "blip2"
FILES = sorted(PACKAGE.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module(path: Path) -> str:
    """`blip2.engine.batch` of its file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(path): path for path in FILES}


def imported(path: Path, nodes: Iterator[ast.AST]) -> Iterator[tuple[int, str]]:
    """The line and the package's module of each import among the nodes."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] == "blip2")
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: a relative import; write it from blip2"
            if (node.module or "").split(".")[0] == "blip2":
                whole = ((alias.name, f"{node.module}.{alias.name}") for alias in node.names)
                yield from ((node.lineno, name if name in MODULES else str(node.module)) for _, name in whole)


def layer(name: str) -> int:
    """The rank of a module; the package itself, which imports nothing at once, is below all."""
    part = name.split(".")[1] if "." in name else ""
    return RANK[part] if part else -1


def at_import(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The statements that run when a module is imported: not those in functions, nor those for the type checker."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        for field in ("body", "orelse", "finalbody", "handlers"):
            inner = getattr(node, field, [])
            yield from at_import([stmt for stmt in inner if isinstance(stmt, ast.stmt | ast.excepthandler)])


def test_every_module_has_a_layer() -> None:
    strays = {name.split(".")[1] for name in MODULES if "." in name} - set(RANK)
    assert not strays, f"give these a layer in {Path(__file__).name}: {sorted(strays)}"
    assert {path.stem for path in PACKAGE.iterdir()} - {"__init__", "__pycache__"} <= set(RANK) | {"py"}


@pytest.mark.parametrize("path", FILES, ids=module)
def test_imports_point_down(path: Path) -> None:
    here = module(path)
    if here == "blip2":
        return
    for line, name in imported(path, ast.walk(tree(path))):
        assert layer(name) <= layer(here), f"{path}:{line}: {here} (layer {layer(here)}) imports {name} ({layer(name)})"


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {name: {to for _, to in imported(path, at_import(tree(path).body))} for name, path in MODULES.items()}
    state: dict[str, int] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if state.get(name) == 2:
            return
        assert state.get(name) != 1, f"a circle of imports: {' -> '.join((*trail[trail.index(name) :], name))}"
        state[name] = 1
        for to in sorted(graph.get(name, ())):
            if to != name:
                visit(to, (*trail, name))
        state[name] = 2

    for name in graph:
        visit(name, ())


def test_only_the_page_knows_gradio_and_only_loading_loads() -> None:
    for name, path in MODULES.items():
        text = path.read_text(encoding="utf-8")
        if not name.startswith("blip2.ui"):
            assert "import gradio" not in text, f"{name} imports gradio"
        if name.split(".")[1:2] not in (["loading"], ["checkpoint"], ["pocket"], ["bench"]):
            assert ".from_pretrained(" not in text, f"{name} loads a model itself"


def test_the_lowest_layer_and_the_command_line_need_no_torch() -> None:
    names = ", ".join(f"blip2.{name}" for name in sorted(LAYERS[0] | {"cli"}))
    code = f"import sys, {names}; sys.exit(bool({{'torch', 'transformers', 'gradio'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
