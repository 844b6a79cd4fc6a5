"""Routes of studying: one's own progress with a lesson, and whether one understood it."""

from uuid import UUID

from fastapi import APIRouter, Response

import audit
from database import new_id
from learning.courses.routes import staff_remit
from learning.study import commands, queries
from learning.study.schemas import ReportProgress, ReportUnderstanding, StudyOut
from webapi import Caller, access, assistable, json_answer

router = APIRouter(prefix="/v1/lessons/{lesson_id}", tags=["study"])


@router.put("/progress", response_model=StudyOut, openapi_extra=access("self"))
@assistable("learning.study")
async def report_progress(lesson_id: UUID, body: ReportProgress, caller: Caller) -> Response:
    """Report how far one has come; the furthest point counts, so a repeated or late report does no harm."""
    remit = await staff_remit(caller)
    async with caller.command() as command:
        study = await commands.report_progress(
            command.session,
            study_id=new_id(),
            lesson_id=lesson_id,
            progress=body.progress,
            remit=remit,
            person_id=caller.person_id,
            by=audit.by(caller.principal),
            now=command.now,
        )
        return await command.respond(200, queries.shown(study))


@router.post("/understanding", response_model=StudyOut, openapi_extra=access("self"))
@assistable("learning.ask_for_help")
async def report_understanding(lesson_id: UUID, body: ReportUnderstanding, caller: Caller) -> Response:
    """Say "understood" or "need help"; the last word counts."""
    remit = await staff_remit(caller)
    async with caller.command() as command:
        study = await commands.report_understanding(
            command.session,
            study_id=new_id(),
            lesson_id=lesson_id,
            understanding=body.understanding,
            remit=remit,
            person_id=caller.person_id,
            by=audit.by(caller.principal),
            now=command.now,
        )
        return await command.respond(200, queries.shown(study))


@router.get("/progress", response_model=StudyOut, openapi_extra=access("self"))
@assistable("learning.study")
async def get_progress(lesson_id: UUID, caller: Caller) -> Response:
    """Give one's own progress with a lesson."""
    remit = await staff_remit(caller)
    async with caller.read() as session:
        found = await queries.own_study(session, lesson_id, person_id=caller.person_id, remit=remit)
    return json_answer(found)
