"""The first start: what it makes, that it makes it once, and what settings it refuses."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import Database, SealBroken, migrations, new_id, utc_now
from identity.accounts.tables import Account, Credential, Identifier
from identity.assistance.exchange import GRANT_TYPE as TOKEN_EXCHANGE
from identity.clients.rules import TERMINAL, require_usable
from identity.clients.tables import Client
from identity.credentials.passwords import Passwords
from identity.credentials.rules import PasswordUnusable
from identity.first_start import built_in_clients, prepare
from identity.roles.administrators import USERNAMES
from identity.roles.definitions import define_roles, roles_to_define
from identity.roles.tables import RoleAssignment, RoleDefinition
from identity.signing.keys import SigningKeys
from identity.signing.tables import SigningKey
from testkit.databases import Template, TestDatabases

from .conftest import MIGRATIONS
from .front_end import PASSWORD
from .provider import ADMINISTRATOR_PASSWORD, ring, running, settings_for

Fresh = Callable[[Template | None], Awaitable[str]]


async def start(
    database: Database, *, password: str | None = ADMINISTRATOR_PASSWORD, issuer: str = "https://a"
) -> None:
    passwords = Passwords(threads=1)
    try:
        now = utc_now()
        await prepare(database, passwords, SigningKeys(ring()), issuer=issuer, bootstrap_password=password, now=now)
    finally:
        passwords.close()


async def empty(databases: TestDatabases, fresh_database: Fresh) -> Database:
    async def migrate(url: str) -> None:
        await migrations.upgrade(url, MIGRATIONS)

    url = await fresh_database(await databases.template("identity", migrate, sources=[MIGRATIONS, Path(__file__)]))
    return Database(url, application_name="tests")


async def counts(session: AsyncSession) -> list[int | None]:
    tables = (Account, RoleAssignment, RoleDefinition, Client, SigningKey)
    counted = [await session.scalar(select(func.count()).select_from(table)) for table in tables]
    return [*counted, await session.scalar(text("select count(*) from outbox"))]


async def test_the_first_start_makes_everything_once_however_many_processes_start(
    databases: TestDatabases, fresh_database: Fresh
) -> None:
    database = await empty(databases, fresh_database)
    await asyncio.gather(*(start(database) for _ in range(3)))
    await start(database, password="another password")
    async with database.read() as session:
        assert (await counts(session))[:4] == [3, 3, len(roles_to_define()), 4]
        granted = (await session.scalars(select(RoleAssignment))).all()
        assert {each.role for each in granted} == USERNAMES.keys()
        assert {(each.organisation_id, each.granted_by, each.status) for each in granted} == {
            (orgtree.ROOT_ID, None, "granted")
        }
    await database.close()


def test_the_built_in_clients_are_what_clients_of_their_types_may_be() -> None:
    clients = {str(each["client_id"]): each for each in built_in_clients("https://village.example.org")}
    assert clients.keys() == {"portal", "kiosk", "docs", "command-line"}
    for client in clients.values():
        asked: dict[str, Any] = {name: client[name] for name in signature(require_usable).parameters if name in client}
        asked["grant_types"] = set(asked["grant_types"]) - {TOKEN_EXCHANGE}  # for our own alone
        require_usable(**asked, token_endpoint_auth_method="none", jwks=None)
    assert clients["kiosk"]["application_type"] == TERMINAL


async def test_a_start_tells_anew_of_clients_of_which_an_earlier_release_told_less_and_once(
    databases: TestDatabases, fresh_database: Fresh
) -> None:
    database = await empty(databases, fresh_database)
    read = "convert_from(payload, 'UTF8')::jsonb -> 'data' -> 'origins'"
    told = text(f"select {read} from outbox where type like '%quota_set.v1' order by epoch, id")  # noqa: S608 - ours
    await start(database)
    async with database.transaction() as session:
        first = (await session.scalars(told)).all()
        await session.execute(update(Client).values(told_in=0).where(Client.client_id == "docs"))
    await start(database)
    await start(database)
    async with database.read() as session:
        assert (await session.scalars(told)).all() == [*first, ["https://a"]]
    await database.close()


async def test_the_administrator_signs_in_and_opens_accounts(databases: Any, database_template: Template) -> None:
    async with databases.database(database_template) as url, running(url) as provider:
        signed_in = await provider.front_end().first_tokens("administrator", ADMINISTRATOR_PASSWORD)
        tokens = await provider.with_second_factor(signed_in)
        body = {"organisation_id": str(orgtree.ROOT_ID), "username": "registrar.demo", "password": PASSWORD}
        opened = await provider.http.post("/v1/accounts", json=body, headers=tokens.headers)
        assert opened.status_code == 201


async def test_a_first_password_that_no_administrator_came_with_in_time_is_renewed_by_a_start_and_no_other(
    databases: TestDatabases, fresh_database: Fresh
) -> None:
    database = await empty(databases, fresh_database)
    await start(database)
    late = update(Credential).values(first_until=utc_now() - timedelta(seconds=1))
    chosen = select(Identifier.account_id).where(Identifier.plain == "security")
    async with database.transaction() as session:
        await session.execute(late)
        await session.execute(late.values(first_until=None).where(Credential.account_id.in_(chosen)))
        before = await secrets_of(session)
    await start(database, password=None)
    async with database.read() as session:
        assert await secrets_of(session) == before
    await start(database)
    async with database.read() as session:
        after = await secrets_of(session)
        assert {name for name in after if after[name] != before[name]} == {"administrator", "auditor"}
        running_out = Credential.first_until <= utc_now()
        assert await session.scalar(select(Credential.account_id).where(running_out)) is None
    await start(database, password="yet another password")
    async with database.read() as session:
        assert await secrets_of(session) == after
    await database.close()


async def secrets_of(session: AsyncSession) -> dict[str, str]:
    held = select(Identifier.plain, Credential.secret).join(Credential, Credential.account_id == Identifier.account_id)
    return {str(name): secret for name, secret in (await session.execute(held))}


async def test_without_a_bootstrap_password_there_is_no_administrator_until_there_is_one(
    databases: TestDatabases, fresh_database: Fresh
) -> None:
    database = await empty(databases, fresh_database)
    await start(database, password=None)
    async with database.read() as session:
        assert (await counts(session))[:2] == [0, 0]
    for unusable in ("administrator", "security"):
        with pytest.raises(PasswordUnusable):
            await start(database, password=unusable)
    await start(database)
    async with database.read() as session:
        assert (await counts(session))[:2] == [3, 3]
    await database.close()


async def test_a_changed_role_is_told_again_with_the_next_version(
    databases: TestDatabases, fresh_database: Fresh
) -> None:
    database = await empty(databases, fresh_database)
    await start(database)
    changed = roles_to_define()
    changed["officer"] = changed["officer"].model_copy(update={"permissions": ["members.file.read"]})
    for expected in (["officer"], []):
        async with database.transaction() as session:
            assert await define_roles(session, changed, new_id=new_id, now=utc_now()) == expected
    async with database.read() as session:
        versions = "select aggregate_version from outbox where type like '%role.defined%' and aggregate_id = :id"
        row = (await session.scalars(select(RoleDefinition).where(RoleDefinition.role == "officer"))).one()
        told = (await session.scalars(text(versions + " order by id"), {"id": row.role_id})).all()
        assert (row.version, row.permissions, told) == (2, ["members.file.read"], [1, 2])
        recorded = "select count(*) from audit.entry where action = 'identity.role.defined' and purpose = 'officer'"
        assert await session.scalar(text(recorded)) == 2
    await database.close()


async def test_the_built_in_clients_follow_the_public_address(databases: TestDatabases, fresh_database: Fresh) -> None:
    database = await empty(databases, fresh_database)
    await start(database, issuer="https://old.example")
    async with database.transaction() as session:
        await session.execute(update(Client).values(status="suspended"))
    await start(database, issuer="https://new.example")
    async with database.read() as session:
        docs = await session.get_one(Client, "docs")
        assert docs.redirect_uris == ["https://new.example/docs/oauth2-redirect.html"]
        assert docs.status == "suspended"  # what an operator decided stays
    await database.close()


async def test_a_signing_key_opens_only_in_its_own_row_and_under_its_own_ring(
    databases: TestDatabases, fresh_database: Fresh
) -> None:
    database = await empty(databases, fresh_database)
    await start(database)
    async with database.transaction() as session:
        second = await SigningKeys(ring()).create(session, state="next", now=utc_now())
        active = await SigningKeys(ring()).signer(session)
        assert active.kid != second
        other_row = select(SigningKey.sealed_private).where(SigningKey.kid == second).scalar_subquery()
        first = SigningKey.kid == active.kid
        await session.execute(update(SigningKey).where(first).values(sealed_private=other_row))
        with pytest.raises(SealBroken):
            await SigningKeys(ring()).signer(session)
    await database.close()


@pytest.mark.parametrize(
    ("changed", "valid"),
    [
        ({}, True),
        ({"issuer": "https://village.example/"}, True),
        ({"issuer": "http://localhost:8080"}, True),
        ({"issuer": "http://village.example"}, False),
        ({"sealing_key": "1:short"}, False),
        ({"sealing_key": ""}, False),
        ({"bootstrap_password": "short"}, False),
        ({"password_memory": 12}, True),
        ({"password_memory": 11}, False),
    ],
)
def test_settings_that_would_be_unsafe_are_refused(changed: dict[str, Any], valid: bool) -> None:
    if valid:
        settings_for("postgresql://identity@127.0.0.1/identity", 8080, **changed)
        return
    with pytest.raises(ValidationError) as refused:
        settings_for("postgresql://identity@127.0.0.1/identity", 8080, **changed)
    assert "1:short" not in str(refused.value)
