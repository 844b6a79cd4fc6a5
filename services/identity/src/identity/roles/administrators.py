"""The first accounts of an installation: one for each of the three administrations."""

import logging
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import new_id
from identity.accounts.commands import add_account
from identity.accounts.tables import Account, Credential, Identifier
from identity.credentials.passwords import Passwords
from identity.credentials.rules import FIRST_PASSWORD_LIFETIME
from identity.roles.commands import appoint
from identity.roles.tables import RoleAssignment

USERNAMES: Mapping[str, str] = {
    "system_administrator": "administrator",
    "security_administrator": "security",
    "audit_administrator": "auditor",
}
"""Who is opened for which administration."""
_log = logging.getLogger(__name__)


async def vacant_administrations(session: AsyncSession) -> list[str]:
    """Give the administrations that nobody ever had."""
    had = select(RoleAssignment.role).where(RoleAssignment.role.in_(USERNAMES)).distinct()
    return sorted(USERNAMES.keys() - set(await session.scalars(had)), key=list(USERNAMES).index)


async def stale_administrations(session: AsyncSession, *, now: datetime) -> list[str]:
    """Give those whose first account nobody signed in to while the first password worked."""
    names = (
        select(Identifier.plain)
        .join(Account, Account.account_id == Identifier.account_id)
        .join(Credential, Credential.account_id == Identifier.account_id)
        .where(Identifier.plain.in_(USERNAMES.values()), Account.opened_by.is_(None), Credential.first_until <= now)
    )
    found = set(await session.scalars(names))
    return [role for role, username in USERNAMES.items() if username in found]


async def renew_first_passwords(session: AsyncSession, encodings: Mapping[str, str], *, now: datetime) -> None:
    """Let them begin anew with another first password: without an administrator nobody could help them."""
    for role in await stale_administrations(session, now=now):
        if role not in encodings:
            continue
        mine = select(Identifier.account_id).where(Identifier.plain == USERNAMES[role]).scalar_subquery()
        renewed = {"secret": encodings[role], "set_at": now, "first_until": now + FIRST_PASSWORD_LIFETIME}
        await session.execute(update(Credential).where(Credential.account_id == mine).values(renewed))
        _log.info("first_password_renewed", extra={"role": role})


async def hash_first_passwords(passwords: Passwords, password: str, roles: list[str]) -> dict[str, str]:
    """Give the argon2id string of each account's first password. Raises `PasswordUnusable`."""
    usable = [await passwords.require(password, username=USERNAMES[role]) for role in roles]
    return {role: await passwords.hash(each) for role, each in zip(roles, usable, strict=True)}


async def open_administrators(session: AsyncSession, encodings: Mapping[str, str], *, now: datetime) -> None:
    """Open an account for each administration that nobody ever had; without a first password it stays vacant."""
    for role in await vacant_administrations(session):
        username = USERNAMES[role]
        taken = select(Identifier.identifier_id).where(Identifier.kind == "username", Identifier.plain == username)
        if role not in encodings or await session.scalar(taken) is not None:
            _log.warning("administration_vacant", extra={"role": role})
            continue
        person_id = new_id()
        await add_account(
            session,
            account_id=person_id,
            username=username,
            password_encoding=encodings[role],
            organisation_id=orgtree.ROOT_ID,
            proven_at=now,
            new_id=new_id,
            now=now,
        )
        await appoint(
            session, assignment_id=new_id(), person_id=person_id, role=role, organisation_id=orgtree.ROOT_ID, now=now
        )
        _log.info("administrator_opened", extra={"account_id": person_id, "role": role})
