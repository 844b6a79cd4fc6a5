"""Lists: filters that may be left out, and one page after another in the order of a key."""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

S = TypeVar("S", bound=Select[*tuple[Any, ...]])
Column = ColumnElement[Any] | InstrumentedAttribute[Any]


def narrowed(chosen: S, wanted: Mapping[InstrumentedAttribute[Any], object]) -> S:
    """Keep the rows whose columns have these values, of a list any; a column whose value is None is not asked for."""
    return chosen.where(
        *(
            column.in_(value) if isinstance(value, list) else column == value
            for column, value in wanted.items()
            if value is not None
        )
    )


def page_of(chosen: S, *key: Column, after: tuple[Any, ...] | None, limit: int, latest_first: bool = False) -> S:
    """Select up to `limit` rows in the order of `key`, which is unique, from the one after `after`."""
    if after is not None:
        chosen = chosen.where(tuple_(*key) < tuple_(*after) if latest_first else tuple_(*key) > tuple_(*after))
    return chosen.order_by(*((column.desc() for column in key) if latest_first else key)).limit(limit)
