"""What is told of cases anew: what was said is sealed here alone, so one that is lost is withdrawn and said again."""

from typing import Final

from sqlalchemy import select

from contracts.feedback import CaseAnsweredV1, CaseConfirmedV1, CaseOpenedV1, CaseState, CaseWithdrawnV1
from feedback.cases.rules import CaseStatus
from feedback.cases.tables import Case
from messaging import Telling, Told

_EVENTS: Final[dict[CaseStatus, type[CaseState]]] = {
    "open": CaseOpenedV1,
    "answered": CaseAnsweredV1,
    "confirmed": CaseConfirmedV1,
}


def _tell(case: Case) -> Telling:
    state = _EVENTS[case.status].model_validate(case, from_attributes=True)
    return Telling(state, case.version, case.confirmed_at or case.answered_at or case.opened_at)


TOLD = Told(CaseState, select(Case), Case.case_id, _tell, withdrawn=CaseWithdrawnV1)
