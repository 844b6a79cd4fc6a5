"""What an operation demands of whoever asks: declared at its route, shown in OpenAPI as `x-access`, and held to."""

import re
from collections.abc import Iterable
from typing import Any, Final

from fastapi.routing import APIRoute

from webapi.problems import NOT_A_PERSON, Refusal

EXTENSION: Final = "x-access"
ONE_FACTOR: Final = "x-one-factor"
PUBLIC: Final = "public"
CLIENT: Final = "client"
SELF: Final = "self"
WORDS: Final = frozenset({PUBLIC, CLIENT, SELF})
_PERMISSION: Final = re.compile(r"[a-z][a-z_]*(?:\.[a-z][a-z_]*){2}")


class AccessUndeclared(Exception):
    """An operation of the document does not say what it demands, or says what cannot be."""


def access(*rules: str) -> dict[str, Any]:
    """Declare what a route demands, any one of `rules`: `@router.get(..., openapi_extra=access("self"))`.

    `public` is anybody, without a token; `client` is an OAuth client that authenticates itself, or one that acts by
    itself with a token of its own; `self` is every person who is signed in, on what is theirs or meant for all;
    anything else is a permission, on the organisations in whose subtree it is held. `public` stands alone. Raises
    `ValueError`.
    """
    unknown = [rule for rule in rules if rule not in WORDS and not _PERMISSION.fullmatch(rule)]
    if unknown or not rules or len(set(rules)) != len(rules) or (PUBLIC in rules and len(rules) > 1):
        raise ValueError(f"an operation cannot demand {rules}")
    return {EXTENSION: list(rules)}


def because(extension: str, reason: str) -> dict[str, Any]:
    """Declare an exception under its name, and why a route is one. Raises `ValueError` where nothing is said."""
    if len(reason) < 10:
        raise ValueError(f"say why: {extension}")
    return {extension: reason}


def one_factor(reason: str) -> dict[str, Any]:
    """Declare that a permission is used here by who proved one factor, and why: `access(...) | one_factor("...")`.

    Everywhere else it takes two. Raises `ValueError`.
    """
    return because(ONE_FACTOR, reason)


def takes_two_factors(route: Any) -> bool:
    """Say whether a permission is used at this route by who proved two factors alone."""
    return ONE_FACTOR not in (getattr(route, "openapi_extra", None) or {})


def declared(route: Any) -> tuple[str, ...]:
    """Give the rules a route declares; none when it declares nothing."""
    rules = (getattr(route, "openapi_extra", None) or {}).get(EXTENSION, ())
    return (rules,) if isinstance(rules, str) else tuple(rules)


def require_declared(route: Any, permission: str) -> None:
    """Raise `AccessUndeclared` for a permission that the route asks for and its declaration does not name."""
    if isinstance(route, APIRoute) and route.include_in_schema and permission not in declared(route):
        raise AccessUndeclared(f"{route.name} asks for {permission} and does not declare it: access({permission!r})")


def require_person(route: Any) -> None:
    """Refuse a client that acts by itself on a route for people alone; raises the 403 problem `not_a_person`."""
    if declared(route) == (SELF,):
        raise Refusal(NOT_A_PERSON)


def require_access(routes: Iterable[APIRoute], protected: Iterable[tuple[str, str]]) -> None:
    """Raise `AccessUndeclared` unless every documented route says what it demands, and asks for a token accordingly.

    `protected` are the (path, method) that ask for a token.
    """
    asking = set(protected)
    for route in routes:
        if not route.include_in_schema:
            continue
        rules = declared(route)
        if not rules:
            raise AccessUndeclared(
                f"{route.name} ({', '.join(sorted(route.methods or ()))} {route.path_format}) does not say what it "
                "demands: add openapi_extra=access(...) to its decorator, see webapi/access.py"
            )
        access(*rules)
        asks = any((route.path_format, method.lower()) in asking for method in route.methods or ())
        if asks and PUBLIC in rules:
            raise AccessUndeclared(f"{route.name} ({route.path_format}) is declared public and asks for a token")
        if not asks and not {PUBLIC, CLIENT} & set(rules):
            raise AccessUndeclared(f"{route.name} ({route.path_format}) demands {rules} and asks for no token")
