"""Routes of activities: schedule, list, look at, close."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

import audit
from activities.scheduling import commands, queries
from activities.scheduling.rules import Kind
from activities.scheduling.schemas import ActivityOut, ScheduleActivity
from audit import about_nobody, audited
from china_time import Moment
from database import new_id
from webapi import Caller, IdsQuery, Page, PageQuery, access, assistable, described, json_answer
from webapi.versions import IfMatch

READ = "activities.activity.read"
SCHEDULE = "activities.activity.schedule"
NO_PEOPLE = about_nobody("it tells of meetings, and of the caller alone")

router = APIRouter(prefix="/v1/activities", tags=["activities"])


@router.post(
    "",
    status_code=201,
    response_model=ActivityOut,
    openapi_extra=access(SCHEDULE)
    | audited("activities.activity.scheduled")
    | described(
        "安排一次组织生活",
        "Schedule an activity",
        example={
            "activity_id": "01930000-0000-7000-8000-000000000003",
            "organisation_id": "01930000-0000-7000-8000-000000000002",
            "kind": "party_class",
            "title": "冬季党课",
            "starts_at": "2026-12-05T19:00:00+08:00",
            "ends_at": "2026-12-05T20:30:00+08:00",
            "place": "村委会二楼",
            "agenda": ["学习", "讨论"],
        },
    ),
)
async def schedule_activity(body: ScheduleActivity, caller: Caller) -> Response:
    """Set down a meeting or activity of an organisation."""
    by = audit.by(caller.principal, await caller.remit(SCHEDULE))
    async with caller.command() as command:
        activity_id = body.activity_id or new_id()
        activity = await commands.schedule_activity(
            command.session, activity_id=activity_id, wanted=body, by=by, now=command.now
        )
        shown = ActivityOut.model_validate(activity)
        return await command.respond(201, shown, location=f"/v1/activities/{activity_id}")


@router.get(
    "",
    response_model=Page[ActivityOut],
    openapi_extra=access("self", READ) | NO_PEOPLE | described("组织生活列表", "Activities"),
)
@assistable("activities.register")
async def list_activities(
    *,
    page: PageQuery,
    caller: Caller,
    activity_id: IdsQuery = None,
    organisation_id: UUID | None = None,
    kind: Kind | None = None,
    status: Literal["scheduled", "closed"] | None = None,
    starts_from: Annotated[Moment | None, Query(description="Start at or after this time.")] = None,
    starts_until: Annotated[Moment | None, Query(description="Start before this time.")] = None,
) -> Response:
    """List the activities one may take part in, and for staff those within their remit, the latest start first."""
    remit = await caller.remit_if_any(READ)
    async with caller.read() as session:
        found = await queries.list_activities(
            session,
            page,
            person_id=caller.person_id,
            remit=remit,
            activity_ids=activity_id,
            organisation_id=organisation_id,
            kind=kind,
            status=status,
            starts_from=starts_from,
            starts_until=starts_until,
        )
    return json_answer(found)


@router.post(
    "/{activity_id}/closing",
    response_model=ActivityOut,
    openapi_extra=access(SCHEDULE)
    | audited("activities.activity.closed")
    | described("结束组织生活并确定考勤", "Close an activity"),
)
async def close_activity(activity_id: UUID, caller: Caller, expected: IfMatch) -> Response:
    """Make the activity's attendance final."""
    by = audit.by(caller.principal, await caller.remit(SCHEDULE))
    async with caller.command() as command:
        activity = await commands.close_activity(
            command.session, activity_id=activity_id, expected=expected, by=by, now=command.now
        )
        return await command.respond(200, ActivityOut.model_validate(activity))
