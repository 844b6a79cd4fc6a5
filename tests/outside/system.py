"""Identity behind the gateway, as processes of their own on loopback, with clients and people to begin with."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher

import orgtree
from database import Database, KeyRing, new_id, utc_now
from identity.accounts.commands import add_account
from identity.accounts.credentials import set_password
from identity.accounts.phones import put_on_file
from identity.clients.tables import Client
from identity.roles.commands import appoint
from identity.secrets import hash_of
from standalone import processes
from testkit.databases import Template, TestDatabases
from testkit.limits import OUT_OF_REACH
from testkit.service_process import ServiceProcess

SERVICES = Path(__file__).parents[2] / "services"
START_SECONDS = 120
PASSWORD = "correct horse battery"
_QUICK = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)


@dataclass(frozen=True)
class OutsideSystem:
    """A running identity: `url` is the gateway's, which is the issuer; `database` is identity's."""

    url: str
    database: Database
    ring: KeyRing

    async def open_person(self, *, phone: str | None = None, chosen: bool = True) -> tuple[UUID, str]:
        """Open an account, with a phone (`+86…`) if one is given; give id and username.

        Its password is `PASSWORD`, which its owner has `chosen`, or was given and is to replace at the first sign-in.
        """
        person_id, name, encoding, now = new_id(), f"person.{secrets.token_hex(4)}", _QUICK.hash(PASSWORD), utc_now()
        async with self.database.transaction() as session:
            await add_account(
                session, account_id=person_id, username=name, password_encoding=encoding,
                organisation_id=orgtree.ROOT_ID, proven_at=now, new_id=new_id, now=now,
            )  # fmt: skip
            if chosen:
                await set_password(session, account_id=person_id, encoding=encoding, new_id=new_id, now=now)
        if phone is not None:
            await self.put_phone(person_id, phone)
        return person_id, name

    async def put_phone(self, person_id: UUID, phone: str) -> None:
        """Put a phone (`+86…`) on a person's file."""
        async with self.database.transaction() as session:
            await put_on_file(session, self.ring, account_id=person_id, phone=phone, new_id=new_id, now=utc_now())

    async def grant(self, person_id: UUID, role: str) -> None:
        """Give a person a role on the whole province."""
        async with self.database.transaction() as session:
            await appoint(
                session, assignment_id=new_id(), person_id=person_id, role=role, organisation_id=orgtree.ROOT_ID,
                now=utc_now(),
            )  # fmt: skip

    async def register(self, client_id: str, *, secret: str | None = None, **terms: Any) -> str:
        """Register a client as a reviewed registration would."""
        values: dict[str, Any] = {
            "client_id": client_id,
            "principal_id": new_id(),
            "name_zh": "外部应用",
            "name_en": "Somebody’s app",
            "application_type": "web",
            "redirect_uris": [],
            "scopes": ["openid", "profile"],
            "requests_per_minute": 60_000,
            "registered_at": utc_now(),
            "secret_hash": hash_of(secret) if secret else None,
            **terms,
        }
        async with self.database.transaction() as session:
            session.add(Client(**values))
        return client_id


@asynccontextmanager
async def running_system(
    databases: TestDatabases,
    template_of: Callable[[str], Awaitable[Template]],
    nats_url: str,
    folder: Path,
    *,
    host: str = "127.0.0.1",
    told: Mapping[str, str] | None = None,
) -> AsyncIterator[OutsideSystem]:
    """Start identity and the gateway on databases of their own; stop them after the block.

    `host` is loopback's name in the public address, `told` are settings.
    """
    sealing_key = KeyRing.generate()
    identity, door, operations = (processes.free_port() for _ in range(3))
    url = f"http://{host}:{door}"
    variables = {
        "XIANGQIAO_NATS_URL": nats_url,
        "XIANGQIAO_ISSUER": url,
        "XIANGQIAO_JWKS_URL": f"http://127.0.0.1:{identity}/oauth2/jwks",
        "XIANGQIAO_SEALING_KEY": sealing_key,
        "XIANGQIAO_PHONE_KEY": sealing_key,
        "XIANGQIAO_OPERATIONS_PORT": str(operations),
        "XIANGQIAO_LOG_LEVEL": "info",
        **OUT_OF_REACH,
        **{f"XIANGQIAO_UPSTREAM_{name.name.upper()}": "http://127.0.0.1:9" for name in SERVICES.iterdir()},
        "XIANGQIAO_UPSTREAM_IDENTITY": f"http://127.0.0.1:{identity}",
        **{f"XIANGQIAO_{name.upper()}": value for name, value in (told or {}).items()},
    }
    async with (
        databases.database(await template_of("identity")) as identity_url,
        databases.database(await template_of("gateway")) as gateway_url,
    ):
        provider = ServiceProcess(
            [sys.executable, "-P", "-m", "identity", "all"],
            log=folder / "identity.log",
            environment={
                **variables,
                "XIANGQIAO_DATABASE_URL": identity_url,
                "XIANGQIAO_PORT": str(identity),
                "XIANGQIAO_OPERATIONS_PORT": "",
            },
            ready_url=f"http://127.0.0.1:{identity}/health/ready",
        )
        gateway = ServiceProcess(
            [sys.executable, "-P", "-m", "gateway", "api"],
            log=folder / "gateway.log",
            environment={**variables, "XIANGQIAO_DATABASE_URL": gateway_url, "XIANGQIAO_PORT": str(door)},
            ready_url=f"http://127.0.0.1:{operations}/health/ready",
        )
        database = Database(identity_url, application_name="outside")
        try:
            async with _started(provider, gateway):
                yield OutsideSystem(url, database, KeyRing.parse(sealing_key))
        finally:
            await database.close()


@asynccontextmanager
async def _started(*members: ServiceProcess) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for member in members:
            stack.push_async_callback(member.stop)
        async with asyncio.TaskGroup() as group:
            for member in members:
                group.create_task(member.start(timeout_seconds=START_SECONDS))
        yield
