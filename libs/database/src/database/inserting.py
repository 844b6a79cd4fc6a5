"""Inserting a row that may be there already: what nearly every command begins with."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, cast

import asyncpg
from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy import Table as CoreTable
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import class_mapper
from sqlalchemy.orm.attributes import instance_dict
from sqlalchemy.types import Boolean, TypeEngine

from database.engine import raw
from database.statements import count_of
from database.table import Table

_DIALECT = registry.load("postgresql.asyncpg")()

T = TypeVar("T", bound=Table)


class NeedsSQLAlchemy(TypeError):
    """A row has columns whose values the driver cannot take as they are: insert it by the session instead."""


class Condition(NamedTuple):
    """What a row is inserted under, looked at by the statement that inserts it: a round trip less.

    `holds` says it in SQL, by bound parameters that are named like columns of the row or are in `values`; the same
    object each time, for what is composed of it is kept. `require` raises what tells that it does not hold.
    """

    holds: ColumnElement[bool]
    values: Mapping[str, Any]
    require: Callable[[], Awaitable[None]]


async def insert_new(
    session: AsyncSession | asyncpg.Connection,
    table: type[Table],
    row: Mapping[str, Any],
    under: Condition | None = None,
) -> bool:
    """Insert a row unless it collides with one there is, or what it is `under` does not hold; say whether it was.

    `row` holds the values by column, as the driver takes them; columns left out take the database's defaults.
    SQLAlchemy composes the statement once for a table, and the driver runs it: composing and adapting costs several
    times what PostgreSQL needs. Raises `NeedsSQLAlchemy`, and `asyncpg.PostgresError` for other broken constraints.
    """
    sql, parameters = _composed(table, tuple(row), None if under is None else under.holds)
    values = row if under is None else {**row, **under.values}
    done: str = await (await raw(session)).execute(sql, *[values[each] for each in parameters])
    return bool(count_of(done))


async def insert_or_same(
    session: AsyncSession,
    table: type[T],
    new: Mapping[str, Any],
    *,
    stated: Collection[str],
    taken: type[Exception],
    under: Condition | None = None,
) -> tuple[T, bool]:
    """Insert a row under the id that its sender brought, or find that it was sent before; say which.

    `new` is as `insert_new` takes it. A row that is there already must hold the same in the columns `stated`, else
    `taken` is raised; so it is when the row collides with one of another id.
    A row just inserted is given as it was sent, without what the database adds. What it is `under` must hold, whether
    the row is there or not.
    """
    if await insert_new(session, table, new, under):
        row: T = class_mapper(table).class_manager.new_instance()  # a tenth of what the constructor costs
        instance_dict(row).update(new)
        return row, True
    if under is not None:
        await under.require()
        return await insert_or_same(session, table, new, stated=stated, taken=taken)
    key = tuple(new[column.name] for column in cast("CoreTable", table.__table__).primary_key)
    held = await session.get(table, key)
    if held is None or any(getattr(held, name) != new[name] for name in stated):
        raise taken
    return held, False


@lru_cache(maxsize=1_000)
def _composed(table: type[Table], columns: tuple[str, ...], holds: ColumnElement[bool] | None) -> tuple[str, list[str]]:
    """Give the statement and the names of the values in the order of its parameters."""
    core = cast("CoreTable", table.__table__)
    inserting, keys = insert(core), cast("list[str] | None", list(columns))
    if holds is not None:
        row = select(*(bindparam(column, type_=core.c[column].type) for column in columns)).where(holds)
        inserting, keys = inserting.from_select(columns, row, include_defaults=False), None
    compiled = inserting.on_conflict_do_nothing().compile(dialect=_DIALECT, column_keys=keys)
    order = list(compiled.positiontup or ())
    if not set(columns) <= set(order) or any(_is_adapted(core.c[column].type) for column in columns):
        raise NeedsSQLAlchemy(f"{core.name}: {', '.join(columns)}")
    return str(compiled), order


def _is_adapted(kind: TypeEngine[Any]) -> bool:
    """Say whether SQLAlchemy would change a value of this type on its way to the driver."""
    if isinstance(kind, ARRAY):
        return _is_adapted(kind.item_type)
    if isinstance(kind, Boolean):
        return False  # only checked to be one, as the driver does
    return kind.dialect_impl(_DIALECT).bind_processor(_DIALECT) is not None
