"""Assisted sessions over HTTP: asking, agreeing, the ticket, the end, and who was helped when."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

import audit
from audit import audited
from database import new_id, utc_now
from identity.assistance import commands, queries
from identity.assistance.commands import GIVE, WITNESS, SessionUnknown, WitnessFromElsewhere
from identity.assistance.exchange import TICKET_TYPE
from identity.assistance.rules import ACTIONS
from identity.assistance.schemas import ActionOut, AskToHelp, AssistedSessionOut, ConsentCode, TicketOut
from identity.assistance.tables import AssistedSession
from identity.challenges.commands import CodeRefused
from identity.clients.first_party import open_to_others
from identity.roles.independence import NotIndependent
from identity.shared import Shared
from webapi import (
    AuthenticatedCaller,
    Caller,
    Page,
    PageQuery,
    PageRequest,
    RefusedWithEffect,
    access,
    described,
    limited,
    one_factor,
)
from webapi.step_up import TWO_FACTORS

router = APIRouter(prefix="/v1", tags=["assisted sessions"])


@router.get(
    "/assisted-sessions/actions",
    openapi_extra=access("self") | described("可以协助办理的事项", "What one can be helped with"),
)
async def list_actions(caller: Caller, page: PageQuery) -> Page[ActionOut]:  # noqa: ARG001 - who asks must be signed in
    """List the actions an assisted session may cover."""
    after = page.after(str)
    listed = [
        ActionOut(action=action, title_zh=title.zh, title_en=title.en)
        for action, title in sorted(ACTIONS.items())
        if after is None or action > after[0]
    ]
    return page.of(listed[: page.fetch], lambda each: (each.action,))


@router.post(
    "/assisted-sessions",
    status_code=201,
    response_model=AssistedSessionOut,
    openapi_extra=access(GIVE)
    | audited("identity.assistance.asked")
    | limited(commands.ASKED)
    | one_factor("it opens nothing: the person agrees by a code, or before a witness who proved two factors")
    | described(
        "请求协助某人",
        "Ask to help somebody",
        example={
            "subject_id": "01930000-0000-7000-8000-000000000001",
            "organisation_id": "01930000-0000-7000-8000-000000000002",
            "actions": ["gateway.read_home"],
            "evidence": "one_time_code",
        },
    ),
)
async def ask_to_help(body: AskToHelp, caller: Caller, shared: Shared) -> Response:
    """Ask a person for their consent: by a code that goes to their phone, or before a second witness."""
    by = audit.by(caller.principal, await caller.remit(GIVE))
    async with caller.command() as command:
        asked = await commands.ask_to_help(
            command.session, shared.ring, assist_id=new_id(), wanted=body, by=by, new_id=new_id, now=command.now
        )
        out = await _shown(command.session, asked.assist_id, command.now)
        return await command.respond(201, out, location=f"/v1/assisted-sessions/{asked.assist_id}")


@router.post(
    "/assisted-sessions/{assist_id}/code",
    response_model=AssistedSessionOut,
    openapi_extra=access("self") | described("凭验证码同意协助", "Agree by code", example={"code": "123456"}),
)
async def consent_by_code(assist_id: UUID, body: ConsentCode, caller: Caller, shared: Shared) -> Response:
    """Take the code the person told the helper as their consent; it has five tries."""
    by, code = audit.by(caller.principal), body.code.get_secret_value()
    async with caller.command() as command:
        consented = await commands.consent_by_code(
            command.session, shared.ring, assist_id=assist_id, by=by, code=code, now=command.now
        )
        if consented is None:
            raise RefusedWithEffect(CodeRefused())
        return await command.respond(200, await _shown(command.session, assist_id, command.now))


@router.post(
    "/assisted-sessions/{assist_id}/witness",
    response_model=AssistedSessionOut,
    openapi_extra=access("self", WITNESS)
    | audited("identity.assistance.consented")
    | described("见证某人同意协助", "Witness that somebody agreed"),
)
async def witness(assist_id: UUID, caller: Caller, shared: Shared) -> Response:
    """Say that one saw the person agree, by an office or membership of one's own where the helper helps.

    It takes two factors. Neither administrators nor whoever made the helper one witness, nor by an office of theirs.
    """
    caller.require_acr(TWO_FACTORS)
    by = audit.by(caller.principal, await caller.remit_if_any(WITNESS))
    async with caller.command() as command:
        await commands.consent_before_witness(command.session, shared.ring, assist_id=assist_id, by=by, now=command.now)
        return await command.respond(200, await _shown(command.session, assist_id, command.now))


@router.post(
    "/assisted-sessions/{assist_id}/ticket",
    response_model=TicketOut,
    openapi_extra=access("self") | described("领取协助凭据", "Take the ticket of a consent"),
)
async def take_ticket(assist_id: UUID, caller: Caller) -> Response:
    """Give the helper the ticket that is exchanged, once and within five minutes, for the token."""
    async with caller.command() as command:
        by = audit.by(caller.principal)
        ticket, held = await commands.give_ticket(command.session, assist_id=assist_id, by=by, now=command.now)
        expires_at = held.ticket_expires_at or command.now
        return await command.respond(200, TicketOut(ticket=ticket, ticket_type=TICKET_TYPE, expires_at=expires_at))


@router.post(
    "/assisted-sessions/{assist_id}/end",
    response_model=AssistedSessionOut,
    openapi_extra=access("self")
    | open_to_others("it gives nobody anything, and whoever is helped stops it where they are")
    | described("结束协助会话", "End an assisted session"),
)
async def end(assist_id: UUID, caller: Caller, shared: Shared) -> Response:
    """End a session in which one is helped or helps; its token is refused everywhere within seconds."""
    async with caller.command() as command:
        by = audit.by(caller.principal)
        await commands.end_by_one_of_them(command.session, shared.ring, assist_id=assist_id, by=by, now=command.now)
        return await command.respond(200, await _shown(command.session, assist_id, command.now))


@router.get(
    "/assisted-sessions/{assist_id}",
    openapi_extra=access("self") | described("查看一次协助会话", "One assisted session"),
)
async def get_session(assist_id: UUID, caller: Caller) -> AssistedSessionOut:
    """Show a session to the person, the helper, the witness, and to who may witness it while it waits for one."""
    async with caller.read() as session:
        row = (await session.execute(queries.sessions(AssistedSession.assist_id == assist_id))).one_or_none()
        if row is None or not await _may_see(session, row.AssistedSession, caller):
            raise SessionUnknown
        return queries.shown(row, utc_now())


@router.get(
    "/assisted-sessions", openapi_extra=access("self") | described("我协助他人的会话", "Sessions in which one helps")
)
async def list_given(caller: Caller, page: PageQuery) -> Page[AssistedSessionOut]:
    """List the sessions in which the caller helps or helped, the latest first."""
    return await _page(caller, page, AssistedSession.helper_id == caller.person_id)


@router.get(
    "/me/assisted-sessions",
    openapi_extra=access("self") | described("他人协助我的会话", "Sessions in which one was helped"),
)
async def list_own(caller: Caller, page: PageQuery) -> Page[AssistedSessionOut]:
    """List the sessions in which somebody acts or acted for the caller, the latest first."""
    return await _page(caller, page, AssistedSession.subject_id == caller.person_id)


async def _page(caller: AuthenticatedCaller, page: PageRequest, mine: Any) -> Page[AssistedSessionOut]:
    async with caller.read() as session:
        return await queries.list_sessions(session, page, mine, utc_now())


async def _may_see(session: AsyncSession, held: AssistedSession, caller: AuthenticatedCaller) -> bool:
    if caller.person_id in {held.subject_id, held.helper_id, held.witness_id}:
        return True
    if held.evidence != "witness" or held.consented_at is not None:
        return False
    try:
        await commands.require_witness(session, held, caller.person_id, now=utc_now())
    except (WitnessFromElsewhere, NotIndependent):
        return False
    return True


async def _shown(session: AsyncSession, assist_id: UUID, now: datetime) -> AssistedSessionOut:
    row = (await session.execute(queries.sessions(AssistedSession.assist_id == assist_id))).one()
    return queries.shown(row, now)
