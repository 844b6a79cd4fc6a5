"""No parameter that bounds how far somebody reaches can be left out: nothing said never means everything."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOUNDS = frozenset({"remit", "within", "permission", "permissions", "reader", "held"})
"""What a parameter is called that says where, by which permission or as whom somebody may."""


def unbounded(source: str) -> Iterator[str]:
    """Give the functions of a module that take None for a bound, with the bound."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            for each in taken:
                if each.arg in BOUNDS and each.annotation is not None and "None" in ast.unparse(each.annotation):
                    yield f"{node.name}({each.arg})"


def test_no_bound_of_reach_may_be_none() -> None:
    files = [file for top in ("libs", "services") for file in (ROOT / top).glob("*/src/**/*.py")]
    bounded = [file for file in files if "remit: Collection[UUID]" in file.read_text("utf-8")]
    assert len(bounded) > 10
    assert [f"{file.stem}: {found}" for file in files for found in unbounded(file.read_text("utf-8"))] == []


def test_a_bound_that_may_be_none_would_be_found() -> None:
    assert list(unbounded("async def f(session, *, remit: Collection[UUID] | None) -> None: ...")) == ["f(remit)"]
    assert list(unbounded("def f(held: Optional[None] = None): ...")) == ["f(held)"]
    assert list(unbounded("def f(remit: Collection[UUID]) -> None: ...")) == []
