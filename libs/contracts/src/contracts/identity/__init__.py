"""Events of identity: roles, who holds one where, whose tokens no longer hold, who is forgotten, clients' quotas."""

from contracts.audit import IdentityAuditCheckpointedV1 as IdentityAuditCheckpointedV1
from contracts.identity.account import AuthorizationChangedV1 as AuthorizationChangedV1
from contracts.identity.client import ClientQuotaSetV1 as ClientQuotaSetV1
from contracts.identity.erasure import PersonErasedV1 as PersonErasedV1
from contracts.identity.export import ExportRequestedV1 as ExportRequestedV1
from contracts.identity.role import RoleDefinedV1 as RoleDefinedV1
from contracts.identity.role_assignment import RoleAssignmentState as RoleAssignmentState
from contracts.identity.role_assignment import RoleEndedV1 as RoleEndedV1
from contracts.identity.role_assignment import RoleGrantedV1 as RoleGrantedV1
from contracts.identity.session import SessionRevokedV1 as SessionRevokedV1
