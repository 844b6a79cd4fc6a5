"""Ending sessions: one's own, one by one or all of them, and those of somebody in one's remit."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
from database import known
from identity.accounts.remit import require_account_within
from identity.sessions.revocation import end_all_sessions, end_browser_sessions, end_other_sessions, revoke_families
from identity.sessions.tables import BrowserSession, TokenFamily


class SessionUnknown(Exception):
    """The person has no such session."""


async def end_session(session: AsyncSession, *, session_id: UUID, by: audit.Actor, now: datetime) -> None:
    """End one session of a person's own, and the browser's that it came of: else that would begin it anew, unasked.

    A sign-in without a client ends with all that came of it since it was listed. Ending it again changes nothing.
    Raises `SessionUnknown`.
    """
    me = by.actor
    family = (TokenFamily.family_id == session_id, TokenFamily.account_id == me)
    browser = await session.scalar(select(TokenFamily.session_id).where(*family))
    came_of_it = family if browser else (TokenFamily.session_id == session_id,)
    sign_in = (BrowserSession.session_id == (browser or session_id), BrowserSession.account_id == me)
    if browser is None:
        known(await session.scalar(select(BrowserSession.session_id).where(*sign_in)), SessionUnknown)
    signed_out = await end_browser_sessions(session, *sign_in, now=now)
    revoked = await revoke_families(session, *came_of_it, reason="signed_out", now=now, actor=me)
    if revoked if browser else signed_out:
        await audit.record(session, by.entry("identity.session.ended", subject=me, object_id=session_id), now=now)


async def end_own_sessions(
    session: AsyncSession, *, keeping: UUID | None = None, browser: UUID | None = None, by: audit.Actor, now: datetime
) -> int:
    """Sign a person out everywhere, or everywhere but in the session `keeping`, or on the browser of that session.

    Gives how many sessions it ended.
    """
    me = by.actor
    await audit.record(session, by.entry("identity.sessions.ended", subject=me), now=now)
    if keeping is None and browser is None:
        return len(await end_all_sessions(session, me, reason="signed_out_everywhere", now=now, actor=me))
    ended = await end_other_sessions(
        session, me, family=keeping, browser=browser, reason="signed_out_elsewhere", now=now
    )
    return len(ended)


async def end_sessions_of(
    session: AsyncSession, *, account_id: UUID, remit: Collection[UUID], by: audit.Actor, now: datetime
) -> int:
    """Sign somebody in one's remit out everywhere; gives how many sessions ended. Raises `orgtree.OutsideRemit`."""
    await require_account_within(session, account_id, remit)
    await audit.record(session, by.entry("identity.sessions.revoked", subject=account_id), now=now)
    return len(await end_all_sessions(session, account_id, reason="revoked_by_officer", now=now, actor=by.actor))
