"""Events of a case: who answers it by when, and what the person says of the answer."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime

from contracts.envelope import Code, Event


class CaseState(Event):
    """One case as it stands; what was said and who is concerned stays in the service.

    `organisation_id` is the place it is about, `responsible_id` the organisation that must answer by `due_at`.
    `reporter_id` is the account that may confirm; it is nothing where the case has none.
    """

    aggregate: ClassVar[str] = "case"
    identified_by: ClassVar[str] = "case_id"

    case_id: UUID
    category: Code
    organisation_id: UUID
    responsible_id: UUID
    reporter_id: UUID | None
    status: Code
    opened_at: AwareDatetime
    due_at: AwareDatetime
    answered_at: AwareDatetime | None = None


class CaseOpenedV1(CaseState):
    """A case was taken in and routed to the organisation responsible for it."""

    type: ClassVar[str] = "xiangqiao.feedback.case.opened.v1"


class CaseAnsweredV1(CaseState):
    """The responsible organisation answered."""

    type: ClassVar[str] = "xiangqiao.feedback.case.answered.v1"


class CaseConfirmedV1(CaseState):
    """The person confirmed that the answer settles it."""

    type: ClassVar[str] = "xiangqiao.feedback.case.confirmed.v1"


class CaseWithdrawnV1(Event):
    """A restore lost this case and what was said in it: who was told of it forgets it, and its reporter hears so."""

    type: ClassVar[str] = "xiangqiao.feedback.case.withdrawn.v1"
    aggregate: ClassVar[str] = "case"
    identified_by: ClassVar[str] = "case_id"

    case_id: UUID
