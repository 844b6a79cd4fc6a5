"""No module of rules escapes the contract of import-linter that keeps rules free of I/O."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLAIMS = re.compile(r"\bpure\b|no I/O|nothing is read or written")
"""What a module's first words say when it does no I/O."""


def modules() -> Iterator[tuple[str, Path]]:
    for source in (*ROOT.glob("services/*/src"), *ROOT.glob("libs/*/src")):
        for file in sorted(source.rglob("*.py")):
            yield ".".join(file.relative_to(source).with_suffix("").parts), file


def held() -> re.Pattern[str]:
    """Make a pattern of every module whose imports a contract keeps free of I/O, and of all below it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    sources = [
        source for contract in contracts if "sqlalchemy" in contract.get("forbidden_modules", ())
        for source in contract["source_modules"]
    ]  # fmt: skip
    patterns = [re.escape(source).replace(r"\*\*", r".+").replace(r"\*", r"[^.]+") for source in sources]
    return re.compile(rf"({'|'.join(patterns)})(\..+)?")


def test_every_module_that_says_it_does_no_io_is_held_to_it() -> None:
    found = [
        name for name, file in modules() if CLAIMS.search(ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "")
    ]
    assert len(found) > 10
    assert [name for name in found if not held().fullmatch(name)] == []


def test_rules_are_called_rules_so_that_the_contract_knows_them() -> None:
    services = [name for name, file in modules() if file.is_relative_to(ROOT / "services")]
    named = [name for name in services if "rules" in name.rpartition(".")[2] and not name.endswith(".rulesets")]
    assert len(named) > 10
    assert [name for name in named if not held().fullmatch(name)] == []


def test_a_module_named_beside_the_pattern_would_be_found() -> None:
    assert held().fullmatch("members.enrolment.rules")
    assert held().fullmatch("gateway.overview.rules")
    assert not held().fullmatch("members.files.enrolment_rules")
    assert not held().fullmatch("gateway.overview.suppression")
