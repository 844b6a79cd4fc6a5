"""Events of identity: roles, who holds one where, whose tokens no longer hold, who is forgotten, clients' quotas."""

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.audit import AuditChainState
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


class SessionRevokedV1(Event):
    """A front end's sign-in was ended before its time: no token with this id as its `sid` holds any more."""

    type: ClassVar[str] = "xiangqiao.identity.session.revoked.v1"
    aggregate: ClassVar[str] = "session"

    session_id: UUID

    @property
    def aggregate_id(self) -> UUID:
        """The session's id, which is the `sid` of its tokens."""
        return self.session_id


class AuthorizationChangedV1(Event):
    """What an account may do has changed: no token of a lower `authorization_version` holds any more.

    Roles granted or ended, deactivation, recovery and signing out everywhere all raise the version.
    """

    type: ClassVar[str] = "xiangqiao.identity.account.authorization_changed.v1"
    aggregate: ClassVar[str] = "account"

    person_id: UUID
    authorization_version: Annotated[int, Field(ge=1)]

    @property
    def aggregate_id(self) -> UUID:
        """The person's id."""
        return self.person_id


class ExportRequestedV1(Event):
    """A person asked for all that is known of them: every service composes its part, for a day."""

    type: ClassVar[str] = "xiangqiao.identity.export.requested.v1"
    aggregate: ClassVar[str] = "export"

    export_id: UUID
    person_id: UUID

    @property
    def aggregate_id(self) -> UUID:
        """The export's id."""
        return self.export_id


class PersonErasedV1(Event):
    """A person is to be forgotten: every service destroys the key of what it holds about them, for good."""

    type: ClassVar[str] = "xiangqiao.identity.erasure.decided.v1"
    aggregate: ClassVar[str] = "erasure"

    person_id: UUID

    @property
    def aggregate_id(self) -> UUID:
        """The person's id."""
        return self.person_id


class ClientQuotaSetV1(Event):
    """A client may send so many requests a minute, or none at all while it is suspended."""

    type: ClassVar[str] = "xiangqiao.identity.client.quota_set.v1"
    aggregate: ClassVar[str] = "client"

    client_principal_id: UUID
    client_id: Code
    requests_per_minute: Annotated[int, Field(ge=1)]
    status: Literal["active", "suspended"]

    @property
    def aggregate_id(self) -> UUID:
        """The client's id as somebody who acts."""
        return self.client_principal_id


class IdentityAuditCheckpointedV1(AuditChainState):
    """The audit of identity has come so far on a day; another service witnesses it."""

    type: ClassVar[str] = "xiangqiao.identity.audit_chain.checkpointed.v1"
