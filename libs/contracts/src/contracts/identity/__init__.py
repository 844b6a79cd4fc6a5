"""Events of identity: accounts and lists of them, roles, who holds one where, who is forgotten, clients' quotas."""

from contracts.audit import IdentityAuditCheckpointedV1 as IdentityAuditCheckpointedV1
from contracts.identity.account import *
from contracts.identity.account_list import *
from contracts.identity.client import *
from contracts.identity.erasure import *
from contracts.identity.export import *
from contracts.identity.phone_message import *
from contracts.identity.role import *
from contracts.identity.role_assignment import *
from contracts.identity.session import *
