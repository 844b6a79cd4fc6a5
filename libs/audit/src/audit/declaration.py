"""What an operation leaves in the audit: declared at its route beside its access, shown in OpenAPI as `x-audited`."""

import re
from collections.abc import Iterable
from typing import Any, Final

from fastapi.routing import APIRoute

from webapi.access import WORDS, because, declared, one_factor

EXTENSION: Final = "x-audited"
_ACTION: Final = re.compile(r"[a-z][a-z_]*(?:\.[a-z][a-z_]*){2}")


class AuditUndeclared(Exception):
    """An operation that demands a permission does not say what it leaves in the audit."""


def audited(*actions: str) -> dict[str, Any]:
    """Declare the entries that a route leaves, one of `actions` at least: `access(...) | audited("members.file.read")`.

    What it does for the caller's own may leave none. Raises `ValueError`.
    """
    if not actions or not all(_ACTION.fullmatch(action) for action in actions):
        raise ValueError(f"no operation is recorded as {actions}")
    return {EXTENSION: list(actions)}


def unaudited(reason: str) -> dict[str, Any]:
    """Declare that a route leaves no entry although it demands a permission, and why. Raises `ValueError`."""
    return {EXTENSION: because("none", reason)}


def about_nobody(reason: str) -> dict[str, Any]:
    """Declare that a route tells of no other person, so that it leaves no entry and one factor is enough, and why.

    Raises `ValueError`.
    """
    return unaudited(reason) | one_factor(reason)


def require_audited(routes: Iterable[Any]) -> None:
    """Raise `AuditUndeclared` unless every documented route that demands a permission says what it leaves."""
    for route in routes:
        if not isinstance(route, APIRoute) or not route.include_in_schema or set(declared(route)) <= WORDS:
            continue
        if not (route.openapi_extra or {}).get(EXTENSION):
            raise AuditUndeclared(
                f"{route.name} ({', '.join(sorted(route.methods or ()))} {route.path_format}) does not say what it "
                'leaves in the audit: add | audited("...") or | unaudited("...") behind its access(...)'
            )
