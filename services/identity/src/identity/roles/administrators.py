"""The first accounts of an installation: one for each of the three administrations."""

import logging
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import new_id
from identity.accounts.commands import open_account
from identity.accounts.passwords import Passwords
from identity.accounts.rules import require_password
from identity.accounts.tables import Identifier
from identity.roles.commands import grant_role
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


async def hash_first_passwords(passwords: Passwords, password: str, roles: list[str]) -> dict[str, str]:
    """Give the argon2id string of each account's first password. Raises `PasswordUnusable`."""
    usable = [require_password(password, username=USERNAMES[role]) for role in roles]
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
        await open_account(
            session,
            person_id=person_id,
            username=username,
            password_encoding=encodings[role],
            organisation_id=orgtree.ROOT_ID,
            opener=None,
            scopes=None,
            new_id=new_id,
            now=now,
        )
        await grant_role(
            session,
            assignment_id=new_id(),
            person_id=person_id,
            role=role,
            organisation_id=orgtree.ROOT_ID,
            valid_from=None,
            valid_until=None,
            granter=None,
            scopes=None,
            now=now,
        )
        _log.info("administrator_opened", extra={"account_id": person_id, "role": role})
