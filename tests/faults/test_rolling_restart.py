"""A rolling restart of every process under load: nothing lost, nothing twice, nobody turned away (fault 9)."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from database import new_id
from messaging import connect
from tests.faults import books, broken
from tests.faults.broken import Breakage
from tests.faults.ledger import Accepted, Client
from tests.faults.stage import until
from tests.faults.town import Member, Town, started
from tests.faults.tree import BRANCHES

pytestmark = pytest.mark.fault

HEARD_SECONDS = 0.5  # after which a process has heard the signal; a slow one makes the test easier, never wrong


@asynccontextmanager
async def locked(url: str, case_id: UUID) -> AsyncIterator[asyncpg.Connection]:
    """Hold a case's row, so that a command on it is under way as long as the block lasts."""
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute("select from feedback_case where case_id = $1 for update", case_id)
        yield connection
    await connection.close()


async def restart(town: Town, client: Client, api: Member) -> int:
    """Take an API out of what clients choose from, end it while it carries out a command, and start it again.

    Gives its exit status.
    """
    slow = Client([api.url], town.issuer, client.ledger)
    case = Accepted(new_id(), new_id(), BRANCHES[0])
    await slow.see_through(case, 1)
    client.apis.remove(api.url)
    async with locked(town.addresses.feedback, case.case_id) as connection:
        answering = asyncio.create_task(slow.see_through(case, 2))

        async def is_alone_and_under_way() -> bool:
            waits = await connection.fetchval(
                "select exists (select from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid)))"
            )
            return bool(waits) and client.in_flight[api.url] == 0

        await until(is_alone_and_under_way)
        slow.apis = list(client.apis)  # should the answer be lost, it is asked for elsewhere
        stopping = asyncio.create_task(api.stop(timeout_seconds=40))
        await asyncio.sleep(HEARD_SECONDS)
    status = await stopping
    await answering
    await slow.close()
    await api.start()
    client.apis.append(api.url)
    return status


async def stay_busy(client: Client, done: asyncio.Event) -> None:
    """Send commands without a pause until it is enough."""
    chance = random.Random(9)  # noqa: S311 - no secret
    while not done.is_set():
        await client.work(100, chance)


async def roll(town: Town, *breakages: Breakage, workers: int) -> tuple[Client, list[int], list[str]]:
    """Restart two APIs and so many of each worker, one after the other.

    Gives the client, the exit statuses, and what differs then.
    """
    apis = [town.process("feedback", "api", breakages=breakages) for _ in range(2)]
    others = [town.process(service, "worker") for service in ("feedback", "gateway") for _ in range(workers)]
    client = Client([api.url for api in apis], town.issuer)
    nats = await connect(town.addresses.nats, name="oracle")
    done = asyncio.Event()
    async with started(*apis, *others):
        busy = asyncio.create_task(stay_busy(client, done))
        statuses = [await restart(town, client, api) for api in apis]
        for worker in others:
            statuses.append(await worker.stop(timeout_seconds=40))
            await worker.start()
        done.set()
        await busy
        found = await books.settled(client.ledger, town.addresses, nats)
    await client.close()
    await nats.close()
    return client, statuses, found


async def test_a_rolling_restart_under_load_loses_nothing_and_turns_nobody_away(town: Town) -> None:
    client, statuses, found = await roll(town, workers=2)
    assert found == []
    assert statuses == [0] * 6
    assert client.ledger.sent_again == {}


async def test_an_api_that_ends_without_finishing_its_requests_loses_answers(town: Town) -> None:
    client, _, found = await roll(town, broken.api_ends_at_once, workers=1)
    assert found == []  # keys make up for it: this is what a client that does not send again would have lost
    assert any(why.startswith("answer lost") for why in client.ledger.sent_again)
