"""Roles over HTTP: which there are, who holds them, granting and ending."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy import select
from starlette.responses import Response

import orgtree
from database import new_id
from identity.roles.commands import end_role, grant_role
from identity.roles.queries import assignments_after
from identity.roles.schemas import GrantRole, RoleAssignmentOut, RoleList, RoleOut
from identity.roles.tables import RoleAssignment, RoleDefinition
from webapi import Caller, Page, PageQuery

router = APIRouter(prefix="/v1", tags=["roles"])

GRANT = "identity.role.grant"


@router.get("/roles", summary="The roles there are")
async def list_roles(caller: Caller) -> RoleList:
    """List every role with its permissions."""
    async with caller.read() as session:
        roles = await session.scalars(select(RoleDefinition).order_by(RoleDefinition.role))
        return RoleList(items=[RoleOut.model_validate(role) for role in roles])


@router.post("/role-assignments", status_code=201, response_model=RoleAssignmentOut, summary="Grant a role")
async def grant_role_(body: GrantRole, caller: Caller) -> Response:
    """Give somebody else a role on an organisation within one's own scope, and all below it."""
    scopes = await caller.scopes(GRANT)
    async with caller.command() as command:
        assignment = await grant_role(
            command.session,
            assignment_id=body.assignment_id or new_id(),
            person_id=body.person_id,
            role=body.role,
            organisation_id=body.organisation_id,
            valid_from=body.valid_from,
            valid_until=body.valid_until,
            granter=caller.person_id,
            scopes=scopes,
            now=command.now,
        )
        return await command.respond(201, RoleAssignmentOut.model_validate(assignment))


@router.delete("/role-assignments/{assignment_id}", response_model=RoleAssignmentOut, summary="End a role assignment")
async def end_role_(assignment_id: UUID, caller: Caller) -> Response:
    """End a role assignment within one's own scope from now on; what was, stays on record."""
    scopes = await caller.scopes(GRANT)
    async with caller.command() as command:
        assignment = await end_role(
            command.session, assignment_id=assignment_id, ender=caller.person_id, scopes=scopes, now=command.now
        )
        return await command.respond(200, RoleAssignmentOut.model_validate(assignment))


@router.get("/role-assignments", summary="Who holds which role")
async def list_assignments(
    caller: Caller,
    page: PageQuery,
    person_id: Annotated[UUID | None, Query(description="Of this person alone.")] = None,
) -> Page[RoleAssignmentOut]:
    """List role assignments, newest first: one's own, or those on organisations where one may grant roles."""
    own = person_id == caller.person_id
    visible = (
        RoleAssignment.person_id == caller.person_id
        if own
        else orgtree.within(RoleAssignment.organisation_id, await caller.scopes(GRANT))
    )
    async with caller.read() as session:
        rows = (await session.scalars(assignments_after(page, visible, person_id))).all()
        return page.of(rows, lambda row: (row.granted_at, row.assignment_id), RoleAssignmentOut.model_validate)
