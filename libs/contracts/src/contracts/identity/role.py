"""Event of a role: which permissions it has."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.envelope import Code, Event


class RoleDefinedV1(Event):
    """A role is now exactly this set of permissions. Every service keeps it to resolve the roles in a token."""

    type: ClassVar[str] = "xiangqiao.identity.role.defined.v1"
    aggregate: ClassVar[str] = "role"
    identified_by: ClassVar[str] = "role_id"

    role_id: UUID
    role: Code
    permissions: Annotated[tuple[Code, ...], Field(max_length=200)]
