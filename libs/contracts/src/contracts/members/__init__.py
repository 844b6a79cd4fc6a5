"""Events of members: the organisation tree, each person's one affiliation, and how a branch is composed."""

from contracts.audit import MembersAuditCheckpointedV1 as MembersAuditCheckpointedV1
from contracts.members.affiliation import *
from contracts.members.composition import *
from contracts.members.organisation import *
from contracts.members.phone_answer import *
