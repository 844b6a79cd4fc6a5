"""Whose changes a caller sees: their own, those of the members of where they belong, and those of what they staff."""

from collections.abc import Collection, Mapping
from uuid import UUID

import asyncpg

import orgtree
from gateway.home.kinds import STAFF_PERMISSIONS
from webapi import AuthenticatedCaller

_MEMBERS = """
select person_id, array_agg('members:' || ancestor)
from affiliation join organisation using (organisation_id), unnest(ancestors) as ancestor
where person_id = any($1::uuid[]) group by person_id
"""


async def audiences_of(connection: asyncpg.Connection, caller: AuthenticatedCaller) -> frozenset[str]:
    """Give the audiences that this caller is in now, as homes name them."""
    return await joined(caller, await members_audiences(connection, [caller.person_id]))


async def members_audiences(
    connection: asyncpg.Connection, person_ids: Collection[UUID]
) -> Mapping[UUID, Collection[str]]:
    """Give the audiences of members that each of these people is in; nothing of who belongs nowhere."""
    return dict(await connection.fetch(_MEMBERS, person_ids))


async def joined(caller: AuthenticatedCaller, members: Mapping[UUID, Collection[str]]) -> frozenset[str]:
    """Join to these all others that the caller is in."""
    own = (f"person:{caller.person_id}", f"members:{orgtree.ROOT_ID}")
    staff = [
        f"staff:{permission}:{organisation}"
        for permission in STAFF_PERMISSIONS
        for organisation in await caller.remit_if_any(permission)
    ]
    return frozenset((*own, *members.get(caller.person_id, ()), *staff))
