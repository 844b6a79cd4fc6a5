"""To which organisation each member belongs."""

from collections.abc import Iterable
from operator import itemgetter
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.members import AffiliationWithdrawnV1, MemberAffiliatedV1
from database import columns, raw

# Sorted, so that two consumers which write the same people cannot wait for each other.
_WRITE = """
insert into affiliation (person_id, organisation_id, version)
select * from unnest($1::uuid[], $2::uuid[], $3::bigint[]) order by 1
on conflict (person_id) do update set organisation_id = excluded.organisation_id, version = excluded.version
where affiliation.version < excluded.version
"""
_FORGET = """
delete from affiliation using unnest($1::uuid[], $2::bigint[]) as gone(person_id, version)
where affiliation.person_id = gone.person_id and affiliation.version < gone.version
"""


async def write_affiliations(session: AsyncSession, states: Iterable[tuple[MemberAffiliatedV1, int]]) -> None:
    """Take over affiliations, each with its aggregate's version, in any order; older ones change nothing."""
    in_order = sorted(states, key=itemgetter(1))
    latest = {state.person_id: (state.person_id, state.organisation_id, version) for state, version in in_order}
    if latest:
        await (await raw(session)).execute(_WRITE, *columns(latest.values()))


async def forget_affiliations(session: AsyncSession, states: Iterable[tuple[AffiliationWithdrawnV1, int]]) -> None:
    """Let these people belong nowhere, unless something newer is known of them."""
    if gone := [(state.person_id, version) for state, version in states]:
        await (await raw(session)).execute(_FORGET, *columns(gone))


async def affiliation_of(session: AsyncSession, person_id: UUID) -> UUID | None:
    """Give the organisation a person belongs to as a member; nothing for who is not one, or not known yet."""
    query = "select organisation_id from affiliation where person_id = $1"
    found: UUID | None = await (await raw(session)).fetchval(query, person_id)
    return found
