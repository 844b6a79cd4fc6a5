"""Routes of studying: one's own progress with a lesson, and whether one understood it."""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Response

import audit
from database import new_id
from learning.courses.routes import staff_remit
from learning.study import commands, queries
from learning.study.schemas import ReportProgress, ReportUnderstanding, StudyOut
from learning.study.tables import LessonStudy
from webapi import AuthenticatedCaller, Caller, access, assistable, described, json_answer, limited, one_factor
from webapi.versions import Expected, IfMatch

OF_COURSES = "it tells staff which courses there are, and of nobody but themselves"

router = APIRouter(prefix="/v1/lessons/{lesson_id}", tags=["study"])


@router.put(
    "/progress",
    response_model=StudyOut,
    openapi_extra=access("self")
    | one_factor(OF_COURSES)
    | described("报告学习进度", "Report progress", example={"progress": 35}),
)
@assistable("learning.study")
async def report_progress(lesson_id: UUID, body: ReportProgress, caller: Caller, expected: IfMatch) -> Response:
    """Report how far one has come; the furthest point counts, so a repeated or late report does no harm."""
    return await _report(caller, lesson_id, expected, partial(commands.report_progress, progress=body.progress))


@router.post(
    "/understanding",
    response_model=StudyOut,
    openapi_extra=access("self")
    | one_factor(OF_COURSES)
    | limited(commands.REQUESTS)
    | described("表示已懂或需要帮助", "Say whether one understood", example={"understanding": "need_help"}),
)
@assistable("learning.ask_for_help")
async def report_understanding(
    lesson_id: UUID, body: ReportUnderstanding, caller: Caller, expected: IfMatch
) -> Response:
    """Say "understood" or "need help"; the word that was said last counts, whenever it comes."""
    said = partial(commands.report_understanding, understanding=body.understanding, said_at=body.acted_at)
    return await _report(caller, lesson_id, expected, said)


@router.get(
    "/progress",
    response_model=StudyOut,
    openapi_extra=access("self") | one_factor(OF_COURSES) | described("我的学习进度", "My progress with a lesson"),
)
@assistable("learning.study")
async def get_progress(lesson_id: UUID, caller: Caller) -> Response:
    """Give one's own progress with a lesson."""
    remit = await staff_remit(caller)
    async with caller.read() as session:
        found = await queries.own_study(session, lesson_id, person_id=caller.person_id, remit=remit)
    return json_answer(found)


async def _report(
    caller: AuthenticatedCaller, lesson_id: UUID, expected: Expected, command_: Callable[..., Awaitable[LessonStudy]]
) -> Response:
    visible, by = await staff_remit(caller), audit.by(caller.principal)
    async with caller.command() as command:
        study = await command_(
            command.session,
            study_id=new_id(),
            lesson_id=lesson_id,
            expected=expected,
            visible=visible,
            by=by,
            now=command.now,
        )
        return await command.respond(200, queries.shown(study))
