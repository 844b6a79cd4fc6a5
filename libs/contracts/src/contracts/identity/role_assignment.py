"""Events of a role assignment: who holds a role where, and when."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from contracts.envelope import Code, Event


class RoleAssignmentState(Event):
    """One person's role on one organisation and all below it, on the days it holds."""

    aggregate: ClassVar[str] = "role_assignment"
    identified_by: ClassVar[str] = "assignment_id"

    assignment_id: UUID
    person_id: UUID
    role: Code
    organisation_id: UUID
    valid_from: date
    valid_until: date | None = None


class RoleGrantedV1(RoleAssignmentState):
    """A person was given a role on an organisation."""

    type: ClassVar[str] = "xiangqiao.identity.role_assignment.granted.v1"


class RoleEndedV1(RoleAssignmentState):
    """A role assignment was ended before or at its time; `valid_until` is its last day.

    Of version 0 it never held: a restore lost that it was granted, and `valid_until` is as it was granted.
    """

    type: ClassVar[str] = "xiangqiao.identity.role_assignment.ended.v1"
