"""One service alone put back to a copy while the others went on: the rest heals, and each lost command is named."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Literal

import asyncpg
import pytest
import pytest_asyncio

from messaging import connect, own_version
from testkit.tokens import TokenIssuer
from tests.faults import books
from tests.faults.broken import Breakage
from tests.faults.ledger import Client
from tests.faults.oracle import told, unlike
from tests.faults.stage import until
from tests.faults.town import Servers, Town, own_servers, started

# On one worker, for each has servers of its own.
pytestmark = pytest.mark.xdist_group("faults-restore")

FEW, MANY = 150, 1_500
How = Literal["in place", "into another cluster"]
AGAIN = "case.tell_again"
OTHER_CLUSTER = "update outbox_state set cluster = cluster + 1"


@pytest_asyncio.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Servers]:
    async with own_servers(tmp_path) as made:
        yield made


class Copies:
    """Copies of databases, as a backup has them, and putting them back: in the same cluster, whose ids go on."""

    def __init__(self, servers: Servers) -> None:
        self._url = servers.postgres.url()

    async def make(self, service: str) -> None:
        """Copy a service's database as it is; its connections are cut for it."""
        await self._do(service, f'create database copy_of_{service} with template {service} owner "{service}"')

    async def put_back(self, service: str) -> None:
        """Put the copy in the database's place."""
        await self._do(service, f"drop database {service} with (force)")
        await self._do(f"copy_of_{service}", f"alter database copy_of_{service} rename to {service}")

    async def _do(self, cut: str, statement: str) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            async with asyncio.timeout(30):
                while True:
                    gone = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1"
                    await connection.execute(gone, cut)
                    try:
                        await connection.execute(statement)
                    except asyncpg.ObjectInUseError:  # somebody was quick to come back
                        await asyncio.sleep(0.05)
                    else:
                        return
        finally:
            await connection.close()


async def put_back_under_load(
    servers: Servers,
    issuer: TokenIssuer,
    folder: Path,
    service: Literal["feedback", "gateway"],
    commands: int,
    *,
    how: How = "in place",
    broken: Breakage | None = None,
) -> tuple[list[str], Client]:
    """Work, copy, work, put back while work goes on; gives what differs once all is at rest, and the client."""
    chance = random.Random(commands)  # noqa: S311 - no secret
    town = Town(servers.addresses(), issuer, folder)
    breakages = [broken] if broken else []
    kinds = (("feedback", "api"), ("feedback", "worker"), ("gateway", "worker"))
    members = [town.process(name, kind, breakages=breakages) for name, kind in kinds]
    client, copies, nats = (
        Client([members[0].url], issuer),
        Copies(servers),
        await connect(town.addresses.nats, name="x"),
    )
    lost = Client([members[0].url], issuer)
    try:
        async with started(*members):
            await client.work(FEW, chance)
            assert await books.settled(client.ledger, town.addresses, nats) == []
            await copies.make(service)
            if how == "into another cluster":
                await _execute(town, f"copy_of_{service}", OTHER_CLUSTER)
            later = client if service == "gateway" else lost
            await later.work(commands, chance)
            await _until_published(town, later)
            async with asyncio.TaskGroup() as group:
                group.create_task(copies.put_back(service))
                group.create_task(client.work(FEW, chance))
            if service == "gateway":
                return await books.settled(client.ledger, town.addresses, nats), client
            return await _at_rest(lambda: _owner_differs(town, client, lost)), client
    finally:
        await client.close()
        await lost.close()
        await nats.close()


async def _execute(town: Town, database: str, statement: str) -> None:
    server, _, _ = town.addresses.feedback.rpartition("/")
    connection = await asyncpg.connect(f"{server}/{database}")
    await connection.execute(statement)
    await connection.close()


async def _until_published(town: Town, client: Client) -> None:
    async def published() -> bool:
        connection = await asyncpg.connect(town.addresses.gateway)
        known = await connection.fetchval("select count(*) from contribution")
        await connection.close()
        return int(known) >= len(client.ledger.cases)

    await until(published, seconds=120)


async def _at_rest(differs: Callable[[], Awaitable[list[str]]]) -> list[str]:
    found = ["not asked"]
    for _ in range(120):
        try:
            found = await differs()
        except (asyncpg.PostgresError, OSError) as error:
            found = [type(error).__name__]
        if not found:
            break
        await asyncio.sleep(0.5)
    return found


async def _owner_differs(town: Town, client: Client, lost: Client) -> list[str]:
    """Compare feedback with what it was told but for what was lost, the gateway with feedback, and the named losses."""
    found, _ = await books.of_feedback(client.ledger, town.addresses.feedback)
    feedback, gateway = await asyncpg.connect(town.addresses.feedback), await asyncpg.connect(town.addresses.gateway)
    try:
        cases = await feedback.fetch("select case_id, version, responsible_id, status from feedback_case")
        named = await feedback.fetch("select aggregate_id, aggregate_version, state from lost_event")
        open_now = await feedback.fetchval("select count(*) from outbox_recovery where ended_at is null")
        shown = await gateway.fetch("select aggregate_id, version from contribution where measures::text <> '{}'")
        items = await gateway.fetch("select kind, subject_id from home_item where open")
    finally:
        await feedback.close()
        await gateway.close()
    alive = {row["case_id"]: row["version"] for row in cases}
    again = [case.case_id for case in lost.ledger.cases.values() if case.status != "confirmed"]
    return [
        *(one for one in found if "versions with a gap" not in one and "and never accepted" not in one),
        *unlike("cases shown", alive.items(), [(row[0], own_version(row[1])) for row in shown]),
        *told("items of cases that there are not", {row[1] for row in items if row[0] != AGAIN} - alive.keys()),
        *unlike("words to say again", again, [row[1] for row in items if row[0] == AGAIN]),
        *unlike("named losses", lost.ledger.steps(), [(row[0], row[1]) for row in named]),
        *told("losses not settled", [row[0] for row in named if row[2] == "found"]),
        *told("recoveries open", range(open_now)),
        *told("totals unlike a recount", await books.recount(town.addresses.gateway)),
    ]


async def test_a_gateway_put_back_comes_to_what_it_was(servers: Servers, issuer: TokenIssuer, tmp_path: Path) -> None:
    found, client = await put_back_under_load(servers, issuer, tmp_path, "gateway", FEW)
    assert found == []
    assert client.ledger.count == 3 * FEW


@pytest.mark.parametrize("how", ["in place", "into another cluster"])
async def test_feedback_put_back_names_each_loss_and_the_others_follow(
    servers: Servers, issuer: TokenIssuer, tmp_path: Path, how: How
) -> None:
    found, _ = await put_back_under_load(servers, issuer, tmp_path, "feedback", FEW, how=how)
    assert found == []


@pytest.mark.fault
@pytest.mark.parametrize("how", ["in place", "into another cluster"])
@pytest.mark.parametrize("service", ["feedback", "gateway"])
async def test_a_service_put_back_by_a_thousand_commands_heals_and_its_losses_are_named(
    servers: Servers, issuer: TokenIssuer, tmp_path: Path, service: Literal["feedback", "gateway"], how: How
) -> None:
    found, _ = await put_back_under_load(servers, issuer, tmp_path, service, MANY, how=how)
    assert found == []
