"""Signing in and out: who the password belongs to, and the session that begins or ends."""

from datetime import datetime

from sqlalchemy import select

from database import Database
from identity.accounts.tables import Account, Credential, Identifier
from identity.credentials.hashing import Passwords
from identity.credentials.rules import FirstPasswordExpired, normalised_username
from identity.levels import ONE_FACTOR_ACR, PASSWORD_AMR
from identity.sessions.browser import Proven


async def check_password(
    database: Database, passwords: Passwords, *, username: str, password: str, now: datetime
) -> Proven | None:
    """Find whose username and password these are, or None.

    A name nobody has, an account without a password or out of use, and a wrong password cost the same and differ in
    nothing. No connection is held while the password is hashed. Raises `TooManySignIns`, and `FirstPasswordExpired`,
    which only the right password can tell.
    """
    known_as = normalised_username(username)
    async with database.read() as session:
        row = (
            await session.execute(
                select(Account.account_id, Credential.secret, Credential.first_until)
                .join(Identifier, Identifier.account_id == Account.account_id)
                .join(Credential, Credential.account_id == Account.account_id)
                .where(Identifier.kind == "username", Identifier.plain == known_as)
                .where(Credential.kind == "password", Account.status == "active")
            )
        ).one_or_none()
    verdict = await passwords.verify(row.secret if row else None, password)
    if row is None or not verdict.matches:
        return None
    if row.first_until is not None and row.first_until <= now:
        raise FirstPasswordExpired
    its_password = (Credential.account_id == row.account_id, Credential.kind == "password")
    by = select(Credential.credential_id).where(*its_password, Credential.secret == row.secret)
    return Proven(row.account_id, ONE_FACTOR_ACR, PASSWORD_AMR, by, verdict.rehashed)
