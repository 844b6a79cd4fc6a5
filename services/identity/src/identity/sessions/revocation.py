"""Ends families of tokens: the only writer of such revocations, each with its event.

Every service hears of them and refuses what they end (`webapi.Revocations`), within seconds. Locks are taken in one
order everywhere: browser sessions, codes of devices, families, accounts.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from contracts.identity import SessionRevokedV1
from identity.accounts.authorization import raise_authorization_version
from identity.sessions.known_browsers import forget_browsers
from identity.sessions.tables import BrowserSession, DeviceCode, RevokedFor, TokenFamily
from messaging import Publication, append


async def revoke_families(
    session: AsyncSession, *conditions: Any, reason: RevokedFor, now: datetime, actor: UUID | None = None
) -> list[UUID]:
    """End the families that meet these conditions and live: no token of theirs is refreshed or taken any more.

    Gives the ids of those it ended; one that was ended before is none of them. `actor` is who did it, if somebody did.
    """
    return await session.run_sync(revoke_families_in_sync, *conditions, reason=reason, now=now, actor=actor)


def revoke_families_in_sync(
    session: Session, *conditions: Any, reason: RevokedFor, now: datetime, actor: UUID | None = None
) -> list[UUID]:
    """Do the same inside `AsyncSession.run_sync`, where authlib is at work."""
    session.flush()  # a family of this very transaction is one of them too
    living = select(TokenFamily.family_id).where(*conditions, TokenFamily.revoked_at.is_(None))
    locked = session.scalars(living.order_by(TokenFamily.family_id).with_for_update()).all()
    if not locked:
        return []
    session.execute(
        update(TokenFamily).where(TokenFamily.family_id.in_(locked)).values(revoked_at=now, revoked_for=reason)
    )
    told = [Publication(SessionRevokedV1(session_id=family_id), version=1) for family_id in locked]
    driver: Any = session.connection().connection.dbapi_connection
    driver.run_async(lambda connection: append(connection, told, actor=actor))
    return list(locked)


async def end_all_sessions(
    session: AsyncSession,
    person_id: UUID,
    *,
    reason: RevokedFor,
    now: datetime,
    actor: UUID | None = None,
    above: tuple[int, int] = (0, 0),
) -> list[UUID]:
    """Sign a person out everywhere: browsers, families of tokens, and every access token there is.

    Codes not redeemed yet give nothing any more, those of a browser because its session has ended. Gives the ids of the
    families it ended. `above` is as of `raise_authorization_version`. Raises `AccountUnknown`.
    """
    await end_browser_sessions(session, BrowserSession.account_id == person_id, now=now)
    await forget_browsers(session, person_id)
    await end_waiting_devices(session, person_id, now=now)
    ended = await revoke_families(session, TokenFamily.account_id == person_id, reason=reason, now=now, actor=actor)
    await raise_authorization_version(session, person_id, now=now, actor=actor, above=above)
    return ended


async def end_other_sessions(
    session: AsyncSession,
    person_id: UUID,
    *,
    family: UUID | None = None,
    browser: UUID | None = None,
    reason: RevokedFor,
    now: datetime,
) -> list[UUID]:
    """Sign a person out everywhere but where they are; gives the ids of the families it ended.

    What stays is the family `family` with its browser session, or the browser session `browser` with all that came of
    it.
    """
    here: Any = select(TokenFamily.session_id).where(TokenFamily.family_id == family).scalar_subquery()
    other = TokenFamily.family_id.is_distinct_from(family)
    if browser is not None:
        here, other = browser, TokenFamily.session_id.is_distinct_from(browser)
    browsers = (BrowserSession.account_id == person_id, BrowserSession.session_id.is_distinct_from(here))
    await end_browser_sessions(session, *browsers, now=now)
    await end_waiting_devices(session, person_id, now=now)
    mine = TokenFamily.account_id == person_id
    return await revoke_families(session, mine, other, reason=reason, now=now, actor=person_id)


async def end_waiting_devices(session: AsyncSession, person_id: UUID, *, now: datetime) -> None:
    """Let devices that a person approved and that have not fetched their tokens yet get none.

    Comes before the families end: a device that is fetching its tokens just now has a family when this returns.
    """
    waiting = (DeviceCode.account_id == person_id, DeviceCode.used_at.is_(None), DeviceCode.expires_at > now)
    await session.execute(update(DeviceCode).where(*waiting).values(expires_at=now))


async def end_browser_sessions(session: AsyncSession, *conditions: Any, now: datetime) -> Sequence[UUID]:
    """End the browser sessions that meet these conditions and live; gives their ids."""
    living = select(BrowserSession.session_id).where(*conditions, BrowserSession.ended_at.is_(None))
    locked = (await session.scalars(living.order_by(BrowserSession.session_id).with_for_update())).all()
    if locked:
        await session.execute(update(BrowserSession).where(BrowserSession.session_id.in_(locked)).values(ended_at=now))
    return locked
