"""A running identity service, and quick ways to what its tests begin with."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import orjson
import uvicorn
from argon2 import PasswordHasher
from joserfc import jws
from sqlalchemy import update

import orgtree
from contracts.members import OrganisationEstablishedV1
from database import Database, KeyRing, new_id, utc_now
from identity.accounts.commands import add_account, prove_account
from identity.accounts.credentials import set_password
from identity.app import SERVICE
from identity.roles.commands import appoint
from identity.sessions.tables import TokenFamily
from identity.settings import Settings
from testkit.listening import listener

from .front_end import CALLBACK, PASSWORD, FrontEnd, Tokens, browser, tokens_of

SEALING_KEY = "1:" + base64.b64encode(b"a key ring of tests, 32 bytes ..").decode()
PHONE_KEY = "1:" + base64.b64encode(b"the key that members has as well").decode()
ADMINISTRATOR_PASSWORD = "first-password"
QUICK = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
"""What all tests hash passwords with, but for those that are about hashing."""
ENCODED = QUICK.hash(PASSWORD)


def ring() -> KeyRing:
    return KeyRing.parse(SEALING_KEY)


def phone_ring() -> KeyRing:
    """Give the key that members has as well."""
    return KeyRing.parse(PHONE_KEY)


def settings_for(url: str, port: int = 0, **changed: Any) -> Settings:
    address = f"http://127.0.0.1:{port}"
    values: dict[str, Any] = {
        "database_url": url,
        "nats_url": "nats://127.0.0.1:4222",
        "issuer": address,
        "jwks_url": f"{address}/oauth2/jwks",
        "sealing_key": SEALING_KEY,
        "phone_key": PHONE_KEY,
        "codes_per_address": 100_000,  # all tests come from one address
        "failures_per_address": 100_000,
    }
    return Settings(**{**values, **changed})


class Provider:
    """A running identity service, and quick ways to what its tests begin with."""

    def __init__(self, issuer: str, database: Database, url: str, transport: httpx.ASGITransport | None = None) -> None:
        self._transport = transport
        self.issuer = issuer
        self.database = database
        self.url = url
        self.http = browser(issuer, transport)
        self._opened: list[httpx.AsyncClient] = [self.http]

    def front_end(self, client_id: str = "command-line", redirect_uri: str = CALLBACK) -> FrontEnd:
        made = FrontEnd(self.issuer, client_id, redirect_uri, self._transport)
        self._opened.append(made.http)
        return made

    def web_front_end(self) -> FrontEnd:
        return self.front_end("docs", f"{self.issuer}/docs/oauth2-redirect.html")

    async def open_person(
        self, *roles: tuple[str, UUID], username: str | None = None, encoding: str = ENCODED, chosen: bool = True
    ) -> tuple[UUID, str]:
        """Open an account by the command itself and give its id and username; the password is `PASSWORD`.

        Its owner has `chosen` it, or was given it and is to choose another at the first sign-in.
        """
        person_id, now = new_id(), utc_now()
        name = username or f"person.{secrets.token_hex(4)}"
        async with self.database.transaction() as session:
            await add_account(
                session, account_id=person_id, username=name, password_encoding=encoding,
                organisation_id=orgtree.ROOT_ID, proven_at=now, new_id=new_id, now=now,
            )  # fmt: skip
            if chosen:
                await set_password(session, account_id=person_id, encoding=encoding, new_id=new_id, now=now)
            for role, organisation_id in roles:
                await appoint(
                    session, assignment_id=new_id(), person_id=person_id, role=role, organisation_id=organisation_id,
                    now=now,
                )  # fmt: skip
        return person_id, name

    async def prove(self, person_id: UUID) -> None:
        """Let a person have proven that the account is theirs which somebody opened for them."""
        async with self.database.transaction() as session:
            assert await prove_account(session, person_id, at=utc_now())

    async def establish(self, parent_id: UUID = orgtree.ROOT_ID) -> UUID:
        """Place a county, or a township below one, in identity's copy of the tree, as its event would."""
        organisation_id, level = new_id(), "county" if parent_id == orgtree.ROOT_ID else "township"
        event = OrganisationEstablishedV1(
            organisation_id=organisation_id, parent_id=parent_id, kind="committee", level=level, name="县委"
        )
        async with self.database.transaction() as session:
            await orgtree.place_organisations(session, [(event, 1)])
        return organisation_id

    async def signed_in(self, *roles: tuple[str, UUID]) -> tuple[UUID, Tokens]:
        """Sign somebody new in, who is in office by two factors."""
        person_id, tokens = await self.weakly_signed_in(*roles)
        return person_id, await self.with_second_factor(tokens) if roles else tokens

    async def weakly_signed_in(self, *roles: tuple[str, UUID]) -> tuple[UUID, Tokens]:
        """Sign somebody new in by their password alone."""
        person_id, username = await self.open_person(*roles)
        return person_id, await self.front_end().tokens(username)

    async def with_second_factor(self, tokens: Tokens) -> Tokens:
        """Give what the same sign-in would have given after a second factor."""
        payload = orjson.loads(jws.extract_compact(tokens.access.encode()).payload or b"")
        async with self.database.transaction() as session:
            family = TokenFamily.family_id == UUID(payload["sid"])
            await session.execute(update(TokenFamily).where(family).values(acr="2", amr=["pwd", "otp"]))
        return tokens_of(await self.front_end().refresh(tokens.refresh))

    async def close(self) -> None:
        for client in self._opened:
            await client.aclose()
        await self.database.close()


@asynccontextmanager
async def running(url: str, **settings: Any) -> AsyncIterator[Provider]:
    """Serve identity on a free port for the length of the block."""
    with listener() as listening:
        port = listening.getsockname()[1]
        application = SERVICE.application(settings_for(url, port, **settings))
        server = uvicorn.Server(uvicorn.Config(application, lifespan="on", log_config=None, access_log=False))
        serving = asyncio.create_task(server.serve([listening]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        database = Database(url, application_name="tests")
        # What tests ask goes to the application itself; what it asks of itself, and others of it, over the network.
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        provider = Provider(f"http://127.0.0.1:{port}", database, url, transport)
        try:
            yield provider
        finally:
            await provider.close()
            server.should_exit = True
            await serving
