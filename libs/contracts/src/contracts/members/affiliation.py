"""Event of an affiliation: each member's one branch."""

from typing import ClassVar
from uuid import UUID

from contracts.envelope import Event


class MemberAffiliatedV1(Event):
    """A member belongs to exactly this branch; of the file itself nothing travels."""

    type: ClassVar[str] = "xiangqiao.members.affiliation.affiliated.v1"
    aggregate: ClassVar[str] = "affiliation"
    identified_by: ClassVar[str] = "person_id"

    person_id: UUID
    organisation_id: UUID


class AffiliationWithdrawnV1(Event):
    """A restore lost this member's file: they belong to no branch until they are enrolled again."""

    type: ClassVar[str] = "xiangqiao.members.affiliation.withdrawn.v1"
    aggregate: ClassVar[str] = "affiliation"
    identified_by: ClassVar[str] = "person_id"

    person_id: UUID
