"""Inserting a row that may be there already: what nearly every command begins with."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast

import asyncpg
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


async def insert_new(session: AsyncSession | asyncpg.Connection, table: type[Table], row: Mapping[str, Any]) -> bool:
    """Insert a row unless it collides with one there is; say whether it was inserted.

    `row` holds the values by column, as the driver takes them; columns left out take the database's defaults.
    SQLAlchemy composes the statement once for a table, and the driver runs it: composing and adapting costs several
    times what PostgreSQL needs. Raises `NeedsSQLAlchemy`, and `asyncpg.PostgresError` for other broken constraints.
    """
    sql, columns = _composed(table, tuple(row))
    done: str = await (await raw(session)).execute(sql, *[row[column] for column in columns])
    return bool(count_of(done))


async def insert_or_same(
    session: AsyncSession, table: type[T], new: Mapping[str, Any], *, stated: Collection[str], taken: type[Exception]
) -> tuple[T, bool]:
    """Insert a row under the id that its sender brought, or find that it was sent before; say which.

    `new` is as `insert_new` takes it. A row that is there already must hold the same in the columns `stated`, else
    `taken` is raised; so it is when the row collides with one of another id.
    A row just inserted is given as it was sent, without what the database adds.
    """
    if await insert_new(session, table, new):
        row: T = class_mapper(table).class_manager.new_instance()  # a tenth of what the constructor costs
        instance_dict(row).update(new)
        return row, True
    key = tuple(new[column.name] for column in cast("CoreTable", table.__table__).primary_key)
    held = await session.get(table, key)
    if held is None or any(getattr(held, name) != new[name] for name in stated):
        raise taken
    return held, False


@lru_cache(maxsize=1_000)
def _composed(table: type[Table], columns: tuple[str, ...]) -> tuple[str, list[str]]:
    """Give the statement and the columns in the order of its parameters."""
    core = cast("CoreTable", table.__table__)
    compiled = insert(core).on_conflict_do_nothing().compile(dialect=_DIALECT, column_keys=list(columns))
    order = list(compiled.positiontup or ())
    if sorted(order) != sorted(columns) or any(_is_adapted(core.c[column].type) for column in columns):
        raise NeedsSQLAlchemy(f"{core.name}: {', '.join(columns)}")
    return str(compiled), order


def _is_adapted(kind: TypeEngine[Any]) -> bool:
    """Say whether SQLAlchemy would change a value of this type on its way to the driver."""
    if isinstance(kind, ARRAY):
        return _is_adapted(kind.item_type)
    if isinstance(kind, Boolean):
        return False  # only checked to be one, as the driver does
    return kind.dialect_impl(_DIALECT).bind_processor(_DIALECT) is not None
