"""Roles over HTTP: which there are, who holds them, granting, approving, delegating and ending."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy import or_, select
from starlette.responses import Response

import audit
import orgtree
from audit import audited
from database import new_id
from identity.roles import queries
from identity.roles.approval import approve_role, refuse_role
from identity.roles.assignments import AssignmentUnknown
from identity.roles.commands import end_role, grant_role
from identity.roles.delegation import DELEGATIONS, delegate_role, take_back_role
from identity.roles.schemas import GrantRole, HandOnRole, RoleAssignmentOut, RoleList, RoleOut, Status
from identity.roles.tables import RoleAssignment, RoleDefinition
from webapi import AuthenticatedCaller, Caller, Page, PageQuery, access, described, limited
from webapi.step_up import TWO_FACTORS
from webapi.versions import Expected, IfMatch

router = APIRouter(prefix="/v1", tags=["roles"])

GRANT = "identity.role.grant"
APPROVE = "identity.role.approve"
"""How strongly somebody has proved who they are before they hand on a role of their own."""
LISTED = "identity.role.listed"


@router.get("/roles", openapi_extra=access("self", "client") | described("角色及其权限", "The roles there are"))
async def list_roles(caller: Caller) -> RoleList:
    """List every role with its permissions."""
    async with caller.read() as session:
        roles = await session.scalars(select(RoleDefinition).order_by(RoleDefinition.role))
        return RoleList(items=[RoleOut.model_validate(role) for role in roles])


@router.post(
    "/role-assignments",
    status_code=201,
    response_model=RoleAssignmentOut,
    openapi_extra=access(GRANT)
    | audited("identity.role.granted", "identity.role.proposed", "identity.role.delegated")
    | described(
        "授予或提议角色",
        "Grant or propose a role",
        example={
            "person_id": "01930000-0000-7000-8000-000000000001",
            "role": "officer",
            "organisation_id": "01930000-0000-7000-8000-000000000002",
            "valid_until": "2027-12-31",
        },
    ),
)
async def grant_role_(body: GrantRole, caller: Caller) -> Response:
    """Give somebody else a role on an organisation within one's own remit, and all below it.

    It takes a second factor. A privileged role, and at county level and above one that opens files, is proposed
    (`status`) and holds when a second person approves within seven days.
    """
    remit = await caller.remit(GRANT)
    async with caller.command() as command:
        assignment = await grant_role(
            command.session,
            assignment_id=body.assignment_id or new_id(),
            wanted=body,
            by=audit.by(caller.principal, remit),
            held=caller.principal.roles,
            now=command.now,
        )
        return await command.respond(201, RoleAssignmentOut.model_validate(assignment))


@router.get(
    "/role-assignments",
    openapi_extra=access("self", GRANT, APPROVE)
    | audited(LISTED)
    | described("谁担任哪些角色", "Who holds which role"),
)
async def list_assignments(
    caller: Caller,
    page: PageQuery,
    person_id: Annotated[UUID | None, Query(description="Of this person alone.")] = None,
    status: Annotated[Status | None, Query(description="Only those that stand so.")] = None,
) -> Page[RoleAssignmentOut]:
    """List role assignments, newest first: one's own, or those on organisations where one may grant or approve them."""
    conditions = [RoleAssignment.person_id == person_id] if person_id is not None else []
    remit = frozenset[UUID]()
    if person_id != caller.person_id:
        remit = await caller.remit(GRANT, APPROVE)
        conditions.append(orgtree.within(RoleAssignment.organisation_id, remit))
    if status is not None:
        conditions.append(RoleAssignment.status == status)
    async with caller.recorded_read() as read:
        if remit:
            entry = audit.by(caller.principal, remit).entry(LISTED, subject=person_id)
            await audit.record(read.session, entry, now=read.now)
        return await queries.list_assignments(read.session, page, *conditions)


@router.delete(
    "/role-assignments/{assignment_id}",
    response_model=RoleAssignmentOut,
    openapi_extra=access(GRANT)
    | audited("identity.role.ended", "identity.role.withdrawn")
    | described("终止角色或撤回提议", "End a role assignment, or withdraw what is proposed"),
)
async def end_role_(assignment_id: UUID, caller: Caller, expected: IfMatch) -> Response:
    """End a role assignment within one's own remit from now on, with all that was delegated from it.

    It takes a second factor. What was, stays on record.
    """
    return await _in_office(caller, GRANT, assignment_id, expected, end_role)


