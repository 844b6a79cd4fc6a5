"""A route that the release before does not have: saying that a case is urgent."""

from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy import select

import audit
from contracts.feedback import CaseOpenedV1
from database import known
from feedback.cases.queries import CaseUnknown
from feedback.cases.schemas import CaseOut
from feedback.cases.tables import Case
from messaging import Publication, append
from webapi import Caller, access, described

router = APIRouter(prefix="/v1/cases", tags=["cases"])


@router.post(
    "/{case_id}/urgency",
    response_model=CaseOut,
    openapi_extra=access("self") | described("标记为紧急", "Say that a case is urgent"),
)
async def say_urgent(case_id: UUID, caller: Caller) -> Response:
    """Say that one's open case is urgent; whoever follows cases hears of it."""
    by = audit.by(caller.principal)
    async with caller.command() as command:
        own = select(Case).where(Case.case_id == case_id, Case.reporter_id == caller.person_id, Case.status == "open")
        case = known(await command.session.scalar(own.with_for_update()), CaseUnknown)
        case.urgent, case.version = True, case.version + 1
        state = CaseOpenedV1.model_validate(case, from_attributes=True)
        await command.session.flush()
        await append(command.session, [Publication(state, case.version, by.origin)])
        return await command.respond(200, CaseOut.model_validate(case))
