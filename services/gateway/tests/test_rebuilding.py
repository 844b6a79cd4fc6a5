"""A read model that was dropped and rebuilt from the events equals the live one."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

import messaging
import orgtree
import privacy
from background import leadership
from contracts import Event, members
from contracts.identity import PersonErasedV1, RoleDefinedV1
from database import Database, new_id, raw
from gateway.contributions.event_handlers import FACTS
from gateway.rebuilding import READ_MODELS, mend_rollups, rebuild, rebuild_home, rebuild_overview
from gateway.settings import Settings
from gateway.worker import CONSUMERS, OWN_DATA
from messaging import NatsConnection, Publication, Worker, shadow, streams
from privacy import Asked, compose_all
from testkit.databases import Template
from testkit.delivery import tell
from testkit.workers import working
from webapi import CannotStart

from .events import composed, established
from .home.test_home import MEMBER, activity, case, course, study

BRANCHES = [UUID(int=0x100 + number) for number in range(40)]
COUNTY, BRANCH = UUID(int=11), UUID(int=12)
MakeDatabase = Callable[[Template | None], Awaitable[str]]


def history() -> list[tuple[Event, int]]:
    """Everything that happened in a small county, a move and later states included."""
    tree = [(established(COUNTY, orgtree.ROOT_ID, "county"), 1), (established(BRANCH, COUNTY, "branch"), 1)]
    below = [(established(branch, COUNTY, "branch"), 1) for branch in BRANCHES]
    moved = members.OrganisationMovedV1(**established(BRANCHES[0], BRANCH, "branch").model_dump())
    compositions = [(composed(branch, under_35=9, over=number), 1) for number, branch in enumerate(BRANCHES)]
    compositions += [(composed(branch, under_35=5, over=number), 2) for number, branch in enumerate(BRANCHES[:20])]
    people = [(members.MemberAffiliatedV1(person_id=new_id(), organisation_id=branch), 1) for branch in BRANCHES]
    others = [(activity(), 1), (course(), 1), (study(completed=False), 1), (study(completed=True, understood=False), 2)]
    cases = [(case("open"), 1), (case("answered"), 2), (case("confirmed"), 3)]
    role = RoleDefinedV1(role_id=new_id(), role="officer", permissions=("gateway.overview.read",))
    return [(role, 1), *tree, *below, *compositions, (moved, 2), *people, *others, *cases]


async def contents(database: Database, tables: Sequence[str]) -> dict[str, list[Any]]:
    """Give the rows of each table, without their places in a log, which are those of the transactions that wrote."""
    async with database.read() as session:
        connection = await raw(session)
        found = {table: await connection.fetch(f"select * from {table} as t order by t") for table in tables}  # noqa: S608
    return {
        table: [tuple(value for name, value in row.items() if name not in {"txid", "id"}) for row in rows]
        for table, rows in found.items()
    }


@asynccontextmanager
async def caught_up(
    database: Database, nats: NatsConnection, fresh_database: MakeDatabase, template: Template
) -> AsyncIterator[None]:
    """Let every service publish its part of the history and the gateway take it in; its worker goes on."""
    events = history()
    publishers = sorted({event.publisher() for event, _ in events})
    async with AsyncExitStack() as stack:
        workers = []
        for service in publishers:
            own = Database(await fresh_database(template), application_name=service)
            stack.push_async_callback(own.close)
            async with own.transaction() as session:
                await messaging.append(session, [Publication(*one) for one in events if one[0].publisher() == service])
            workers.append(Worker(service, own, nats))
        async with working(Worker("gateway", database, nats, CONSUMERS), *workers):
            async with asyncio.timeout(60):
                while await _received(database) < _deliveries(events):
                    await asyncio.sleep(0.05)
            await orgtree.fold(database)
            yield


def _deliveries(events: Sequence[tuple[Event, int]]) -> int:
    return sum(type(event) in consumer.handlers for event, _ in events for consumer in CONSUMERS)


async def _received(database: Database) -> int:
    async with database.read() as session:
        count: int = await (await raw(session)).fetchval("select count(*) from inbox")
    return count


def settings(database: Database, nats_url: str) -> Settings:
    nowhere = "http://127.0.0.1:1"
    upstreams = {f"upstream_{name}": nowhere for name in ("identity", "members", "activities", "learning", "feedback")}
    told = {"database_url": database.dsn, "nats_url": nats_url, "issuer": nowhere, "jwks_url": nowhere}
    return Settings.model_validate({**told, **upstreams, "operations_port": 0})


@pytest.mark.parametrize("name", READ_MODELS)
async def test_a_rebuilt_read_model_equals_the_live_one(
    name: str,
    database: Database,
    nats_url: str,
    fresh_database: MakeDatabase,
    database_template: Template,
) -> None:
    tables = [table for table in READ_MODELS[name].tables if table != "rollup_delta"]
    nats = await messaging.connect(nats_url, name="gateway")
    async with caught_up(database, nats, fresh_database, database_template):
        before = await contents(database, tables)
        assert any(before.values())
        report = await rebuild(database, nats, name)
        assert [table.table for table in report.tables if not table.equal] == []
        assert await contents(database, tables) == before

        async with database.transaction() as session:
            await (await raw(session)).execute(f"truncate {', '.join(READ_MODELS[name].tables)}")
        await rebuild(database, nats, name)
        assert await contents(database, tables) == before
    await nats.close()


async def test_who_is_erased_while_home_is_rebuilt_does_not_come_back_with_it(
    database: Database,
    nats_url: str,
    fresh_database: MakeDatabase,
    database_template: Template,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compare = shadow.compare

    async def compare_after_an_erasure(*arguments: Any) -> Any:
        await tell(database, privacy.handlers(OWN_DATA), PersonErasedV1(person_id=MEMBER))
        return await compare(*arguments)

    nats = await messaging.connect(nats_url, name="gateway")
    async with caught_up(database, nats, fresh_database, database_template):
        before = await contents(database, READ_MODELS["home"].tables)
        async with database.read() as session:
            assert any((await compose_all(OWN_DATA, Asked(session, MEMBER))).values())
        monkeypatch.setattr(shadow, "compare", compare_after_an_erasure)
        report = await rebuild(database, nats, "home")
        assert report.switched
        async with database.read() as session:
            assert not any((await compose_all(OWN_DATA, Asked(session, MEMBER))).values())
        after = await contents(database, READ_MODELS["home"].tables)
        assert after["home_item"] == [row for row in before["home_item"] if row[2] != f"person:{MEMBER}"]
        assert after["home_item"]
    await nats.close()


async def test_mending_sets_the_figures_right_by_what_each_aggregate_contributes(
    database: Database, nats_url: str, fresh_database: MakeDatabase, database_template: Template
) -> None:
    kept = ("rollup", "rollup_own")
    nats = await messaging.connect(nats_url, name="gateway")
    async with caught_up(database, nats, fresh_database, database_template):
        before = await contents(database, kept)
    await nats.close()
    assert all(before.values())
    async with database.transaction() as session:
        connection = await raw(session)
        await connection.execute("update rollup set value = value + 1 where organisation_id = $1", COUNTY)
        await connection.execute("delete from rollup_own where organisation_id = $1", BRANCHES[3])
    said = await mend_rollups(settings(database, nats_url), database)
    assert await contents(database, kept) == before
    assert said.endswith(" totals set right")
    assert not said.startswith("0 own values and 0 ")
    async with database.transaction() as session:
        assert await orgtree.mend_by_facts(session, FACTS) == (0, 0)


async def test_a_rebuild_without_the_broker_is_one_line_that_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.connection.FIRST_ATTEMPT_SECONDS", 0.2)
    with pytest.raises(CannotStart, match="NATS is not connected; start it"):
        await rebuild_home(settings(database, "nats://127.0.0.1:1"), database)


async def test_a_second_rebuild_is_refused_in_one_line(database: Database, nats_url: str) -> None:
    first = await leadership.open_session(database)
    assert await leadership.try_lock(first, "rebuild")
    with pytest.raises(CannotStart, match="another rebuild is under way; wait"):
        await rebuild_overview(settings(database, nats_url), database)
    await first.close()


async def test_a_stream_without_its_beginning_refuses_in_one_line_that_says_what_can_be_done(
    database: Database, nats_url: str, fresh_database: MakeDatabase, database_template: Template
) -> None:
    nats = await messaging.connect(nats_url, name="gateway")
    async with caught_up(database, nats, fresh_database, database_template):
        await streams.request(nats, "STREAM.PURGE.EVT_MEMBERS", {"keep": 3})
        with pytest.raises(CannotStart, match=r"EVT_MEMBERS no longer holds its first events.*mend-rollups"):
            await rebuild_overview(settings(database, nats_url), database)
    await nats.close()


async def test_the_service_s_command_line_shows_what_is_parked_and_mends(database: Database, nats_url: str) -> None:
    told = {name: str(value) for name, value in settings(database, nats_url).model_dump(exclude_none=True).items()}
    environment = {**os.environ, **{f"XIANGQIAO_{name.upper()}": value for name, value in told.items()}}
    for words, said in {
        "parked list": b"nothing is parked\n",
        "mend-rollups": b"0 own values and 0 totals set right\n",
    }.items():
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *words.split()), env=environment, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        assert (output, process.returncode) == (said, 0)
