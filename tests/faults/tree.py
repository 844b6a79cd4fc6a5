"""The small tree that the fault tests work on, with who answers, and the totals that cases must give up the tree."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from contracts.identity import RoleDefinedV1
from contracts.members import OrganisationEstablishedV1
from database import Database, new_id, utc_now
from feedback.responsibilities.commands import assign_responsibility
from feedback.responsibilities.schemas import AssignResponsibility
from messaging import Publication
from orgtree import ROOT_ID

SECRETARY = "branch_secretary"
CATEGORY = "roads"
OPERATOR = "system_administrator"
_ROLES = {
    SECRETARY: ("feedback.case.read", "feedback.case.answer", "gateway.overview.read"),
    OPERATOR: ("gateway.operations.read",),
}


def _id(number: int) -> UUID:
    return UUID(int=ROOT_ID.int + number)


COUNTY, TOWNSHIP, OTHER_TOWNSHIP = _id(1), _id(2), _id(3)
BRANCHES = tuple(_id(number) for number in range(10, 18))
PARENTS: dict[UUID, UUID] = {
    COUNTY: ROOT_ID,
    TOWNSHIP: COUNTY,
    OTHER_TOWNSHIP: COUNTY,
    **{branch: (TOWNSHIP, OTHER_TOWNSHIP)[number % 2] for number, branch in enumerate(BRANCHES)},
}
"""Each organisation's parent, from above to below."""
_LEVELS = {COUNTY: "county", TOWNSHIP: "township", OTHER_TOWNSHIP: "township"}


def established(organisation_id: UUID) -> OrganisationEstablishedV1:
    """Make the event that put an organisation into the tree."""
    level = _LEVELS.get(organisation_id, "branch")
    kind = "branch" if level == "branch" else "committee"
    return OrganisationEstablishedV1.model_validate(
        {
            "organisation_id": organisation_id,
            "parent_id": PARENTS[organisation_id],
            "kind": kind,
            "level": level,
            "name": "某组织",
        }
    )


async def plant(session: AsyncSession) -> None:
    """Take over the tree and the roles, as the handlers of their events do."""
    roles = [RoleDefinedV1(role_id=new_id(), role=role, permissions=may) for role, may in _ROLES.items()]
    await orgtree.HANDLERS[RoleDefinedV1](session, [Publication(event, 1) for event in roles])
    tree = [established(organisation_id) for organisation_id in PARENTS]
    await orgtree.HANDLERS[OrganisationEstablishedV1](session, [Publication(event, 1) for event in tree])


async def plant_in(url: str, *, responsibilities: bool) -> None:
    """Plant the tree in a migrated database, and in feedback's also who answers."""
    database = Database(url, application_name="plant")
    async with database.transaction() as session:
        await plant(session)
        if responsibilities:
            await assign_responsibility(
                session,
                responsibility_id=new_id(),
                wanted=AssignResponsibility(
                    category=CATEGORY,
                    organisation_id=ROOT_ID,
                    responsible_id=TOWNSHIP,
                    working_days=5,
                    valid_from=date(2020, 1, 1),
                ),
                by=audit.Actor(actor=new_id(), remit={ROOT_ID}),
                now=utc_now(),
            )
    await database.close()


def totals(cases: Iterable[tuple[UUID, str]]) -> Counter[tuple[UUID, str]]:
    """Count cases, each the organisation it is about and its status, for the organisation and all above it."""
    found: Counter[tuple[UUID, str]] = Counter()
    for organisation_id, status in cases:
        place: UUID | None = organisation_id
        while place is not None:
            found[place, "cases.received"] += 1
            found[place, f"cases.now.{status}"] += 1
            place = PARENTS.get(place)
    return found
