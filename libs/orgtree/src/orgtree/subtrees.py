"""One predicate for "lies in one of these subtrees", for lists and for single objects."""

from collections.abc import Collection
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    SQLColumnExpression,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    func,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from database import Condition, raw
from orgtree.root import ROOT_ID
from orgtree.tables import organisation

_IS_WITHIN = "select exists (select from organisation where organisation_id = $1 and ancestors && $2::uuid[])"


_PLACE = organisation.alias()
_ROW_IS_WITHIN = exists(
    select(_PLACE.c.organisation_id).where(
        _PLACE.c.organisation_id == bindparam("organisation_id", type_=Uuid),
        _PLACE.c.ancestors.bool_op("&&")(bindparam("remit", type_=ARRAY(Uuid))),
    )
)


class OutsideRemit(Exception):
    """The organisation whose id it holds lies in none of the subtrees, or is not known."""


def within(column: SQLColumnExpression[Any], remit: Collection[UUID]) -> ColumnElement[bool]:
    """Say in SQL that the organisation whose id is in `column` is in `remit` or stands below one that is.

    An organisation that is not known, or whose place is not, contains nothing. A table that is listed by it needs an
    index that begins with `column`.
    """
    subtrees = bindparam(None, list(remit), type_=ARRAY(Uuid))
    return _in_most_of_the_tree(column, subtrees) if ROOT_ID in remit else _in_part_of_the_tree(column, subtrees)


def _in_most_of_the_tree(column: SQLColumnExpression[Any], remit: BindParameter[Any]) -> ColumnElement[bool]:
    """Look each row's organisation up: nearly every row belongs to a page, so few are looked at."""
    place = organisation.alias()
    lies_within = exists(
        select(literal(1))
        .select_from(place)
        .where(place.c.organisation_id == column, place.c.ancestors.bool_op("&&")(remit))
        .correlate_except(place)
    )
    # The column stands outside as well: the column of a table that the query does not read would else be taken from a
    # copy of it in the subquery, and be true of every row.
    return and_(column.is_not(None), lies_within)


def _in_part_of_the_tree(column: SQLColumnExpression[Any], remit: BindParameter[Any]) -> ColumnElement[bool]:
    """Gather the subtrees' ids first, by a range of paths, and the rows by these.

    Left alone, the planner would look rows up one by one until a page is full, as if the remit's rows were spread
    evenly over the table. They are not: a county comes in at once. The array keeps it from that, for it expects few
    ids in it.
    """
    place, top = organisation.alias(), organisation.alias()
    end = func.left(top.c.path, -1).concat("0")  # "0" is the character after "/"
    ids = (
        select(place.c.organisation_id)
        .join(top, and_(place.c.path >= top.c.path, place.c.path < end))
        .where(top.c.organisation_id == any_(remit))
    )
    return column.in_(select(func.unnest(func.array(ids.scalar_subquery()))))


async def require_within(
    session: AsyncSession | asyncpg.Connection, organisation_id: UUID, remit: Collection[UUID]
) -> None:
    """Return when the organisation lies in one of the remit's subtrees: what `within` says of its row.

    On every command's path, hence one statement on the driver. Raises `OutsideRemit`.
    """
    if not await (await raw(session)).fetchval(_IS_WITHIN, organisation_id, list(remit)):
        raise OutsideRemit(organisation_id)


def row_within(session: AsyncSession | asyncpg.Connection, organisation_id: UUID, remit: Collection[UUID]) -> Condition:
    """Let a row of this organisation be inserted under what `require_within` demands."""
    return Condition(_ROW_IS_WITHIN, {"remit": list(remit)}, partial(require_within, session, organisation_id, remit))
