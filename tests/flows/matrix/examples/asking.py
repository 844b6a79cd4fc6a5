"""How to ask an operation well, and what others are told where it is not the usual."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.flows.matrix.world import World

Body = Callable[[World], Any]


@dataclass(frozen=True)
class Example:
    """How to ask for an operation's good.

    `by` is whose request must not be refused: without it whoever holds the first role that has the permission in the
    first county, or the member whose things these are. `ids` name things for parameters that are called otherwise.
    `stranger` and `beside` are the statuses for somebody with no role, and for the same role in the county beside,
    where they are not the usual ones. `province`: a role in a county is no role there. `shown_to_all`: everybody may
    see it. `before` is what somebody does just before the good request, so that it succeeds.
    """

    body: Body | None = None
    query: Body | None = None
    by: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    stranger: frozenset[int] | None = None
    beside: frozenset[int] | None = None
    shown_to_all: bool = False
    province: bool = False
    last: bool = False
    before: Callable[[World], Awaitable[None]] | None = None


def only(*statuses: int) -> frozenset[int]:
    return frozenset(statuses)


def of(**fields: Any) -> Body:
    """Make a body whose text values that begin with "$" name things."""

    def body(world: World) -> dict[str, Any]:
        return {name: _value(world, value) for name, value in fields.items()}

    return body


def _value(world: World, value: Any) -> Any:
    if isinstance(value, list):
        return [_value(world, each) for each in value]
    return world.things[value[1:]] if isinstance(value, str) and value.startswith("$") else value


BY_ROW = only(422)
"""Rows are refused one by one, and one in an organisation elsewhere in the words for one that does not exist."""
IN_BRANCH = of(organisation_id="$branch_id")
