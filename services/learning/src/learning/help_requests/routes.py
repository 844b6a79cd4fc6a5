"""Routes of requests for help: where it is needed, and by whom, for those who help."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

import audit
from audit import about_nobody, audited
from learning.courses.routes import NEEDS
from learning.help_requests import queries
from learning.help_requests.schemas import HelpNeeded, PersonInNeed
from webapi import Caller, Page, PageQuery, access, described, json_answer

router = APIRouter(prefix="/v1", tags=["help requests"])

OrganisationId = Annotated[UUID, Query(description="The organisation that was asked, or one above it.")]


@router.get(
    "/help-requests",
    response_model=Page[HelpNeeded],
    openapi_extra=access(NEEDS)
    | about_nobody("it tells counts, and no small ones")
    | described("哪些课需要帮助", "Lessons people need help with"),
)
async def list_needs(page: PageQuery, caller: Caller, organisation_id: OrganisationId) -> Response:
    """List the lessons with which people of an organisation and all below it need help, counts under 5 hidden."""
    remit = await caller.remit(NEEDS)
    async with caller.read() as session:
        rows = await queries.list_needs(session, organisation_id, remit=remit, after=page.after(UUID), limit=page.fetch)
    return json_answer(page.of(rows, key=lambda row: (row.lesson_id,)))


@router.get(
    "/lessons/{lesson_id}/help-requests",
    response_model=Page[PersonInNeed],
    openapi_extra=access(NEEDS)
    | audited("learning.help_request.read")
    | described("谁需要这节课的帮助", "Who asked for help with a lesson"),
)
async def list_people(lesson_id: UUID, page: PageQuery, caller: Caller, organisation_id: OrganisationId) -> Response:
    """List who asked one's own organisation for help with a lesson, those who wait longest first."""
    remit = await caller.remit(NEEDS)
    async with caller.recorded_read() as read:
        listed = await queries.list_people(read.session, page, lesson_id, organisation_id, remit=remit)
        by, action = audit.by(caller.principal, remit), "learning.help_request.read"
        entries = [
            by.entry(action, subject=person.person_id, object_id=lesson_id, organisation_id=organisation_id)
            for person in listed.items
        ]
        await audit.record_all(read.session, entries, now=read.now)
        return json_answer(listed)
