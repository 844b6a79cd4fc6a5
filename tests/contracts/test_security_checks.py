"""Each check that security asks for is made by a test that says its number, or is listed as open with the reason."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALL = set(range(1, 41))


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_check_has_a_test_or_is_open_with_its_reason(generate: ModuleType) -> None:
    checks, tests = generate.security_checks(), generate.tests_of_checks()
    assert checks["checks"].keys() == ALL
    assert ALL - tests.keys() - checks["open"].keys() == set(), "name a test by its docstring, or say why there is none"
    assert {number for number, reason in checks["open"].items() if len(reason) < 10} == set()


def test_no_test_carries_the_number_of_a_check_there_is_not(generate: ModuleType) -> None:
    checks, tests = generate.security_checks(), generate.tests_of_checks()
    assert {number: names for number, names in tests.items() if number not in checks["checks"]} == {}
    assert checks["open"].keys() <= checks["checks"].keys()


def test_numbers_are_read_from_functions_and_files(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    place = tmp_path / "services" / "any" / "tests"
    place.mkdir(parents=True)
    (place / "test_one.py").write_text(
        'def test_a():\n    """Checks 1, 2 and 7: all."""\ndef helper():\n    """Check 9."""\n'
    )
    (place / "test_two.py").write_text('"""A whole file (check 7)."""\n')
    one, two = "services/any/tests/test_one.py::test_a", "services/any/tests/test_two.py"
    assert generate.tests_of_checks() == {1: [one], 2: [one], 7: [one, two]}
