"""What must be there before the first request: a signing key, the roles, the built-in clients, an administrator."""

import logging
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import Database, new_id
from identity.accounts.commands import any_account, open_account
from identity.accounts.passwords import Passwords
from identity.accounts.rules import require_password
from identity.oauth.keys import SigningKeys
from identity.oauth.rules import SCOPES
from identity.oauth.tables import Client, SigningKey
from identity.roles.commands import define_roles, grant_role, roles_to_define

ADMINISTRATOR = "administrator"
_LOCK = 0x6669727374  # one advisory lock for all first starts of a database; any constant will do
_log = logging.getLogger(__name__)


async def prepare(
    database: Database,
    passwords: Passwords,
    keys: SigningKeys,
    *,
    issuer: str,
    bootstrap_password: str | None,
    now: datetime,
) -> None:
    """Make what is missing, in one transaction, once however many processes start; a later start changes little.

    Without `bootstrap_password` no administrator is made. Raises `PasswordUnusable` for one that cannot be used.
    """
    encoding = None
    if bootstrap_password is not None:
        async with database.read() as session:
            wanted = not await any_account(session)
        if wanted:
            encoding = await passwords.hash(require_password(bootstrap_password, username=ADMINISTRATOR))
    async with database.transaction() as session:
        await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if await session.scalar(select(SigningKey.kid).where(SigningKey.state == "active")) is None:
            kid = await keys.create(session, state="active", now=now)
            _log.info("signing_key_made", extra={"key_id": kid})
        for role in await define_roles(session, roles_to_define(), new_id=new_id, now=now):
            _log.info("role_defined", extra={"role": role})
        for client in built_in_clients(issuer):
            await _register(session, {**client, "registered_at": now})
        if not await any_account(session):
            await _open_administrator(session, encoding, now=now)


def built_in_clients(issuer: str) -> list[dict[str, object]]:
    """Give the clients every installation has: the documentation's try-it page and the command line."""
    grants = ["authorization_code", "refresh_token"]
    return [
        {
            "client_id": "docs",
            "name_zh": "接口文档",
            "name_en": "API documentation",
            "application_type": "web",
            "redirect_uris": [f"{issuer}/docs/oauth2-redirect.html"],
            "grant_types": grants,
            "scopes": list(SCOPES),
        },
        {
            "client_id": "command-line",
            "name_zh": "命令行",
            "name_en": "Command line",
            "application_type": "native",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "grant_types": grants,
            "scopes": list(SCOPES),
        },
    ]


async def _register(session: AsyncSession, client: dict[str, object]) -> None:
    stated = insert(Client).values(client)
    changed = {name: stated.excluded[name] for name in client if name not in {"client_id", "registered_at"}}
    await session.execute(stated.on_conflict_do_update(index_elements=[Client.client_id], set_=changed))


async def _open_administrator(session: AsyncSession, encoding: str | None, *, now: datetime) -> None:
    if encoding is None:
        _log.warning("no_account_exists")
        return
    person_id: UUID = new_id()
    await open_account(
        session,
        person_id=person_id,
        username=ADMINISTRATOR,
        password_encoding=encoding,
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
        role="system_administrator",
        organisation_id=orgtree.ROOT_ID,
        valid_from=None,
        valid_until=None,
        granter=None,
        scopes=None,
        now=now,
    )
    _log.info("administrator_opened", extra={"account_id": person_id})
