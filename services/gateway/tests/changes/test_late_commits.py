"""What commits late is missed by nobody: neither by who polls nor by who listens, beside many who write at once."""

import asyncio
import random
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from database import Database, closing
from gateway.change_log import write
from gateway.changes import queries
from testkit.databases import TestDatabases
from testkit.tokens import TokenIssuer

from .serving import ME, PATIENCE_SECONDS, Served, Stream, changes, listening, log, logged, row, until_read

Headers = dict[str, str]
WRITERS, EACH = 50, 3
GUARD, WITHOUT = "pg_snapshot_xmin", "pg_snapshot_xmax"


def without_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as if all transactions that began before now were over."""
    for name in ("PAGE", "POLL", "STATE"):
        query = getattr(queries, name)
        assert GUARD in query
        monkeypatch.setattr(queries, name, query.replace(GUARD, WITHOUT))


async def read_late(database: Database, gateway: Served, me: Headers) -> list[int]:
    """Give what somebody reads who reads after 2 was written and before 1 commits, that was written earlier, and on."""
    begun = await changes(gateway, me)
    async with database.raw_transaction() as late:
        await write(late, "change", [row(1)])
        await logged(database, row(2))
        between = await changes(gateway, me, cursor=begun["cursor"])
    await until_read(database)
    after = await changes(gateway, me, cursor=between["cursor"])
    return [UUID(each["subject_id"]).int for each in (*between["changes"], *after["changes"])]


async def heard_late(database: Database, gateway: Served, me: Headers) -> list[int]:
    """Give what somebody hears, up to 3, who listens while 2 is written and 1 commits, that was written earlier."""
    heard: list[int] = []
    async with listening(gateway, me) as stream:
        async with database.raw_transaction() as late:
            await write(late, "change", [row(1)])
            await logged(database, row(2))
            await gateway.live._look()
        await log(database, row(3))
        while heard[-1:] != [3]:
            event = await stream.next(PATIENCE_SECONDS)
            assert event is not None
            heard.append(UUID(event.data["subject_id"]).int)
    return heard


async def test_what_commits_late_is_read(database: Database, gateway: Served, me: Headers) -> None:
    assert await read_late(database, gateway, me) == [1, 2]


async def test_what_commits_late_is_heard(database: Database, gateway: Served, me: Headers) -> None:
    assert await heard_late(database, gateway, me) == [1, 2, 3]


async def test_without_the_guard_what_commits_late_would_be_missed(
    database: Database, gateway: Served, me: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_guard(monkeypatch)
    assert await read_late(database, gateway, me) == [2]


async def test_without_the_guard_what_commits_late_would_not_be_heard(
    database: Database, gateway: Served, me: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_guard(monkeypatch)
    assert await heard_late(database, gateway, me) == [2, 3]


async def test_what_another_database_of_the_server_holds_back_comes_when_it_lets_go(
    databases: TestDatabases, database: Database, gateway: Served, me: Headers
) -> None:
    async with databases.database() as elsewhere, closing(asyncpg.connect(elsewhere)) as connection:
        async with connection.transaction():
            await connection.execute("select pg_current_xact_id()")
            await logged(database, row(1))
            held = await changes(gateway, me)
            assert held["changes"] == []
        await until_read(database)
        [told] = (await changes(gateway, me, cursor=held["cursor"]))["changes"]
        assert told["subject_id"] == str(UUID(int=1))


async def write_all(database_url: str) -> None:
    """Write as many at once as there are connections, some of whom commit long after others, until it can be read."""
    chosen = random.Random(17)  # noqa: S311
    database = Database(database_url, application_name="writers", pool_size=WRITERS)
    pauses = [[chosen.choice((0, 0, 0.02, 0.4)) for _ in range(EACH)] for _ in range(WRITERS)]

    async def work(writer: int) -> None:
        for number, pause in enumerate(pauses[writer]):
            async with database.raw_transaction() as connection:
                await write(connection, "change", [row(1 + writer * EACH + number)])
                await asyncio.sleep(pause)

    await asyncio.gather(*(work(writer) for writer in range(WRITERS)))
    await until_read(database)
    await database.close()


async def told_in(stream: Stream, gateway: Served, me: Headers) -> set[str]:
    """Give all that a stream tells, and the list to which it sends who is behind, until all is told."""
    told: set[str] = set()
    while len(told) < WRITERS * EACH:
        event = await stream.next(PATIENCE_SECONDS)
        assert event is not None
        if event.event == "change":
            told.add(event.data["subject_id"])
        else:
            answer: dict[str, Any] = {"more": True, "cursor": event.data["cursor"]}
            while answer["more"]:
                answer = await changes(gateway, me, cursor=answer["cursor"])
                told.update(each["subject_id"] for each in answer["changes"])
    return told


async def seen_beside_writers(database_url: str, gateway: Served, me: Headers, issuer: TokenIssuer) -> list[set[str]]:
    """Give what a poller, a listener, and some who come later with the cursor of the start saw of all."""
    cursor = (await changes(gateway, me))["cursor"]
    polled: set[str] = set()
    over = asyncio.Event()

    async def poll() -> None:
        at, last = cursor, False
        while not last:
            last = over.is_set()
            answer: dict[str, Any] = {"more": True}
            while answer["more"]:
                answer = await changes(gateway, me, cursor=at, limit=7)
                at = answer["cursor"]
                polled.update(each["subject_id"] for each in answer["changes"])
            await asyncio.sleep(0.02)

    async def come_later(seconds: float) -> set[str]:
        await asyncio.sleep(seconds)
        headers = issuer.headers(ME)
        async with listening(gateway, headers, after=cursor, joined=False) as stream:
            return await told_in(stream, gateway, headers)

    async with listening(gateway, me) as stream:
        polling = asyncio.create_task(poll())
        coming = asyncio.gather(*(come_later(0.13 * number) for number in range(1, 9)))
        await write_all(database_url)
        over.set()
        await polling
        return [polled, await told_in(stream, gateway, me), *await coming]


async def test_a_poller_and_a_listener_beside_fifty_writers_miss_nothing(
    database_url: str, gateway: Served, me: Headers, issuer: TokenIssuer
) -> None:
    everything = {str(UUID(int=1 + number)) for number in range(WRITERS * EACH)}
    assert await seen_beside_writers(database_url, gateway, me, issuer) == [everything] * 10
