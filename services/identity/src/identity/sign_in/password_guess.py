"""Checking a password while somebody may be guessing: who has to wait, and whose known browser lets them through."""

import logging
from contextlib import suppress
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from database import Database, KeyRing
from identity.accounts.credentials import named
from identity.accounts.tables import Account, Credential, Identifier
from identity.credentials.passwords import Passwords, TooManySignIns
from identity.credentials.rules import FirstPasswordExpired
from identity.levels import ONE_FACTOR_ACR, PASSWORD_AMR
from identity.sessions.browser import Proven
from identity.sessions.known_browsers import is_known
from identity.sessions.sign_ins import record_sign_in_refused
from identity.shared import IdentityShared
from identity.throttling.addresses import places_of
from identity.throttling.guesses import begin_guess, forgive, take_back
from identity.throttling.rates import TooOften, subject_of
from identity.throttling.rules import OF_ADDRESS

_log = logging.getLogger(__name__)


async def prove_by_password(
    shared: IdentityShared, *, username: str, password: str, browser: str | None, client_address: str, now: datetime
) -> Proven | None:
    """Find whose username or phone number and password these are, or None; each failure makes the next guess wait.

    `browser` is the cookie of a browser its owner may have used, `client_address` the address the guess comes from. On
    a browser that is known for this name, neither the attack on the name nor the neighbours at the address count; it
    has failures of its own. A name nobody has is treated like one that somebody has. Guesses at a number and at the
    username of whoever has it are counted together, too; where they have to wait for that alone, the right password is
    as wrong as any, for a wait would tell whose number it is. Raises `TooOften`, `TooManySignIns` and
    `FirstPasswordExpired`, which is no failure: whoever sees it knows the password.
    """
    name, identifiers = named(shared.ring, username)
    async with shared.database.transaction() as session:
        if await is_known(session, browser, identifiers, now=now):
            guesses = [await begin_guess(session, subject_of(shared.ring, "browser", f"{browser}|{name}"), now=now)]
            may_be_right = True
        else:
            beside = {
                subject_of(shared.ring, "place", place): OF_ADDRESS._replace(free=times * shared.failures_per_address)
                for place, times in places_of(client_address)
            }
            guesses = [await begin_guess(session, subject_of(shared.ring, "name", name), beside=beside, now=now)]
            may_be_right = False
    if not may_be_right:
        with suppress(TooOften):
            async with shared.database.transaction() as session:
                guesses.append(
                    await begin_guess(session, await _whose(session, shared.ring, name, identifiers), now=now)
                )
                may_be_right = True
    try:
        proven = await check_password(
            shared.database, shared.passwords, identifiers, password=password, client_address=client_address, now=now
        )
    except TooManySignIns:
        async with shared.database.transaction() as session:
            for guess in guesses:
                await take_back(session, guess)
        raise
    except FirstPasswordExpired:
        if not may_be_right:
            return None
        async with shared.database.transaction() as session:
            for guess in guesses:
                await take_back(session, guess)
            await record_sign_in_refused(session, "password", now=now)
        raise
    async with shared.database.transaction() as session:
        if proven is None or not may_be_right:
            await record_sign_in_refused(session, "password", now=now)
            return None
        for guess in guesses:
            await forgive(session, guess)
    return proven


async def _whose(session: AsyncSession, ring: KeyRing, name: str, identifiers: ColumnElement[bool]) -> bytes:
    """Give what guesses are counted for whatever the account is called by; for nobody's name, one of its own."""
    found = select(Identifier.account_id).where(identifiers).order_by(Identifier.kind.desc()).limit(1)
    account_id = await session.scalar(found)
    return subject_of(ring, "account", str(account_id) if account_id else f"nobody|{name}")


async def check_password(
    database: Database,
    passwords: Passwords,
    named: ColumnElement[bool],
    *,
    password: str,
    client_address: str,
    now: datetime,
) -> Proven | None:
    """Find whose name and password these are, or None; where it may mean two accounts, the one with that username.

    A name nobody has, an account without a password or out of use, and a wrong password cost the same and differ in
    nothing. No connection is held while the password is hashed. Raises `TooManySignIns`, and `FirstPasswordExpired`,
    which only the right password can tell.
    """
    async with database.read() as session:
        row = (
            await session.execute(
                select(Account.account_id, Credential.secret, Credential.first_until)
                .join(Identifier, Identifier.account_id == Account.account_id)
                .join(Credential, Credential.account_id == Account.account_id)
                .where(named, Credential.kind == "password", Account.status == "active")
                .order_by(Identifier.kind.desc())
                .limit(1)
            )
        ).one_or_none()
    around, _ = places_of(client_address)[-1]
    verdict = await passwords.verify(row.secret if row else None, password, at=around)
    if row is None or not verdict.matches:
        return None
    if row.first_until is not None and row.first_until <= now:
        raise FirstPasswordExpired
    its_password = (Credential.account_id == row.account_id, Credential.kind == "password")
    by = select(Credential.credential_id).where(*its_password, Credential.secret == row.secret)
    return Proven(row.account_id, ONE_FACTOR_ACR, PASSWORD_AMR, by, verdict.rehashed)
