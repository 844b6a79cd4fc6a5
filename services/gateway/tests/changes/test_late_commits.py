"""What commits late is missed by nobody: neither by who polls nor by who listens, beside many who write at once."""

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest

from database import Database
from gateway.change_log import write
from gateway.changes import queries
from testkit.tokens import TokenIssuer

from .serving import ME, Served, Stream, changes, listening, log, row

WRITERS, EACH = 50, 3
GUARD, WITHOUT = "pg_snapshot_xmin", "pg_snapshot_xmax"


def without_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as if all transactions that began before now were over."""
    for name in ("PAGE", "POLL", "STATE"):
        query = getattr(queries, name)
        assert GUARD in query
        monkeypatch.setattr(queries, name, query.replace(GUARD, WITHOUT))


async def written_late(database: Database, gateway: Served, me: dict[str, str]) -> list[str]:
    """Have one thing commit after another that was written later, and give what somebody reads who reads between."""
    begun = await changes(gateway, me)
    async with database.raw_transaction() as late:
        await write(late, "change", [row(1)])
        await log(database, row(2))
        between = await changes(gateway, me, cursor=begun["cursor"])
    after = await changes(gateway, me, cursor=between["cursor"])
    return [each["subject_id"] for each in (*between["changes"], *after["changes"])]


async def test_what_commits_late_is_read(database: Database, gateway: Served, me: dict[str, str]) -> None:
    assert sorted(await written_late(database, gateway, me)) == [str(UUID(int=1)), str(UUID(int=2))]


async def test_without_the_guard_it_would_be_missed(
    database: Database, gateway: Served, me: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_guard(monkeypatch)
    assert await written_late(database, gateway, me) == [str(UUID(int=2))]


async def write_all(database_url: str) -> None:
    """Write as many at once as there are connections, some of whom commit long after others."""
    chosen = random.Random(17)  # noqa: S311
    database = Database(database_url, application_name="writers", pool_size=WRITERS)
    pauses = [[chosen.choice((0, 0, 0.02, 0.4)) for _ in range(EACH)] for _ in range(WRITERS)]

    async def work(writer: int) -> None:
        for number, pause in enumerate(pauses[writer]):
            async with database.raw_transaction() as connection:
                await write(connection, "change", [row(1 + writer * EACH + number)])
                await asyncio.sleep(pause)

    await asyncio.gather(*(work(writer) for writer in range(WRITERS)))
    await database.close()


async def told_in(stream: Stream, gateway: Served, me: dict[str, str]) -> set[str]:
    """Give all that a stream tells, and the list to which it sends who is behind, until it is silent or all is told."""
    told: set[str] = set()
    while len(told) < WRITERS * EACH:
        try:
            event = await stream.next(2)
        except TimeoutError:
            break
        assert event is not None
        if event.event == "change":
            told.add(event.data["subject_id"])
        else:
            answer: dict[str, Any] = {"more": True, "cursor": event.data["cursor"]}
            while answer["more"]:
                answer = await changes(gateway, me, cursor=answer["cursor"])
                told.update(each["subject_id"] for each in answer["changes"])
    return told


async def seen_beside_writers(
    database_url: str, gateway: Served, me: dict[str, str], issuer: TokenIssuer
) -> list[set[str]]:
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
    database_url: str, gateway: Served, me: dict[str, str], issuer: TokenIssuer
) -> None:
    everything = {str(UUID(int=1 + number)) for number in range(WRITERS * EACH)}
    assert await seen_beside_writers(database_url, gateway, me, issuer) == [everything] * 10


async def test_without_the_guard_something_is_missed(
    database_url: str, gateway: Served, me: dict[str, str], issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_guard(monkeypatch)
    assert min(map(len, await seen_beside_writers(database_url, gateway, me, issuer))) < WRITERS * EACH
