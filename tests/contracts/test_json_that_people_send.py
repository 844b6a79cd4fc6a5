"""Check 40: JSON that people send is read with a bound on its depth: Python's own reader falls over what is nested."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = {
    "services/identity/src/identity/factors/passkeys/ceremonies.py registration_options": "made by webauthn",
    "services/identity/src/identity/factors/passkeys/ceremonies.py sign_in_options": "made by webauthn",
    "libs/channels/src/channels/queue.py opened": "sealed by us",
    "libs/channels/src/channels/sms.py _outcome_of": "of the channel's service",
    "libs/webapi/src/webapi/signing_keys.py _fetch": "of identity",
}
"""Where it is used for what people do not send, and whose that is."""


def _is_unbounded(node: ast.AST) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    if not isinstance(called, ast.Attribute):
        return False
    return (called.attr in {"load", "loads"} and ast.unparse(called.value) == "json") or called.attr == "json"


def test_only_what_is_ours_is_read_without_a_bound() -> None:
    sources = [
        path
        for folder in (*ROOT.glob("services/*/src"), *(ROOT / "libs").glob("*/src"))
        if folder.parent.name not in {"standalone", "testkit"}  # which people do not send anything to
        for path in folder.rglob("*.py")
    ]
    found = {
        f"{path.relative_to(ROOT)} {function.name}"
        for path in sources
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(_is_unbounded, ast.walk(function)))
    }
    assert found == OURS.keys()
