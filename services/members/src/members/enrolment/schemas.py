"""What goes in and out over HTTP when members are enrolled."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from members.files.schemas import Stage
from webapi.bodies import Body, PersonName, Phone, Shown
from webapi.normal_forms import bare_number

IdNumber = Annotated[
    str, StringConstraints(min_length=1, max_length=30), AfterValidator(lambda number: bare_number(number).upper())
]
"""An identity number in its one form, without what spreadsheets and habit add: 18 characters, the last a digit or X."""
MOST_ROWS = 1_000


class EnrolMember(Body):
    """Open a file for a member of a branch; the client may bring the person's id (UUIDv7)."""

    person_id: Annotated[UUID | None, Field(description="The person's id everywhere; made here when left out.")] = None
    organisation_id: Annotated[UUID, Field(description="The branch.")]
    stage: Stage
    name: PersonName
    id_number: Annotated[IdNumber, Field(description="Identity number (GB 11643), 18 characters.")]
    phone: Phone | None = None
    away: bool = False
    smartphone: bool = True


class ImportMembers(Body):
    """Up to 1,000 members, enrolled all or none."""

    rows: Annotated[tuple[EnrolMember, ...], Field(min_length=1, max_length=MOST_ROWS)]


class EnrolmentOutcome(Shown):
    """How many rows were new, and how many said what was on file already."""

    added: int
    unchanged: int
