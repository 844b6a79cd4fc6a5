"""Deletes what has run out: sessions, codes, and families of tokens with all their links."""

from datetime import timedelta

from sqlalchemy import and_, delete, not_

from database import Database, utc_now
from identity.account_lists.rules import KEPT_FOR as LISTS_KEPT_FOR
from identity.account_lists.tables import AccountList
from identity.challenges.tables import Challenge
from identity.factors.tables import PasskeyCeremony, WechatVisit
from identity.oauth.rules import FAMILY_LIFETIME
from identity.oauth.tables import AuthorizationCode, RevokedClientToken, UsedAssertion, UsedProof
from identity.phone_proofs.tables import PhoneProof
from identity.phone_replacement.tables import PhoneReplacement
from identity.privacy.tables import ExportRequest
from identity.recovery.rules import KEPT_FOR as RECOVERY_KEPT_FOR
from identity.recovery.tables import Recovery
from identity.sessions.tables import BrowserSession, DeviceCode, KnownBrowser, TokenFamily
from identity.throttling.tables import GuessCount, RateCount

KEPT_FOR = timedelta(days=1)
"""How long a row stays after its time, so that a clock somewhat behind still finds it."""


async def delete_expired(database: Database) -> None:
    """Delete expired sessions, families and codes; a used code stays as long as the family it may have to end."""
    past = utc_now() - KEPT_FOR
    async with database.transaction() as session:
        await session.execute(delete(BrowserSession).where(BrowserSession.expires_at < past))
        await session.execute(delete(TokenFamily).where(TokenFamily.expires_at < past))
        used_lately = and_(DeviceCode.used_at.is_not(None), DeviceCode.expires_at >= past - FAMILY_LIFETIME)
        await session.execute(delete(DeviceCode).where(DeviceCode.expires_at < past, not_(used_lately)))
        await session.execute(delete(UsedAssertion).where(UsedAssertion.expires_at < past))
        await session.execute(delete(UsedProof).where(UsedProof.expires_at < past + KEPT_FOR))  # one a refresh: no day
        await session.execute(delete(RevokedClientToken).where(RevokedClientToken.expires_at < past))
        await session.execute(delete(AuthorizationCode).where(AuthorizationCode.expires_at < past - FAMILY_LIFETIME))
        await session.execute(delete(PasskeyCeremony).where(PasskeyCeremony.expires_at < past))
        await session.execute(delete(ExportRequest).where(ExportRequest.expires_at < past))
        await session.execute(delete(WechatVisit).where(WechatVisit.expires_at < past))
        await session.execute(delete(AccountList).where(AccountList.expires_at < past - LISTS_KEPT_FOR))
        for table in (Challenge, PhoneProof, RateCount, GuessCount, KnownBrowser):
            await session.execute(delete(table).where(table.expires_at < past))
        for kept in (Recovery, PhoneReplacement):
            await session.execute(delete(kept).where(kept.expires_at < past - RECOVERY_KEPT_FOR))
