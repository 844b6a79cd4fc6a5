"""The one table of a service's problems, joined from those of its features and what every service answers alike."""

from collections.abc import Mapping, Sequence
from typing import Final

import orgtree
import rulebook
from webapi import NOT_FOUND, Problem
from webapi.reach import TOO_OFTEN, TooOften

SHARED: Final[Mapping[type[Exception], Problem]] = {
    orgtree.OutsideRemit: NOT_FOUND,
    TooOften: TOO_OFTEN,
    rulebook.Refused: Problem(
        409,
        "refused_by_rule",
        "A rule does not allow this.",
        "规则不允许此操作。",
        ("rule", "requirement", "zh", "en", "holds_from", "source", "details"),
    ),
}


def joined(tables: Sequence[Mapping[type[Exception], Problem]]) -> dict[type[Exception], Problem]:
    """Give one table; raises `ValueError` when two say what an exception is, or two problems share a code."""
    found = dict(SHARED)
    for table in tables:
        if twice := found.keys() & table.keys():
            raise ValueError(f"{', '.join(sorted(kind.__name__ for kind in twice))} is a problem twice")
        found |= table
    by_code: dict[str, Problem] = {}
    for problem in found.values():
        if by_code.setdefault(problem.code, problem) != problem:
            raise ValueError(f"{problem.code} is two problems")
    return found
