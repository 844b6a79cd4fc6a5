"""Routes of participation: an activity with one's own part in it, registering, attendance, paper lists."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

import audit
from activities.participation import commands, queries
from activities.participation.commands import AttendanceReported
from activities.participation.gathering import Gathering
from activities.participation.rules import NotAMemberThere
from activities.participation.schemas import (
    ActivityForMe,
    EnterSheet,
    ParticipationOut,
    ReportAttendance,
    SheetOut,
    SheetRow,
)
from activities.scheduling.queries import one_activity
from activities.scheduling.routes import NO_PEOPLE, READ
from audit import audited
from database import new_id
from webapi import Caller, Page, PageQuery, access, assistable, described, json_answer

RECORD = "activities.attendance.record"

router = APIRouter(prefix="/v1/activities/{activity_id}", tags=["participation"])


async def _gathering(request: Request) -> Gathering:
    gathering: Gathering = request.app.state.gathering
    return gathering


async def _refuse_to_outsider(activity_id: UUID, caller: Caller) -> None:
    """Raise `ActivityUnknown` where the caller may not even see the activity that they cannot take part in."""
    remit = await caller.remit_if_any(READ)
    async with caller.read() as session:
        await one_activity(session, activity_id, person_id=caller.person_id, remit=remit)


@router.get(
    "",
    response_model=ActivityForMe,
    openapi_extra=access("self", READ) | NO_PEOPLE | described("查看一次组织生活", "One activity"),
)
@assistable("activities.register")
async def get_activity(activity_id: UUID, caller: Caller) -> Response:
    """Give an activity, with one's own part in it."""
    remit = await caller.remit_if_any(READ)
    async with caller.read() as session:
        found = await queries.activity_for_me(session, activity_id, person_id=caller.person_id, remit=remit)
    return json_answer(found)


@router.post(
    "/registrations",
    status_code=201,
    response_model=ParticipationOut,
    openapi_extra=access("self") | described("报名参加", "Register for an activity"),
)
@assistable("activities.register")
async def register(activity_id: UUID, caller: Caller) -> Response:
    """Register oneself; registering again changes nothing."""
    try:
        async with caller.command() as command:
            by = audit.by(caller.principal)
            participation = await commands.register(
                command.session, participation_id=new_id(), activity_id=activity_id, by=by, now=command.now
            )
            return await command.respond(201, participation)
    except NotAMemberThere:
        await _refuse_to_outsider(activity_id, caller)
        raise


@router.post(
    "/attendances",
    status_code=201,
    response_model=ParticipationOut,
    openapi_extra=access("self")
    | described(
        "报告本人到场",
        "Report that one attends",
        example={"mode": "remote", "attended_at": "2026-12-05T19:02:00+08:00"},
    ),
)
@assistable("activities.attend")
async def report_attendance(
    activity_id: UUID,
    body: ReportAttendance,
    caller: Caller,
    gathering: Annotated[Gathering, Depends(_gathering)],
) -> Response:
    """Report one's own attendance, until the activity is closed; again or after a paper list it stays one fact."""
    report = AttendanceReported(
        participation_id=new_id(),
        activity_id=activity_id,
        person_id=caller.person_id,
        mode=body.mode,
        on_paper=False,
        said_at=body.attended_at,
        origin=audit.by(caller.principal).origin,
    )
    try:
        return json_answer(await gathering.record(report), 201)
    except NotAMemberThere:
        await _refuse_to_outsider(activity_id, caller)
        raise


@router.post(
    "/attendance-sheets",
    response_model=SheetOut,
    openapi_extra=access(RECORD)
    | audited("activities.attendance.recorded")
    | described(
        "录入纸质签到表",
        "Enter a paper list",
        example={
            "person_ids": ["01930000-0000-7000-8000-000000000004", "01930000-0000-7000-8000-000000000005"],
            "mode": "in_person",
        },
    ),
)
async def enter_sheet(activity_id: UUID, body: EnterSheet, caller: Caller) -> Response:
    """Enter a paper list of up to 500 people; a name that is refused does not keep the others out."""
    by = audit.by(caller.principal, await caller.remit(RECORD))
    people = list(dict.fromkeys(body.person_ids))
    async with caller.command() as command:
        outcomes = await commands.record_sheet(
            command.session,
            activity_id=activity_id,
            entries=[(new_id(), person_id) for person_id in people],
            mode=body.mode,
            by=by,
            now=command.now,
        )
        rows = [_row(person_id, outcomes[person_id]) for person_id in people]
        refused = sum(row.problem is not None for row in rows)
        return await command.respond(200, SheetOut(recorded=len(rows) - refused, refused=refused, rows=rows))


@router.get(
    "/participations",
    response_model=Page[ParticipationOut],
    openapi_extra=access(READ)
    | audited("activities.participation.listed")
    | described("报名与到场情况", "Who registered and who took part"),
)
async def list_participations(
    activity_id: UUID,
    page: PageQuery,
    caller: Caller,
    attended: Annotated[bool | None, Query(description="Only those who attended, or who only registered.")] = None,
) -> Response:
    """List who registered and who took part, for staff."""
    remit = await caller.remit(READ)
    async with caller.recorded_read() as read:
        listed = await queries.list_participations(
            read.session, page, activity_id=activity_id, remit=remit, attended=attended
        )
        entry = audit.by(caller.principal, remit).entry("activities.participation.listed", object_id=activity_id)
        await audit.record(read.session, entry, now=read.now)
        return json_answer(listed)


def _row(person_id: UUID, outcome: ParticipationOut | NotAMemberThere) -> SheetRow:
    if isinstance(outcome, ParticipationOut):
        return SheetRow(person_id=person_id, participation_id=outcome.participation_id)
    return SheetRow(person_id=person_id, problem="not_a_member_there")
