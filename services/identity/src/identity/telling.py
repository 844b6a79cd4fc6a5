"""What is told of accounts and sign-ins anew: no token that was ended, and none of a lost time, holds again."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import AuthorizationChangedV1, SessionRevokedV1
from database import insert_new, utc_now
from identity.accounts.tables import Account
from identity.oauth.tables import RevokedClientToken
from identity.sessions.revocation import end_all_sessions, end_browser_sessions
from identity.sessions.tables import BrowserSession, TokenFamily
from messaging import Received, Telling, Told
from webapi.revocations import LONGEST_LIFE


def _tell_account(account: Account) -> Telling:
    event = AuthorizationChangedV1(person_id=account.account_id, authorization_version=account.authorization_version)
    return Telling(event, account.authorization_changes, account.authorization_changed_at or account.opened_at)


async def sign_out(session: AsyncSession, lost: Sequence[Received[AuthorizationChangedV1]]) -> Collection[UUID]:
    """Sign these people out everywhere, with a version above the lost one.

    Why it was raised is lost with it: perhaps a role was granted that is no more, and then tokens that name it are of
    the lost version itself; perhaps they had signed out everywhere, or were deactivated. So they sign in anew.
    """
    found = select(Account.account_id).where(Account.account_id.in_([each.event.person_id for each in lost]))
    known = set(await session.scalars(found))
    numbers = {each.event.person_id: (each.event.authorization_version, each.version) for each in lost}
    for person_id in sorted(known):
        await end_all_sessions(session, person_id, reason="restored", now=utc_now(), above=numbers[person_id])
    return known


ACCOUNT = Told(
    AuthorizationChangedV1,
    select(Account).where(Account.authorization_changes > 0),
    Account.account_id,
    _tell_account,
    adopt=sign_out,
    never_goes_back=True,
)


def _tell_session(family: TokenFamily) -> Telling:
    return Telling(SessionRevokedV1(session_id=family.family_id), 1, family.revoked_at or family.signed_in_at)


async def end_again(session: AsyncSession, lost: Sequence[Received[SessionRevokedV1]]) -> Collection[UUID]:
    """End these sign-ins again, and the browsers' with them, which end without an event: nobody comes in by a restore.

    What is no family known here is a client's own token, or a sign-in that is lost too.
    """
    ended_at = {each.event.session_id: each.time for each in lost}
    for family_id in sorted(ended_at):
        this, now = TokenFamily.family_id == family_id, ended_at[family_id]
        browser = await session.scalar(select(TokenFamily.session_id).where(this))
        if browser is None:
            gone = {"session_id": family_id, "expires_at": now + LONGEST_LIFE}
            await insert_new(session, RevokedClientToken, gone)
            continue
        await end_browser_sessions(session, BrowserSession.session_id == browser, now=now)
        ended = update(TokenFamily).where(this, TokenFamily.revoked_at.is_(None))
        await session.execute(ended.values(revoked_at=now, revoked_for="restored"))
    return ended_at.keys()


SESSION = Told(
    SessionRevokedV1,
    select(TokenFamily).where(TokenFamily.revoked_at.is_not(None)),
    TokenFamily.family_id,
    _tell_session,
    adopt=end_again,
    never_goes_back=True,
)
