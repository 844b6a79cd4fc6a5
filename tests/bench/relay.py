"""[relay] Outbox rows published a second, cursor saved, beside bare atomic batches of the same payload."""

import asyncio
from uuid import uuid4

import asyncpg

from contracts import members
from database import Database, new_id
from messaging import NatsConnection, Publication, append, publishing, streams
from messaging.publishing import Message
from messaging.relay import Relay
from tests.bench.results import Result
from tests.bench.stage import Stage, median_pair, rate

ROWS = 20_000
ROUNDS = 5


async def measure(stage: Stage) -> list[Result]:
    """Fill the outbox, then ship it and its like in turn."""
    url = await stage.migrated("members")
    async with stage.database(url) as database, stage.connected() as nats:
        await streams.declare_stream(nats, "members")
        return [await _relay(stage, database, nats)]


async def _relay(stage: Stage, database: Database, nats: NatsConnection) -> Result:
    rows = stage.of(ROWS)

    async def ceiling() -> float:
        messages = [Message(str(uuid4()), row["subject"], None, row["payload"]) for row in await _rows(database, rows)]

        async def publish() -> None:
            for start in range(0, len(messages), publishing.MAX_BATCH):
                await publishing.publish_batch(nats, messages[start : start + publishing.MAX_BATCH])

        return await rate(len(messages), publish)

    async def relayed() -> float:
        await fill(database, rows)
        relay = Relay("members", database, nats)
        stop = asyncio.Event()
        task = asyncio.create_task(relay.run(stop))
        speed = await rate(rows, lambda: published(database))
        stop.set()
        await task
        return speed

    await fill(database, rows)
    await relayed()
    value, most = await median_pair(stage.of(ROUNDS), relayed, ceiling)
    size = len((await _rows(database, 1))[0]["payload"])
    return Result("relay", value, "rows/s", most, 0.7, note=f"atomic batches of 1,000, {size} B each, synced always")


async def fill(database: Database, count: int) -> None:
    """Append `count` events to the outbox, 1,000 in a transaction."""
    for start in range(0, count, 1000):
        async with database.transaction() as session:
            await append(session, [Publication(an_event(), 1) for _ in range(min(1000, count - start))])


def an_event() -> members.OrganisationEstablishedV1:
    """Make an event of ordinary size."""
    return members.OrganisationEstablishedV1(
        organisation_id=new_id(),
        parent_id=new_id(),
        kind="branch",
        level="branch",
        name="中共某某镇某某村支部委员会",
        division_code="520123100201",
    )


async def published(database: Database) -> None:
    """Return when the cursor is at the end of the outbox."""
    connection = await database.connect()
    last = await connection.fetchval("select max(id) from outbox")
    while await connection.fetchval("select coalesce(max(id), 0) from outbox_cursor") < last:
        await asyncio.sleep(0.01)
    await connection.close()


async def _rows(database: Database, count: int) -> list[asyncpg.Record]:
    connection = await database.connect()
    rows: list[asyncpg.Record] = await connection.fetch("select subject, payload from outbox limit $1", count)
    await connection.close()
    return rows
