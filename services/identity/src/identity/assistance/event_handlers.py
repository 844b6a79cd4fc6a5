"""Ends assisted sessions when the helper loses what they rest on: the own sign-in, or a change of the own rights."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Event
from contracts.identity import AuthorizationChangedV1, SessionRevokedV1
from database import utc_now
from identity.assistance.commands import end_all
from identity.assistance.tables import AssistedSession
from messaging import Handler, Received


async def react_to_ended_sessions(session: AsyncSession, batch: Sequence[Received[SessionRevokedV1]]) -> None:
    """End what helpers do whose sign-in has ended."""
    ended = [each.event.session_id for each in batch]
    theirs = AssistedSession.helper_session_id.in_(ended)
    await end_all(session, None, theirs, now=utc_now(), reason="helper_signed_out")


async def react_to_changed_authorizations(
    session: AsyncSession, batch: Sequence[Received[AuthorizationChangedV1]]
) -> None:
    """End what helpers do whose rights have changed since: deactivated, a role ended, signed out everywhere."""
    for each in batch:
        theirs = (AssistedSession.helper_id == each.event.person_id, AssistedSession.asked_at < each.time)
        await end_all(session, None, *theirs, now=utc_now(), reason="helper_changed")


HANDLERS: Mapping[type[Event], Handler] = {
    SessionRevokedV1: react_to_ended_sessions,
    AuthorizationChangedV1: react_to_changed_authorizations,
}
