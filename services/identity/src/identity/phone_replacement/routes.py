"""Phone replacements over HTTP: one officer proposes and confirms, another approves, the owner sees and objects."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy import or_
from starlette.responses import Response

import audit
import orgtree
from audit import audited
from database import new_id
from identity.accounts.phones import PhoneTaken
from identity.challenges.commands import Asking, CodeRefused
from identity.phone_replacement.commands import (
    approve_phone,
    confirm_phone,
    is_taken,
    object_to_phone,
    propose_phone,
)
from identity.phone_replacement.lapses import lapse
from identity.phone_replacement.queries import as_shown, list_replacements
from identity.phone_replacement.schemas import ConfirmNewPhone, PhoneReplacementOut, ProposePhone, Status
from identity.phone_replacement.tables import PhoneReplacement
from identity.recovery.pages import objection_address
from identity.recovery.rules import APPROVE
from identity.shared import Shared
from webapi import AuthenticatedCaller, Caller, Page, PageQuery, RefusedWithEffect, access, described
from webapi.normal_forms import international

router = APIRouter(prefix="/v1/phone-replacements", tags=["recoveries"])


@router.get(
    "",
    openapi_extra=access("self", APPROVE)
    | audited("identity.phone_replacement.listed")
    | described("手机号更换申请", "Phone replacements under way and past"),
)
async def list_phone_replacements(
    caller: Caller,
    shared: Shared,
    page: PageQuery,
    status: Annotated[Status | None, Query(description="Those alone.")] = None,
) -> Page[PhoneReplacementOut]:
    """List phone replacements, newest first: one's own, and those of people in one's own remit."""
    remit = await caller.remit_if_any(APPROVE)
    visible = or_(
        PhoneReplacement.account_id == caller.person_id, orgtree.within(PhoneReplacement.organisation_id, remit)
    )
    async with caller.recorded_read() as read:
        if remit:
            entry = audit.by(caller.principal, remit).entry("identity.phone_replacement.listed")
            await audit.record(read.session, entry, now=read.now)
        return await list_replacements(read.session, shared.ring, page, visible, status)


@router.post(
    "",
    status_code=201,
    response_model=PhoneReplacementOut,
    openapi_extra=access(APPROVE)
    | audited("identity.phone_replacement.proposed")
    | described(
        "为到场的本人申请更换手机号",
        "Propose a new phone for a person",
        example={"person_id": "01930000-0000-7000-8000-000000000001", "phone": "13800138000"},
    ),
)
async def propose_phone_replacement(body: ProposePhone, caller: Caller, shared: Shared, request: Request) -> Response:
    """Propose a number for a person of one's own remit who has come in person and lost the phone on file, or has none.

    The number gets a code, which the person reads out; the number on file hears where to object.
    """
    by = await _officer(caller)
    async with caller.command() as command:
        proposed = await propose_phone(
            command.session,
            shared.ring,
            account_id=body.person_id,
            phone=international(body.phone),
            by=by,
            asking=Asking(caller.language, shared.client_address(request), shared.codes_per_address),
            objection=objection_address(shared),
            new_id=new_id,
            now=command.now,
        )
        return await command.respond(201, as_shown(shared.ring, proposed))


@router.post(
    "/{replacement_id}/confirmation",
    response_model=PhoneReplacementOut,
    openapi_extra=access(APPROVE)
    | audited("identity.phone_replacement.confirmed")
    | described("录入新手机号收到的验证码", "Confirm the new phone of a person", example={"code": "123456"}),
)
async def confirm_phone_replacement(
    replacement_id: UUID, body: ConfirmNewPhone, caller: Caller, shared: Shared
) -> Response:
    """Enter the code that came to the number which one has proposed; then another officer can approve it."""
    by = await _officer(caller)
    async with caller.command() as command:
        session, now = command.session, command.now
        confirmed = await confirm_phone(
            session, shared.ring, replacement_id=replacement_id, code=body.code, by=by, now=now
        )
        if confirmed is None:
            raise RefusedWithEffect(CodeRefused())
        if await is_taken(session, shared.ring, confirmed):
            await lapse(session, shared.ring, PhoneReplacement.replacement_id == replacement_id, now=now)
            raise RefusedWithEffect(PhoneTaken())
        return await command.respond(200, as_shown(shared.ring, confirmed))


@router.post(
    "/{replacement_id}/approvals",
    status_code=201,
    response_model=PhoneReplacementOut,
    openapi_extra=access(APPROVE)
    | audited("identity.phone_replacement.approved")
    | described("同意更换手机号", "Agree to the new phone of a person"),
)
async def approve_phone_replacement(replacement_id: UUID, caller: Caller, shared: Shared) -> Response:
    """Agree, as the second officer, to the new number of a person of one's own remit, whom one has spoken to.

    A day later it takes the place of the number on file, and every session of the person ends.
    """
    by, objection = await _officer(caller), objection_address(shared)
    async with caller.command() as command:
        approved = await approve_phone(
            command.session, shared.ring, replacement_id=replacement_id, by=by, objection=objection, now=command.now
        )
        return await command.respond(201, as_shown(shared.ring, approved))


@router.post(
    "/{replacement_id}/objection",
    status_code=201,
    response_model=PhoneReplacementOut,
    openapi_extra=access("self") | described("保留本人账号的手机号", "Keep the phone of my account"),
)
async def object_to_phone_replacement(replacement_id: UUID, caller: Caller, shared: Shared) -> Response:
    """Stop the replacement of the phone on one's own account."""
    async with caller.command() as command:
        stopped = await object_to_phone(
            command.session, shared.ring, account_id=caller.person_id, replacement_id=replacement_id, now=command.now
        )
        return await command.respond(201, as_shown(shared.ring, stopped))


async def _officer(caller: AuthenticatedCaller) -> audit.Actor:
    """Give the officer who acts, with two factors."""
    remit = await caller.remit(APPROVE)
    return audit.by(caller.principal, remit)
