"""Sessions over HTTP: seeing one's own, ending them, and ending somebody else's in one's remit."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

import audit
from audit import audited
from database import utc_now
from identity.sessions.commands import end_own_sessions, end_session, end_sessions_of
from identity.sessions.devices import device_label
from identity.sessions.queries import sessions_after
from identity.sessions.schemas import EndSessions, SessionOut, SessionsEnded
from webapi import AuthenticatedCaller, Caller, Page, PageQuery, access, described

router = APIRouter(prefix="/v1", tags=["sessions"])

REVOKE = "identity.session.revoke"


@router.get("/me/sessions", openapi_extra=access("self") | described("我在哪些设备上登录", "Where I am signed in"))
async def list_sessions(caller: Caller, page: PageQuery) -> Page[SessionOut]:
    """List one's own sessions, the latest sign-in first; one without a client is a sign-in on a page of ours alone."""
    async with caller.read() as session:
        rows = (await session.execute(sessions_after(page, caller.person_id, now=utc_now()))).all()
    return page.of(rows, lambda row: (row.signed_in_at, row.session_id), lambda row: _shown(row, caller))


@router.delete(
    "/me/sessions/{session_id}",
    status_code=204,
    openapi_extra=access("self") | described("结束本人的一个会话", "End one of my sessions"),
)
async def end_session_(session_id: UUID, caller: Caller) -> Response:
    """End a session of one's own; its tokens are refused everywhere within seconds."""
    async with caller.command() as command:
        await end_session(command.session, session_id=session_id, by=audit.by(caller.principal), now=command.now)
        return await command.respond(204)


@router.post(
    "/me/sessions/revocation",
    response_model=SessionsEnded,
    openapi_extra=access("self")
    | described("在所有设备上退出登录", "Sign out everywhere", example={"keep_current": True}),
)
async def end_own_sessions_(body: EndSessions, caller: Caller) -> Response:
    """End all sessions of one's own, or all but the one that asks."""
    mine = caller.principal.session_id
    keeping = UUID(mine) if body.keep_current and mine else None
    async with caller.command() as command:
        by = audit.by(caller.principal)
        ended = await end_own_sessions(command.session, keeping=keeping, by=by, now=command.now)
        return await command.respond(200, SessionsEnded(ended=ended))


@router.post(
    "/accounts/{account_id}/sessions/revocation",
    response_model=SessionsEnded,
    openapi_extra=access(REVOKE)
    | audited("identity.sessions.revoked")
    | described("使某人在所有设备上退出登录", "Sign somebody out everywhere"),
)
async def end_sessions_of_(account_id: UUID, caller: Caller) -> Response:
    """End all sessions of somebody in one's remit."""
    remit = await caller.remit(REVOKE)
    async with caller.command() as command:
        ended = await end_sessions_of(
            command.session,
            account_id=account_id,
            remit=remit,
            by=audit.by(caller.principal, remit),
            now=command.now,
        )
        return await command.respond(200, SessionsEnded(ended=ended))


def _shown(row: Any, caller: AuthenticatedCaller) -> SessionOut:
    return SessionOut(
        session_id=row.session_id,
        client_id=row.client_id,
        client_name_zh=row.name_zh,
        client_name_en=row.name_en,
        device=device_label(row.device, caller.language),
        acr=row.acr,
        signed_in_at=row.signed_in_at,
        last_seen_at=row.last_seen_at,
        current=str(row.session_id) == caller.principal.session_id,
    )
