"""Imports go in one direction: no file comes back to itself by way of others, and every package is held to that."""

import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(
    file.parent.name for file in (*ROOT.glob("libs/*/src/*/__init__.py"), *ROOT.glob("services/*/src/*/__init__.py"))
)


@pytest.fixture(scope="module")
def imported() -> dict[str, set[str]]:
    """Give what each file imports, by module name; what is imported for types alone counts too."""
    graph = grimp.build_graph(*PACKAGES, include_external_packages=False, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def require_no_circle(imported: dict[str, set[str]]) -> None:
    TopologicalSorter(imported).prepare()


def test_no_file_comes_back_to_itself_by_way_of_what_it_imports(imported: dict[str, set[str]]) -> None:
    assert len(imported) > 300
    require_no_circle(imported)


def test_a_circle_between_two_files_would_be_found(imported: dict[str, set[str]]) -> None:
    [importer, *_] = sorted(module for module in imported["audit.routes"] if module.startswith("audit"))
    with pytest.raises(CycleError):
        require_no_circle({**imported, importer: imported[importer] | {"audit.routes"}})


def test_every_package_is_held_to_the_contracts_on_imports() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    [circles] = [contract for contract in settings["contracts"] if contract["type"] == "acyclic_siblings"]
    assert sorted(settings["root_packages"]) == PACKAGES
    assert sorted(circles["ancestors"]) == PACKAGES
    assert "ignore_imports" not in circles
