"""Signing in and out on record: whose it was once they proved it, and nobody's as long as they did not."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import audit

SIGNED_IN: Final = "identity.session.signed_in"
SIGNED_OUT: Final = "identity.session.signed_out"


async def record_session(session: AsyncSession, action: str, account_id: UUID, session_id: UUID, now: datetime) -> None:
    """Record that somebody signed in, or out."""
    entry = audit.Entry(action=action, actor=account_id, subject=account_id, object_id=session_id)
    await audit.record(session, entry, now=now)


async def record_sign_in_refused(session: AsyncSession, way: Literal["password", "code"], *, now: datetime) -> None:
    """Record that a sign-in was refused, and not at whose name: whoever tried proved nothing, so it only counts."""
    refused = audit.refused(audit.Entry(action=SIGNED_IN), way)
    await audit.record(session, refused, now=now)
