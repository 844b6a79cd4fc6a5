"""What each role allows, and on which organisations somebody's roles allow something."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from time import monotonic
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import RoleDefinedV1
from database import Database, raw

MAX_AGE_SECONDS = 2.0

_WRITE = """
insert into role (role, version) select * from unnest($1::text[], $2::bigint[]) order by 1
on conflict (role) do update set version = excluded.version where role.version < excluded.version
returning new.role
"""
_FORGET = "delete from role_permission where role = any($1::text[])"
_ALLOW = "insert into role_permission (role, permission) select * from unnest($1::text[], $2::text[])"


class Remit(frozenset[UUID]):
    """Organisations on which somebody has a permission; `offices` are the (role, organisation) pairs that give it."""

    offices: tuple[tuple[str, UUID], ...]

    def __new__(cls, offices: Iterable[tuple[str, UUID]]) -> "Remit":
        """Take the pairs, in any order."""
        ordered = tuple(sorted({(role, organisation_id) for role, organisation_id in offices}))
        made = super().__new__(cls, (organisation_id for _, organisation_id in ordered))
        made.offices = ordered
        return made


async def write_roles(session: AsyncSession, states: Iterable[tuple[RoleDefinedV1, int]]) -> None:
    """Take over roles' permissions, each set with its aggregate's version, in any order; older ones change nothing."""
    latest = {state.role: (state, version) for state, version in sorted(states, key=itemgetter(1))}
    if not latest:
        return
    connection = await raw(session)
    newer = await connection.fetch(_WRITE, list(latest), [version for _, version in latest.values()])
    # A statement of its own: it must see what a transaction that held the role's row before this one has written.
    await connection.execute(_FORGET, [row["role"] for row in newer])
    pairs = [(row["role"], each) for row in newer for each in set(latest[row["role"]][0].permissions)]
    await connection.execute(_ALLOW, [role for role, _ in pairs], [permission for _, permission in pairs])


class Permissions:
    """What each role allows, read from the local copy and remembered for at most two seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Mapping[str, frozenset[str]] = {}
        self._read_at = -MAX_AGE_SECONDS
        self._reading = asyncio.Lock()

    async def of(self, roles: Sequence[tuple[str, UUID]]) -> frozenset[str]:
        """Give every permission that (role, organisation) pairs give on some organisation."""
        known = await self._current()
        return frozenset().union(*(known.get(role, frozenset()) for role, _ in roles))

    async def remit(
        self, roles: Sequence[tuple[str, UUID]], permission: str, session: AsyncSession | None = None
    ) -> Remit:
        """Give the organisations on which (role, organisation) pairs give `permission`, read anew in a `session`."""
        known = await self._current() if session is None else await _read(session)
        return Remit((role, place) for role, place in roles if permission in known.get(role, ()))

    async def _current(self) -> Mapping[str, frozenset[str]]:
        if self._is_fresh():
            return self._known
        async with self._reading:
            if not self._is_fresh():
                began = monotonic()
                async with self._database.read() as session:
                    self._known = await _read(session)
                self._read_at = began
        return self._known

    def _is_fresh(self) -> bool:
        return monotonic() - self._read_at < MAX_AGE_SECONDS


async def _read(session: AsyncSession) -> Mapping[str, frozenset[str]]:
    rows = await (await raw(session)).fetch(
        "select role, array_agg(permission) as permissions from role_permission group by role"
    )
    return {row["role"]: frozenset(row["permissions"]) for row in rows}
