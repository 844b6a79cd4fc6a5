"""Event of an account: that its tokens of before no longer hold."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.envelope import Event


class AuthorizationChangedV1(Event):
    """What an account may do has changed: no token of a lower `authorization_version` holds any more.

    Roles granted or ended, deactivation, recovery and signing out everywhere all raise the version.
    """

    type: ClassVar[str] = "xiangqiao.identity.account.authorization_changed.v1"
    aggregate: ClassVar[str] = "account"
    identified_by: ClassVar[str] = "person_id"

    person_id: UUID
    authorization_version: Annotated[int, Field(ge=1)]
