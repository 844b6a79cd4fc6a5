"""Events of members: the organisation tree, each person's one affiliation, and how a branch is composed."""

from contracts.audit import MembersAuditCheckpointedV1
from contracts.members.affiliation import MemberAffiliatedV1
from contracts.members.composition import CompositionCountedV1
from contracts.members.organisation import (
    OrganisationEstablishedV1,
    OrganisationMovedV1,
    OrganisationRenamedV1,
    OrganisationState,
)

__all__ = [
    "CompositionCountedV1",
    "MemberAffiliatedV1",
    "MembersAuditCheckpointedV1",
    "OrganisationEstablishedV1",
    "OrganisationMovedV1",
    "OrganisationRenamedV1",
    "OrganisationState",
]
