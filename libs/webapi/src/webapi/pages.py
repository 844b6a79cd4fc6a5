"""Pages of a list: a limit and an opaque cursor that holds the sort key of the last item."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Generic, NamedTuple, TypeVar, overload
from uuid import UUID

import orjson
from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from sqlalchemy import Row, Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from china_time import Moment
from database import page_of
from webapi.problems import CURSOR_INVALID, Refusal

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200
LONGEST_CURSOR = 1000
MOST_IDS = 50
_BOUNDED: Final[dict[type, Any]] = {datetime: Moment, int: Annotated[int, Field(ge=1, lt=2**31)]}
"""What a cursor may hold of these types: further away, some values overflow on their way to the database."""

T = TypeVar("T")
R = TypeVar("R")


def cursor_of(key: Sequence[object]) -> str:
    """Write a sort key as a cursor that goes on after it; `PageRequest.after` reads it."""
    return base64.urlsafe_b64encode(orjson.dumps(list(key), default=str)).rstrip(b"=").decode()


class Page(BaseModel, Generic[T]):
    """A part of a list. Ask again with `cursor=<next_cursor>` for the rest; null says that this is the end."""

    model_config = ConfigDict(frozen=True)

    items: list[T]
    next_cursor: str | None = Field(None, description="Opaque; valid for the same list with the same filters.")


class PageRequest(NamedTuple):
    """The page a client asks for: `limit` items (1 to 200) after the sort key in `cursor`."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    @property
    def fetch(self) -> int:
        """How many rows to select: one more than asked for tells whether there are more."""
        return self.limit + 1

    def after(self, *types: Any) -> tuple[Any, ...] | None:
        """Give the sort key to continue after, one value for each of `types`, or None on the first page.

        Raises the 422 problem `cursor_invalid` when the cursor does not hold such values.
        """
        if self.cursor is None:
            return None
        try:
            plain = base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4))
            key = TypeAdapter(tuple[types]).validate_json(plain)  # type: ignore[valid-type]
        except (binascii.Error, ValueError, ValidationError) as error:
            raise Refusal(CURSOR_INVALID) from error
        return tuple(key)

    @overload
    def of(self, rows: Sequence[R], key: Callable[[R], Sequence[object]]) -> Page[R]: ...
    @overload
    def of(self, rows: Sequence[R], key: Callable[[R], Sequence[object]], shape: Callable[[R], T]) -> Page[T]: ...
    def of(self, rows: Sequence[Any], key: Callable[[Any], Sequence[object]], shape: Any = None) -> Page[Any]:
        """Make the page from up to `fetch` rows: `key` gives a row's sort key, `shape` its response model."""
        shown = rows[: self.limit]
        cursor = None
        if len(rows) > self.limit:
            cursor = cursor_of(key(shown[-1]))
        return Page(items=[shape(row) for row in shown] if shape else list(shown), next_cursor=cursor)

    async def select(
        self,
        session: AsyncSession,
        chosen: Select[*tuple[Any, ...]],
        *key: InstrumentedAttribute[Any],
        shape: Callable[[Any], T],
        latest_first: bool = False,
    ) -> Page[T]:
        """Read the page of what `chosen` selects, in the order of the columns `key`, which are unique together.

        `shape` makes the response model of a row; of the thing itself, where `chosen` selects one thing alone. Raises
        the 422 problem `cursor_invalid`.
        """
        after = self.after(*(_BOUNDED.get(column.type.python_type, column.type.python_type) for column in key))
        ordered = page_of(chosen, *key, after=after, limit=self.fetch, latest_first=latest_first)
        return self.of(
            (await session.execute(ordered)).all(),
            key=lambda row: [_value(row, column) for column in key],
            shape=lambda row: shape(row[0] if len(row) == 1 else row),
        )


def _value(row: Row[*tuple[Any, ...]], column: InstrumentedAttribute[Any]) -> object:
    """Give what a row holds of a column, which it selects by itself or with the rest of its table."""
    return getattr(getattr(row, column.class_.__name__, row), column.key)


async def _page_request(
    limit: Annotated[int, Query(ge=1, le=LARGEST_LIMIT, description="How many items at most.")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(min_length=1, max_length=LONGEST_CURSOR, description="`next_cursor` of the page before.")
    ] = None,
) -> PageRequest:
    return PageRequest(limit, cursor)


PageQuery = Annotated[PageRequest, Depends(_page_request)]
"""The page a client asks for, as a parameter of a route."""

IdsQuery = Annotated[
    list[UUID] | None,
    Query(
        max_length=MOST_IDS,
        description="只列出这些编号的；没有的和看不到的都不列出。参数可重复，最多 50 次。— "
        "Of these ids alone; those that do not exist, or not for the caller, are left out. Repeat it, up to 50 times.",
    ),
]
"""Things of a list by their ids, as a parameter of a route that is called like the id."""
