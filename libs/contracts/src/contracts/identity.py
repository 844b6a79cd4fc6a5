"""Events of identity: which roles exist, and who holds one on which organisation."""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.envelope import Code, Event


class RoleDefinedV1(Event):
    """A role is now exactly this set of permissions. Every service keeps it to resolve the roles in a token."""

    type: ClassVar[str] = "xiangqiao.identity.role.defined.v1"
    aggregate: ClassVar[str] = "role"

    role_id: UUID
    role: Code
    permissions: Annotated[tuple[Code, ...], Field(max_length=200)]

    @property
    def aggregate_id(self) -> UUID:
        """The role's id."""
        return self.role_id


class RoleAssignmentState(Event):
    """One person's role on one organisation and all below it, on the days it holds."""

    aggregate: ClassVar[str] = "role_assignment"

    assignment_id: UUID
    person_id: UUID
    role: Code
    organisation_id: UUID
    valid_from: date
    valid_until: date | None = None

    @property
    def aggregate_id(self) -> UUID:
        """The assignment's id."""
        return self.assignment_id


class RoleGrantedV1(RoleAssignmentState):
    """A person was given a role on an organisation."""

    type: ClassVar[str] = "xiangqiao.identity.role_assignment.granted.v1"


class RoleEndedV1(RoleAssignmentState):
    """A role assignment was ended before or at its time; `valid_until` is its last day."""

    type: ClassVar[str] = "xiangqiao.identity.role_assignment.ended.v1"
