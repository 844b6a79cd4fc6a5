"""What goes in and out over HTTP about organisations."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from china_time import Day
from members.organisations.rules import Kind, Level
from webapi.bodies import Body, Line, Shown, Versioned
from webapi.validation import worded

DivisionCode = Annotated[
    str,
    Field(
        pattern=worded(
            r"^[0-9]{2}([0-9]{2}([0-9]{2}([0-9]{3}([0-9]{3})?)?)?)?$",
            en="This must be the 2, 4, 6, 9 or 12 digits of a division code.",
            zh="应为 2、4、6、9 或 12 位数字的行政区划代码。",
        ),
        description="GB/T 2260, then the statistical 12 digits: 2, 4, 6, 9 or 12 of them.",
        examples=["520424"],
    ),
]
MOST_ROWS = 1_000


class EstablishOrganisation(Body):
    """Establish one organisation under its parent."""

    organisation_id: Annotated[UUID | None, Field(description="UUIDv7; made here when left out.")] = None
    parent_id: UUID
    kind: Kind
    level: Level
    name: Line
    division_code: DivisionCode | None = None
    established_on: Annotated[Day | None, Field(description="The first day; today when left out.")] = None


class OrganisationRow(EstablishOrganisation):
    """An organisation to be established; the client brings its id (UUIDv7), so that sending it again adds nothing."""

    organisation_id: UUID


class ImportOrganisations(Body):
    """Up to 1,000 organisations, parents before their children, established all or none."""

    rows: Annotated[tuple[OrganisationRow, ...], Field(min_length=1, max_length=MOST_ROWS)]


class ImportOutcome(Shown):
    """How many rows were new, and how many said what was there already."""

    added: int
    unchanged: int


class MoveOrganisation(Body):
    """Move an organisation, and all below it, under another parent."""

    parent_id: UUID
    on: Annotated[Day | None, Field(description="The first day in the new place; today when left out.")] = None


class RenameOrganisation(Body):
    """Give an organisation another name or division code; what is left out stays."""

    name: Line | None = None
    division_code: DivisionCode | None = None
    on: Annotated[Day | None, Field(description="The first day of the name; today when left out.")] = None


class OrganisationOut(Versioned):
    """An organisation as it is, or as it was on the day that was asked for."""

    organisation_id: UUID
    parent_id: UUID | None
    kind: Kind
    level: Level
    name: str
    division_code: str | None
    established_on: date
    dissolved_on: date | None
    version: Annotated[int, Field(description="Counts the changes of what is registered; 0 for the untouched root.")]
