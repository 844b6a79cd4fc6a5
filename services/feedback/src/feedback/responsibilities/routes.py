"""Routes of the responsibility table: assign, list."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

import audit
from audit import audited
from contracts import Code
from database import new_id
from feedback.responsibilities import commands, queries
from feedback.responsibilities.schemas import AssignResponsibility, ResponsibilityOut
from webapi import Caller, Page, PageQuery, access, described, json_answer

ASSIGN = "feedback.responsibility.assign"

router = APIRouter(prefix="/v1/responsibilities", tags=["responsibilities"])


@router.post(
    "",
    status_code=201,
    response_model=ResponsibilityOut,
    openapi_extra=access(ASSIGN)
    | audited("feedback.responsibility.assigned")
    | described(
        "确定办理责任单位",
        "Assign a responsibility",
        example={
            "category": "roads",
            "organisation_id": "01930000-0000-7000-8000-000000000002",
            "responsible_id": "01930000-0000-7000-8000-000000000001",
            "working_days": 5,
            "valid_from": "2026-12-01",
        },
    ),
)
async def assign_responsibility(body: AssignResponsibility, caller: Caller) -> Response:
    """Make an organisation answer a category's cases from a place and all below it."""
    by = audit.by(caller.principal, await caller.remit(ASSIGN))
    async with caller.command() as command:
        responsibility_id = body.responsibility_id or new_id()
        assigned = await commands.assign_responsibility(
            command.session, responsibility_id=responsibility_id, wanted=body, by=by, now=command.now
        )
        return await command.respond(201, ResponsibilityOut.model_validate(assigned))


@router.get(
    "",
    response_model=Page[ResponsibilityOut],
    openapi_extra=access("self") | described("各类诉求由谁办理", "Who answers what from where"),
)
async def list_responsibilities(
    page: PageQuery,
    caller: Caller,
    category: Annotated[Code | None, Query()] = None,
    organisation_id: Annotated[UUID | None, Query(description="The place; the root has all categories.")] = None,
) -> Response:
    """List who answers what from where; open to everyone signed in, because it says whom a case will reach."""
    async with caller.read() as session:
        listed = await queries.list_responsibilities(session, page, category=category, organisation_id=organisation_id)
    return json_answer(listed)
