"""Recoveries over HTTP: officers see and approve those in their remit, owners see and stop their own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy import or_
from starlette.responses import Response

import audit
import orgtree
from audit import audited
from identity.recovery.commands import approve_recovery, object_to_recovery
from identity.recovery.pages import objection_address
from identity.recovery.queries import moment_of, recoveries_after, recovery_of
from identity.recovery.rules import APPROVE
from identity.recovery.schemas import RecoveryOut, Status
from identity.recovery.tables import Recovery
from identity.shared import Shared
from webapi import Caller, Page, PageQuery, access, described

router = APIRouter(prefix="/v1/recoveries", tags=["recoveries"])


@router.get(
    "",
    openapi_extra=access("self", APPROVE)
    | audited("identity.recovery.listed")
    | described("账号恢复申请", "Recoveries under way and past"),
)
async def list_recoveries(
    caller: Caller, page: PageQuery, status: Annotated[Status | None, Query(description="Those alone.")] = None
) -> Page[RecoveryOut]:
    """List the recoveries that take officers, newest first: one's own, and those of people in one's own remit."""
    remit = await caller.remit_if_any(APPROVE)
    visible = or_(Recovery.account_id == caller.person_id, orgtree.within(Recovery.organisation_id, remit))
    async with caller.recorded_read() as read:
        if remit:
            entry = audit.by(caller.principal, remit).entry("identity.recovery.listed")
            await audit.record(read.session, entry, now=read.now)
        rows = (await read.session.execute(recoveries_after(page, visible, status))).all()
        return page.of([RecoveryOut.model_validate(row) for row in rows], moment_of, lambda row: row)


@router.post(
    "/{recovery_id}/approvals",
    status_code=201,
    response_model=RecoveryOut,
    openapi_extra=access(APPROVE)
    | audited("identity.recovery.approved")
    | described("同意账号恢复", "Agree to a recovery"),
)
async def approve_recovery_(recovery_id: UUID, caller: Caller, shared: Shared) -> Response:
    """Agree that a person of one's own remit, whom one has spoken to, gets back into their account.

    By the second officer it is approved; a day later its owner can set a new password.
    """
    remit = await caller.remit(APPROVE)
    async with caller.command() as command:
        await approve_recovery(
            command.session,
            shared.ring,
            recovery_id=recovery_id,
            by=audit.by(caller.principal, remit),
            remit=remit,
            address=objection_address(shared),
            now=command.now,
        )
        return await command.respond(201, await recovery_of(command.session, recovery_id))


@router.post(
    "/{recovery_id}/objection",
    status_code=201,
    response_model=RecoveryOut,
    openapi_extra=access("self") | described("阻止对本人账号的恢复", "Stop the recovery of my account"),
)
async def object_to_recovery_(recovery_id: UUID, caller: Caller) -> Response:
    """Stop the recovery of one's own account, which somebody else asked for."""
    async with caller.command() as command:
        await object_to_recovery(command.session, account_id=caller.person_id, recovery_id=recovery_id, now=command.now)
        return await command.respond(201, await recovery_of(command.session, recovery_id))
