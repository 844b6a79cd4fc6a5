"""Events of an organisation: where it stands in the tree, and what it is called."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.envelope import Code, Event


class OrganisationState(Event):
    """One organisation as it now stands in the tree; only the root has no parent."""

    aggregate: ClassVar[str] = "organisation"
    identified_by: ClassVar[str] = "organisation_id"

    organisation_id: UUID
    parent_id: UUID | None
    kind: Code
    level: Code
    name: Annotated[str, Field(min_length=1, max_length=200)]
    division_code: Annotated[str, Field(pattern=r"^\d{2}(\d{2}(\d{2}(\d{3}(\d{3})?)?)?)?$")] | None = None


class OrganisationEstablishedV1(OrganisationState):
    """An organisation was established under its parent."""

    type: ClassVar[str] = "xiangqiao.members.organisation.established.v1"


class OrganisationRenamedV1(OrganisationState):
    """An organisation has a new name or division code."""

    type: ClassVar[str] = "xiangqiao.members.organisation.renamed.v1"


class OrganisationMovedV1(OrganisationState):
    """An organisation, and all below it, stands under another parent."""

    type: ClassVar[str] = "xiangqiao.members.organisation.moved.v1"


class OrganisationWithdrawnV1(Event):
    """A restore lost this organisation: members knows no such one, and it stands nowhere in the tree."""

    type: ClassVar[str] = "xiangqiao.members.organisation.withdrawn.v1"
    aggregate: ClassVar[str] = "organisation"
    identified_by: ClassVar[str] = "organisation_id"

    organisation_id: UUID
