"""What a service holds about a person, feature by feature: told to them on demand, and forgotten for good."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing, raw


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose data is asked for, in which transaction, and the keys of the service if it seals anything."""

    session: AsyncSession
    person_id: UUID
    keys: KeyRing | None = None

    @property
    def ring(self) -> KeyRing:
        """The keys of a service that seals."""
        if self.keys is None:
            raise RuntimeError("this service was given no keys")
        return self.keys


class OwnData(Protocol):
    """The own data of a feature; its module `own_data` is one."""

    async def compose(self, asked: Asked) -> Mapping[str, Any]:
        """Give all that the feature holds about a person, and nothing about anybody else, as JSON by what it is."""

    async def forget(self, session: AsyncSession, person_ids: Sequence[UUID]) -> None:
        """Destroy what the feature can read of these people, once or again, and keep what is counted."""


class Told:
    """The own data of a feature that seals nothing: by what it is called in the file, the query for a person (`$1`).

    Its rows stay when their person is erased: they hold no name and no word, and an id that leads to nobody any more.
    """

    def __init__(self, **queries: str) -> None:
        self._queries = queries

    async def compose(self, asked: Asked) -> Mapping[str, Any]:
        """Give the rows of each query."""
        connection = await raw(asked.session)
        told = {name: await connection.fetch(query, asked.person_id) for name, query in self._queries.items()}
        return {name: [dict(row) for row in rows] for name, rows in told.items()}

    async def forget(self, session: AsyncSession, person_ids: Sequence[UUID]) -> None:
        """Do nothing."""


AllOwnData: TypeAlias = Sequence[OwnData]
"""The own data of all features of a service."""


async def compose_all(own_data: AllOwnData, asked: Asked) -> dict[str, Any]:
    """Give what all features hold about a person; raises `ValueError` where two tell under the same name."""
    told: dict[str, Any] = {}
    for each in own_data:
        part = await each.compose(asked)
        if twice := told.keys() & part.keys():
            raise ValueError(f"two features tell {', '.join(sorted(twice))}")
        told |= part
    return told


async def forget_all(own_data: AllOwnData, session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Let all features forget these people."""
    for each in own_data:
        await each.forget(session, person_ids)
