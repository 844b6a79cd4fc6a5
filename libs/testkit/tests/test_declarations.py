"""Holds every package to what it declares: a distribution that its code imports stands in its pyproject.toml."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = sorted(file.parent for folder in ("libs", "services") for file in (ROOT / folder).glob("*/pyproject.toml"))


@cache
def distributions() -> dict[str, set[str]]:
    """Give the distributions that bring a module; those of the workspace are not listed where they are editable."""
    installed = {module: {normal(name) for name in names} for module, names in packages_distributions().items()}
    return installed | {package.name: {normal(f"xiangqiao-{package.name}")} for package in PACKAGES}


def normal(requirement: str) -> str:
    """Give the name of a distribution as all spellings of it share it."""
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def imported(source: Path) -> dict[str, str]:
    """Give the top-level modules that the code of a package imports, each with the file that does."""
    found: dict[str, str] = {}
    for file in source.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            found |= {name.partition(".")[0]: str(file.relative_to(ROOT)) for name in names}
    return found


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_declares_what_it_imports(package: Path) -> None:
    declared = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    names = {normal(requirement) for requirement in declared.get("dependencies", [])} | {declared["name"]}
    undeclared = {
        module: file
        for module, file in imported(package / "src").items()
        if module not in sys.stdlib_module_names and not distributions().get(module, {module}) & names
    }
    assert undeclared == {}
