"""The session of a browser: it begins with a proof, says who is there, counts for more, and ends."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Update, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from identity.accounts.tables import Account, Credential
from identity.factors.tables import Totp
from identity.levels import FRESH_FOR_CREDENTIALS, SECOND_FACTORS, SignedIn, acr_of, joined
from identity.secrets import hash_of, new_secret
from identity.sessions.revocation import revoke_families
from identity.sessions.sign_ins import SIGNED_IN, SIGNED_OUT, record_session
from identity.sessions.tables import BrowserSession, TokenFamily

ONE_SIGN_IN: Final = timedelta(minutes=10)
"""Within this both factors are one sign-in, which took place when the second was given."""

SESSION_LIFETIME = timedelta(hours=12)


class Proven(NamedTuple):
    """An account whose owner is at the browser: how strongly they proved it (`acr`), and how (`amr`, RFC 8176).

    `by` selects the id of what they proved it by, for as long as the account has it. `rehashed` replaces the encoding
    of a password that is no longer strong.
    """

    account_id: UUID
    acr: str
    amr: Sequence[str]
    by: Select[UUID]
    rehashed: str | None = None


async def still_proves(session: AsyncSession, proven: Proven) -> UUID | None:
    """Give the id of what was proved by, None when it was changed or removed since.

    Until the transaction ends nobody changes it: whoever does so later ends the sessions that there are by then.
    """
    found: UUID | None = await session.scalar(proven.by.with_for_update())
    return found


async def begin_session(
    session: AsyncSession,
    proven: Proven,
    *,
    session_id: UUID,
    replacing: str | None,
    now: datetime,
    device: str | None = None,
) -> tuple[SignedIn, str] | None:
    """Begin a browser session and give it with its cookie's value; the browser's former session ends.

    None, and nothing is done, when what was proved by is no longer the account's.
    `device` says in a few words what kind of device this is (`sessions.devices`), for the owner to recognise it.
    """
    by = await still_proves(session, proven)
    if by is None:
        return None
    if replacing is not None:
        await session.execute(_end(replacing, now))
    if proven.rehashed is not None:
        rehashed = update(Credential).where(Credential.credential_id == by).values(secret=proven.rehashed)
        await session.execute(rehashed)
    cookie = new_secret()
    begun = BrowserSession(
        session_id=session_id,
        cookie_hash=hash_of(cookie),
        account_id=proven.account_id,
        acr=proven.acr,
        amr=list(proven.amr),
        device=device,
        signed_in_at=now,
        expires_at=now + SESSION_LIFETIME,
    )
    session.add(begun)
    await session.flush()
    await record_session(session, SIGNED_IN, proven.account_id, session_id, now)
    return SignedIn(proven.account_id, session_id, proven.acr, proven.amr, now), cookie


async def person_at(session: AsyncSession, cookie: str | None, *, now: datetime) -> SignedIn | None:
    """Give who is signed in on the browser that sent this cookie, if anybody.

    Nobody is whose second factor, own password or proof that the account is theirs is still missing
    (`factors.required`): until then the session is good for the page that asks for it and for nothing else.
    """
    return await _at(session, cookie, is_complete(), now=now)


async def person_beginning_at(session: AsyncSession, cookie: str | None, *, now: datetime) -> SignedIn | None:
    """Give the same for the pages that ask for a second factor or an own password: one may be missing, for a while.

    A browser that was left in between lets nobody take the account who comes by later.
    """
    begun_just_now = BrowserSession.signed_in_at >= now - FRESH_FOR_CREDENTIALS
    return await _at(session, cookie, or_(is_complete(), begun_just_now), now=now)


async def person_leaving_at(session: AsyncSession, cookie: str | None, *, now: datetime) -> SignedIn | None:
    """Give the same for the page that signs out: whatever may be missing, and since when."""
    return await _at(session, cookie, now=now)


async def _at(
    session: AsyncSession, cookie: str | None, *conditions: ColumnElement[bool], now: datetime
) -> SignedIn | None:
    if cookie is None:
        return None
    row = (
        await session.execute(
            select(
                BrowserSession.account_id,
                BrowserSession.session_id,
                BrowserSession.acr,
                BrowserSession.amr,
                BrowserSession.signed_in_at,
                BrowserSession.waiting_request,
            )
            .join(Account, Account.account_id == BrowserSession.account_id)
            .where(BrowserSession.cookie_hash == hash_of(cookie), BrowserSession.ended_at.is_(None))
            .where(BrowserSession.expires_at > now, Account.status == "active", *conditions)
        )
    ).one_or_none()
    return SignedIn(*row) if row else None


async def sign_out(session: AsyncSession, cookie: str, *, now: datetime) -> UUID | None:
    """End the browser's session and every token that came of it; gives the session's id if there was one."""
    ended = (
        await session.execute(_end(cookie, now).returning(BrowserSession.session_id, BrowserSession.account_id))
    ).one_or_none()
    if ended is None:
        return None
    await revoke_families(session, TokenFamily.session_id == ended.session_id, reason="signed_out", now=now)
    await record_session(session, SIGNED_OUT, ended.account_id, ended.session_id, now)
    session_id: UUID = ended.session_id
    return session_id


def _end(cookie: str, now: datetime) -> Update:
    mine = (BrowserSession.cookie_hash == hash_of(cookie), BrowserSession.ended_at.is_(None))
    return update(BrowserSession).where(*mine).values(ended_at=now)


async def raise_session(
    session: AsyncSession, person: SignedIn, *ways: str, now: datetime
) -> tuple[SignedIn, str] | None:
    """Add what was proved to the person's session and give it with its cookie's new value; None when it has ended.

    A second factor that comes later than the rest of the sign-in raises the level and leaves the time as it was.
    """
    amr = joined(person.amr, *ways)
    since = now if now - person.signed_in_at <= ONE_SIGN_IN else person.signed_in_at
    cookie = new_secret()
    raised = await session.scalar(
        update(BrowserSession)
        .where(BrowserSession.session_id == person.session_id, BrowserSession.ended_at.is_(None))
        .values(amr=amr, acr=acr_of(amr), signed_in_at=since, cookie_hash=hash_of(cookie))
        .returning(BrowserSession.session_id)
    )
    if raised is None:
        return None
    return person._replace(acr=acr_of(amr), amr=amr, signed_in_at=since), cookie


def is_complete() -> ColumnElement[bool]:
    """Give the condition under which a row of `session`, joined with its account, counts for anything."""
    app = exists().where(Totp.account_id == Account.account_id, Totp.confirmed_at.is_not(None))
    first = exists().where(Credential.account_id == Account.account_id, Credential.first_until.is_not(None))
    by_password = BrowserSession.amr.contains(["pwd"])
    return and_(
        Account.proven_at.is_not(None),
        or_(~app, BrowserSession.amr.overlap(list(SECOND_FACTORS))),
        or_(~first, ~by_password),
    )
