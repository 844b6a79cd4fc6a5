"""Events of members: the organisation tree, each person's one affiliation, and how a branch is composed."""

from contracts.audit import MembersAuditCheckpointedV1 as MembersAuditCheckpointedV1
from contracts.members.affiliation import MemberAffiliatedV1 as MemberAffiliatedV1
from contracts.members.composition import CompositionCountedV1 as CompositionCountedV1
from contracts.members.organisation import OrganisationEstablishedV1 as OrganisationEstablishedV1
from contracts.members.organisation import OrganisationMovedV1 as OrganisationMovedV1
from contracts.members.organisation import OrganisationRenamedV1 as OrganisationRenamedV1
from contracts.members.organisation import OrganisationState as OrganisationState
