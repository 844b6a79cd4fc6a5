"""Checks accounts that were opened before it was known where their people belong."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from contracts import Event
from contracts.members import MemberAffiliatedV1, OrganisationEstablishedV1, OrganisationMovedV1
from database import utc_now
from identity.deactivation.openings import check_openings, forget_openings_before
from messaging import Handler, Received


async def react_to_affiliations(session: AsyncSession, batch: Sequence[Received[Any]]) -> None:
    """Keep the affiliations, and hold accounts opened before they arrived against them."""
    await orgtree.HANDLERS[MemberAffiliatedV1](session, batch)
    await forget_openings_before(session, [(each.event.person_id, each.time) for each in batch if each.is_first])
    await check_openings(session, now=utc_now())


async def react_to_organisations(session: AsyncSession, batch: Sequence[Received[Any]]) -> None:
    """Keep the organisations, and hold accounts against affiliations whose place was not known."""
    await orgtree.HANDLERS[OrganisationEstablishedV1](session, batch)
    await check_openings(session, now=utc_now())


HANDLERS: Mapping[type[Event], Handler] = {
    **orgtree.HANDLERS,
    MemberAffiliatedV1: react_to_affiliations,
    OrganisationEstablishedV1: react_to_organisations,
    OrganisationMovedV1: react_to_organisations,
}
