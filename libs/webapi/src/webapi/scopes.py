"""What a client may ask of a service: the scopes an operation demands by its service and method, held to."""

from collections.abc import Callable, Collection, Iterable
from typing import Final

from webapi.authentication import Principal
from webapi.marks import F, marking
from webapi.problems import SCOPE_MISSING, Refusal

_PASSED_ON: Final = "__passed_on__"
READING: Final = frozenset({"GET", "HEAD"})


def passes_token_on(*scopes: str) -> Callable[[F], F]:
    """Declare that a route asks other services with the caller's token, which demands these too; below the route."""
    return marking(_PASSED_ON, scopes)


def demanded_scopes(service: str, methods: Collection[str], endpoint: object, named: Iterable[str]) -> frozenset[str]:
    """Give what a token has to hold for an operation: `<service>.read` for GET and HEAD, else `<service>.write`.

    `named` stands instead, where OAuth itself says which scope it is. Raises `ValueError` for an operation that both
    reads and writes.
    """
    reads = {method in READING for method in methods}
    if len(reads) != 1:
        raise ValueError(f"one operation cannot be both read and write: {sorted(methods)}")
    own = tuple(named) or (f"{service}.{'read' if reads.pop() else 'write'}",)
    return frozenset((*own, *getattr(endpoint, _PASSED_ON, ())))


def require_scopes(principal: Principal, demanded: frozenset[str]) -> None:
    """Raise the 403 problem `scope_missing` unless the token holds all that is demanded (RFC 6750, section 3.1)."""
    if demanded <= principal.scope:
        return
    scope = " ".join(sorted(demanded))
    challenge = f'Bearer realm="xiangqiao", error="insufficient_scope", scope="{scope}"'
    raise Refusal(SCOPE_MISSING, headers={"www-authenticate": challenge}, scope=scope)
