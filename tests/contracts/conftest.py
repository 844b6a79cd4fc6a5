"""What writes the generated documents, and the applications it reads them from: composed once for all these tests."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs"))


@pytest.fixture(scope="session")
def generate() -> ModuleType:
    return importlib.import_module("generate")
