"""What must be there before the first request: a signing key, the roles, the built-in clients, three administrators."""

import logging
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.scopes import API_SCOPES
from database import Database, new_id
from identity.assistance.exchange import GRANT_TYPE as TOKEN_EXCHANGE
from identity.clients.commands import tell_quotas_anew
from identity.clients.rules import BY_DEVICE, SCOPES_OF_PEOPLE
from identity.clients.tables import Client
from identity.credentials.passwords import Passwords
from identity.roles.administrators import (
    hash_first_passwords,
    open_administrators,
    renew_first_passwords,
    stale_administrations,
    vacant_administrations,
)
from identity.roles.definitions import define_roles, roles_to_define
from identity.signing.keys import SigningKeys
from identity.signing.tables import SigningKey

BUILT_IN_QUOTA = 60_000
"""Requests a minute of all who use a built-in client, at each gateway process."""
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

    With `bootstrap_password` each administration that nobody ever had gets an account of its own, and one whose first
    password has expired gets it anew. Raises `PasswordUnusable` for one that cannot be used.
    """
    encodings: dict[str, str] = {}
    if bootstrap_password is not None:
        async with database.read() as session:
            waiting = [*await vacant_administrations(session), *await stale_administrations(session, now=now)]
        encodings = await hash_first_passwords(passwords, bootstrap_password, waiting)
    async with database.transaction() as session:
        await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if await session.scalar(select(SigningKey.kid).where(SigningKey.state == "active")) is None:
            kid = await keys.create(session, state="active", now=now)
            _log.info("signing_key_made", extra={"key_id": kid})
        for role in await define_roles(session, roles_to_define(), new_id=new_id, now=now):
            _log.info("role_defined", extra={"role": role})
        for client in built_in_clients(issuer):
            await _register(session, {**client, "registered_at": now})
        await tell_quotas_anew(session)
        await open_administrators(session, encodings, now=now)
        await renew_first_passwords(session, encodings, now=now)


def built_in_clients(issuer: str) -> list[dict[str, object]]:
    """Give the clients every installation has: the portal in browsers and on terminals, the documentation's try-it
    page, the command line.
    """
    grants, scopes = ["authorization_code", "refresh_token"], [*SCOPES_OF_PEOPLE, *API_SCOPES]
    return [
        {
            "client_id": "portal",
            "name_zh": "乡桥",
            "name_en": "Xiangqiao",
            "first_party": True,
            "application_type": "web",
            "redirect_uris": [f"{issuer}/app/signed-in"],
            "post_logout_redirect_uris": [f"{issuer}/app/"],
            "grant_types": [*grants, TOKEN_EXCHANGE],
            "scopes": scopes,
        },
        {
            "client_id": "kiosk",
            "name_zh": "村里的终端机",
            "name_en": "Village terminal",
            "first_party": True,
            "application_type": "terminal",
            "redirect_uris": [],
            "post_logout_redirect_uris": [],
            "grant_types": sorted(BY_DEVICE),
            "scopes": ["openid", *API_SCOPES],
        },
        {
            "client_id": "docs",
            "name_zh": "接口文档",
            "name_en": "API documentation",
            "first_party": True,
            "application_type": "web",
            "redirect_uris": [f"{issuer}/docs/oauth2-redirect.html"],
            "post_logout_redirect_uris": [f"{issuer}/docs"],
            "grant_types": grants,
            "scopes": scopes,
        },
        {
            "client_id": "command-line",
            "name_zh": "命令行",
            "name_en": "Command line",
            "first_party": True,
            "application_type": "native",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "post_logout_redirect_uris": [],
            "grant_types": [*grants, TOKEN_EXCHANGE],
            "scopes": scopes,
        },
    ]


async def _register(session: AsyncSession, client: dict[str, object]) -> None:
    stated = insert(Client).values({**client, "principal_id": new_id(), "requests_per_minute": BUILT_IN_QUOTA})
    changed = {name: stated.excluded[name] for name in client if name not in {"client_id", "registered_at"}}
    await session.execute(stated.on_conflict_do_update(index_elements=[Client.client_id], set_=changed))
