"""What is told of roles anew: what each permits, and who was given one.

An end that a restore lost is adopted. A grant that it lost is told as ended: nobody gets power by a restore, and what
two people decided is theirs to decide again.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import RoleAssignmentState, RoleDefinedV1, RoleEndedV1, RoleGrantedV1
from identity.roles.assignments import state_of
from identity.roles.tables import RoleAssignment, RoleDefinition
from messaging import Received, Telling, Told


def _tell_role(role: RoleDefinition) -> Telling:
    event = RoleDefinedV1(role_id=role.role_id, role=role.role, permissions=tuple(role.permissions))
    return Telling(event, role.version, role.defined_at)


def _tell_assignment(assignment: RoleAssignment) -> Telling:
    event = RoleEndedV1 if assignment.status == "ended" else RoleGrantedV1
    since = assignment.ended_at or assignment.decided_at or assignment.granted_at
    return Telling(event(**state_of(assignment)), assignment.version, since)


async def adopt_ends(session: AsyncSession, lost: Sequence[Received[RoleAssignmentState]]) -> Collection[UUID]:
    """End again what was ended, and what waits for a second person though it was approved and ended since."""
    ends = {each.event.assignment_id: each for each in lost if isinstance(each.event, RoleEndedV1)}
    going_on = select(RoleAssignment).where(
        RoleAssignment.assignment_id.in_(ends), RoleAssignment.status.in_(("granted", "proposed"))
    )
    ended = (await session.scalars(going_on.order_by(RoleAssignment.assignment_id).with_for_update())).all()
    for each in ended:
        end = ends[each.assignment_id]
        each.status, each.ended_at, each.ended_by, each.version = "ended", end.time, end.actor, end.version
    await session.flush()
    return [each.assignment_id for each in ended]


ROLE = Told(RoleDefinedV1, select(RoleDefinition), RoleDefinition.role_id, _tell_role)
ROLE_ASSIGNMENT = Told(
    RoleAssignmentState,
    select(RoleAssignment).where(RoleAssignment.status.in_(("granted", "ended"))),
    RoleAssignment.assignment_id,
    _tell_assignment,
    withdrawn=RoleEndedV1,
    adopt=adopt_ends,
)