@router.post(
    "/role-assignments/{assignment_id}/approval",
    response_model=RoleAssignmentOut,
    openapi_extra=access(APPROVE)
    | audited("identity.role.approved")
    | described("批准提议的角色", "Approve a proposed role"),
)
async def approve_role_(assignment_id: UUID, caller: Caller, expected: IfMatch) -> Response:
    """Let a proposed role hold from now on, as the second person, neither who proposed it nor who is to hold it."""
    return await _in_office(caller, APPROVE, assignment_id, expected, approve_role)


@router.post(
    "/role-assignments/{assignment_id}/refusal",
    response_model=RoleAssignmentOut,
    openapi_extra=access(APPROVE)
    | audited("identity.role.refused")
    | described("驳回提议的角色", "Refuse a proposed role"),
)
async def refuse_role_(assignment_id: UUID, caller: Caller, expected: IfMatch) -> Response:
    """Refuse a proposed role for good, as the second person; it may be proposed anew."""
    return await _in_office(caller, APPROVE, assignment_id, expected, refuse_role)


@router.post(
    "/role-assignments/{assignment_id}/delegations",
    status_code=201,
    response_model=RoleAssignmentOut,
    openapi_extra=access("self")
    | limited(DELEGATIONS)
    | described(
        "转授本人的角色",
        "Hand one's own role on",
        example={"person_id": "01930000-0000-7000-8000-000000000001", "valid_until": "2027-03-31"},
    ),
)
async def hand_on_role_(assignment_id: UUID, body: HandOnRole, caller: Caller) -> Response:
    """Delegate a role one holds to somebody else, where one holds it or below, and for no longer.

    It takes a second factor, and ends when one's own does. What was delegated is not delegated again. What it takes two
    people to grant is proposed, as by a grant.
    """
    caller.require_acr(TWO_FACTORS)
    async with caller.command() as command:
        assignment = await delegate_role(
            command.session,
            source_id=assignment_id,
            assignment_id=body.assignment_id or new_id(),
            wanted=body,
            by=audit.by(caller.principal),
            now=command.now,
        )
        return await command.respond(201, RoleAssignmentOut.model_validate(assignment))


@router.get(
    "/role-assignments/{assignment_id}/delegations",
    openapi_extra=access("self", GRANT) | audited(LISTED) | described("角色转授给了谁", "To whom a role was handed on"),
)
async def list_delegations(assignment_id: UUID, caller: Caller, page: PageQuery) -> Page[RoleAssignmentOut]:
    """List what was delegated from a role of one's own, or of one within the remit where one grants roles."""
    remit = await caller.remit_if_any(GRANT)
    visible = or_(RoleAssignment.person_id == caller.person_id, orgtree.within(RoleAssignment.organisation_id, remit))
    async with caller.recorded_read() as read:
        source = RoleAssignment.assignment_id == assignment_id
        holder = await read.session.scalar(select(RoleAssignment.person_id).where(source, visible))
        if holder is None:
            caller.require_nothing_withheld()
            raise AssignmentUnknown
        if holder != caller.person_id:
            entry = audit.by(caller.principal, remit).entry(LISTED, subject=holder, object_id=assignment_id)
            await audit.record(read.session, entry, now=read.now)
        return await queries.list_assignments(read.session, page, RoleAssignment.delegated_from == assignment_id)


@router.delete(
    "/role-assignments/{assignment_id}/delegations/{delegation_id}",
    response_model=RoleAssignmentOut,
    openapi_extra=access("self") | described("收回转授的角色", "Take a role back that one handed on"),
)
async def take_back_role_(assignment_id: UUID, delegation_id: UUID, caller: Caller, expected: IfMatch) -> Response:
    """End from now on what one delegated oneself."""
    async with caller.command() as command:
        assignment = await take_back_role(
            command.session,
            source_id=assignment_id,
            delegation_id=delegation_id,
            expected=expected,
            by=audit.by(caller.principal),
            now=command.now,
        )
        return await command.respond(200, RoleAssignmentOut.model_validate(assignment))


async def _in_office(
    caller: AuthenticatedCaller,
    permission: str,
    assignment_id: UUID,
    expected: Expected,
    command_: Callable[..., Awaitable[RoleAssignment]],
) -> Response:
    """Carry out on an assignment within one's own remit what takes a permission and a second factor."""
    remit = await caller.remit(permission)
    async with caller.command() as command:
        assignment = await command_(
            command.session,
            assignment_id=assignment_id,
            expected=expected,
            by=audit.by(caller.principal, remit),
            now=command.now,
        )
        return await command.respond(200, RoleAssignmentOut.model_validate(assignment))
