"""Deletes what has run out: sessions, codes, and families of tokens with all their links."""

from datetime import timedelta

from sqlalchemy import delete

from database import Database, utc_now
from identity.oauth.rules import FAMILY_LIFETIME
from identity.oauth.tables import AuthorizationCode, TokenFamily
from identity.sign_in.tables import BrowserSession

KEPT_FOR = timedelta(days=1)
"""How long a row stays after its time, so that a clock somewhat behind still finds it."""


async def delete_expired(database: Database) -> None:
    """Delete expired sessions, families and codes; a used code stays as long as the family it may have to end."""
    past = utc_now() - KEPT_FOR
    async with database.transaction() as session:
        await session.execute(delete(BrowserSession).where(BrowserSession.expires_at < past))
        await session.execute(delete(TokenFamily).where(TokenFamily.expires_at < past))
        await session.execute(delete(AuthorizationCode).where(AuthorizationCode.expires_at < past - FAMILY_LIFETIME))
