"""Events of identity: roles, who holds one where, whose tokens no longer hold, who is forgotten, clients' quotas."""

from contracts.audit import IdentityAuditCheckpointedV1
from contracts.identity.account import AuthorizationChangedV1
from contracts.identity.client import ClientQuotaSetV1
from contracts.identity.erasure import PersonErasedV1
from contracts.identity.export import ExportRequestedV1
from contracts.identity.role import RoleDefinedV1
from contracts.identity.role_assignment import RoleAssignmentState, RoleEndedV1, RoleGrantedV1
from contracts.identity.session import SessionRevokedV1

__all__ = [
    "AuthorizationChangedV1",
    "ClientQuotaSetV1",
    "ExportRequestedV1",
    "IdentityAuditCheckpointedV1",
    "PersonErasedV1",
    "RoleAssignmentState",
    "RoleDefinedV1",
    "RoleEndedV1",
    "RoleGrantedV1",
    "SessionRevokedV1",
]
