"""What an owner tells of its aggregates when others have to hear of them anew: the state each has now."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from contracts import Event
from messaging.received import Received


class Telling(NamedTuple):
    """The state of one aggregate as an event, its version, and when that came to be (aware)."""

    event: Event
    version: int
    time: datetime


Adopt = Callable[[AsyncSession, Sequence[Received[Any]]], Awaitable[Collection[UUID]]]
"""Takes the last lost event of each of some aggregates and writes what it says; gives the aggregates it did so for.

What it writes of others is told as their rows then say.
"""


@dataclass(frozen=True)
class Told:
    """One kind of aggregate of a service, declared beside its commands.

    `rows` selects them, by `key`, and `tell` makes of a row (its columns, or the one entity) what is told. `adopt` is
    for a kind whose events hold all that its owner keeps; it is asked of what the owner spoke of since only where that
    `never_goes_back`. `withdrawn` says that the owner knows no such thing; its fields are some of the lost event's.
    """

    state: type[Event]
    rows: Select[*tuple[Any, ...]]
    key: InstrumentedAttribute[UUID]
    tell: Callable[..., Telling]
    withdrawn: type[Event] | None = None
    adopt: Adopt | None = None
    never_goes_back: bool = False

    async def page(self, session: AsyncSession, after: UUID | None, limit: int) -> Sequence[Telling]:
        """Give those whose id is above `after`, in the order of ids, at most `limit`."""
        rows = self.rows.order_by(self.key).limit(limit)
        return await self._told(session, rows if after is None else rows.where(self.key > after))

    async def of(self, session: AsyncSession, ids: Collection[UUID]) -> Sequence[Telling]:
        """Give those of these ids that there are."""
        return await self._told(session, self.rows.where(self.key.in_(ids))) if ids else []

    async def _told(self, session: AsyncSession, rows: Select[*tuple[Any, ...]]) -> Sequence[Telling]:
        return [self.tell(*row) for row in await session.execute(rows)]
