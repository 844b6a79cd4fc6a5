"""What is told of affiliations and compositions anew. A file is sealed here alone: a lost one is withdrawn."""

from collections.abc import Collection, Sequence
from datetime import datetime, time
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from china_time import CHINA, day_of
from contracts.members import AffiliationWithdrawnV1, CompositionCountedV1, MemberAffiliatedV1
from database import utc_now
from members.files.counting import recount
from members.files.tables import Composition, Member, MemberKey
from members.organisations.tables import RegisteredOrganisation
from messaging import Received, Telling, Told


def _tell_affiliation(person_id: UUID, organisation_id: UUID, version: int, since: datetime) -> Telling:
    return Telling(MemberAffiliatedV1(person_id=person_id, organisation_id=organisation_id), version, since)


def _tell_composition(counted: Composition) -> Telling:
    event = CompositionCountedV1.model_validate(counted, from_attributes=True)
    return Telling(event, counted.version, datetime.combine(counted.counted_on, time.min, tzinfo=CHINA))


async def count_anew(session: AsyncSession, lost: Sequence[Received[CompositionCountedV1]]) -> Collection[UUID]:
    """Count branches by the files that there are; nothing is taken over, and each is told as it was counted."""
    branches = [each.event.organisation_id for each in lost]
    known = select(RegisteredOrganisation.organisation_id).where(RegisteredOrganisation.organisation_id.in_(branches))
    await recount(session, list(await session.scalars(known)), day_of(utc_now()))
    return ()


AFFILIATION: Final = Told(
    MemberAffiliatedV1,
    select(Member.person_id, Member.organisation_id, Member.affiliation_version, MemberKey.made_at)
    .join(MemberKey)
    .where(MemberKey.wrapped.is_not(None)),
    Member.person_id,
    _tell_affiliation,
    withdrawn=AffiliationWithdrawnV1,
)
COMPOSITION: Final = Told(
    CompositionCountedV1,
    select(Composition).where(Composition.version > 0),
    Composition.organisation_id,
    _tell_composition,
    adopt=count_anew,
)
