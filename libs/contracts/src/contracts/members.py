"""Events of members: the organisation tree, each person's one affiliation, and how a branch is composed."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.audit import AuditChainState
from contracts.envelope import Code, Event

Level = Literal["province", "city", "county", "township", "village", "branch"]
Kind = Literal["committee", "general_branch", "branch", "group"]
Count = Annotated[int, Field(ge=0)]


class OrganisationState(Event):
    """One organisation as it now stands in the tree; only the root has no parent."""

    aggregate: ClassVar[str] = "organisation"

    organisation_id: UUID
    parent_id: UUID | None
    kind: Kind
    level: Level
    name: Annotated[str, Field(min_length=1, max_length=200)]
    division_code: Annotated[str, Field(pattern=r"^\d{2}(\d{2}(\d{2}(\d{3}(\d{3})?)?)?)?$")] | None = None

    @property
    def aggregate_id(self) -> UUID:
        """The organisation's id."""
        return self.organisation_id


class OrganisationEstablishedV1(OrganisationState):
    """An organisation was established under its parent."""

    type: ClassVar[str] = "xiangqiao.members.organisation.established.v1"


class OrganisationRenamedV1(OrganisationState):
    """An organisation has a new name or division code."""

    type: ClassVar[str] = "xiangqiao.members.organisation.renamed.v1"


class OrganisationMovedV1(OrganisationState):
    """An organisation, and all below it, stands under another parent."""

    type: ClassVar[str] = "xiangqiao.members.organisation.moved.v1"


class MemberAffiliatedV1(Event):
    """A member belongs to exactly this branch; of the file itself nothing travels."""

    type: ClassVar[str] = "xiangqiao.members.affiliation.affiliated.v1"
    aggregate: ClassVar[str] = "affiliation"

    person_id: UUID
    organisation_id: UUID

    @property
    def aggregate_id(self) -> UUID:
        """The person's id: each has one affiliation."""
        return self.person_id


class CompositionCountedV1(Event):
    """How many members a branch has, and how many of them are of each kind that needs care; counts alone.

    `stages` counts by stage of admission, `age_bands` by band (`under_35`, `35_to_59`, `60_and_over`); each sums to
    `members`.
    """

    type: ClassVar[str] = "xiangqiao.members.composition.counted.v1"
    aggregate: ClassVar[str] = "composition"

    organisation_id: UUID
    members: Count
    away: Count
    without_smartphone: Count
    stages: Annotated[dict[Code, Count], Field(max_length=20)]
    age_bands: Annotated[dict[Code, Count], Field(max_length=20)]

    @property
    def aggregate_id(self) -> UUID:
        """The branch's id: each has one composition."""
        return self.organisation_id


class MembersAuditCheckpointedV1(AuditChainState):
    """The audit of members has come so far on a day; another service witnesses it."""

    type: ClassVar[str] = "xiangqiao.members.audit_chain.checkpointed.v1"
