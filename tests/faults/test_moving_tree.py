"""Organisations move while counts arrive, totals are folded and the projection is rebuilt (fault 20)."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Literal, NamedTuple
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from background import Job
from contracts import Event, feedback, members
from database import Database, migrations, new_id, raw, utc_now
from gateway.worker import CONSUMERS
from messaging import NatsConnection, Publication, RebuildReport, Worker, append, rebuild, streams
from orgtree import ROOT_ID
from orgtree import tree as orgtree_tree
from orgtree.places import Change
from orgtree.rollups import FOLD_LIMIT, fold_some, follow_moves
from testkit.databases import Template, TestDatabases
from tests.faults import broken
from tests.faults.oracle import told, unlike
from tests.faults.stage import running, until
from tests.faults.town import ROOT

TABLES = (*orgtree.migrations.PROJECTION_TABLES, "contribution")
OVERVIEW = next(consumer for consumer in CONSUMERS if consumer.name == "gateway-overview")
SERVICES = ("identity", "members", "activities", "learning", "feedback")
ROUNDS = 30
LINGER_SECONDS = 0.02
FOLD_SECONDS = 0.02


class Land:
    """A tree whose organisations move and count; both services publish from here, and it knows what must come out."""

    def __init__(self, members_database: Database, feedback_database: Database, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - no secret
        self._databases = {"members": members_database, "feedback": feedback_database}
        self._versions: Counter[tuple[str, UUID]] = Counter()
        self.levels = [[new_id() for _ in range(count)] for count in (4, 10, 30)]
        self.parents: dict[UUID, UUID] = {}
        self.own: dict[UUID, members.CompositionCountedV1] = {}
        self.cases: dict[UUID, feedback.CaseOpenedV1] = {}

    async def establish(self) -> None:
        """Put every organisation under one of the level above."""
        above = [ROOT_ID]
        for level in self.levels:
            await self._publish("members", [self._placed(one, self.chance.choice(above), moved=False) for one in level])
            above = level

    async def move(self) -> None:
        """Move an organisation of each level below the first under another of the level above."""
        ways = list(zip(self.levels, self.levels[1:], strict=False))
        moves = [
            self._placed(self.chance.choice(level), self.chance.choice(above), moved=True) for above, level in ways
        ]
        await self._publish("members", moves)

    async def count(self) -> None:
        """Let branches tell how many members they have now, and take cases in."""
        counted = []
        for branch in self.chance.sample(self.levels[-1], 8):
            number = self.chance.randrange(50)
            self.own[branch] = members.CompositionCountedV1(
                organisation_id=branch, members=number, away=0, without_smartphone=0, stages={}, age_bands={}
            )
            counted.append(self.own[branch])
        await self._publish("members", counted)
        opened = [self._case(branch) for branch in self.chance.sample(self.levels[-1], 8)]
        self.cases |= {case.case_id: case for case in opened}
        await self._publish("feedback", opened)

    def totals(self) -> Counter[tuple[UUID, str]]:
        """Give every total that is not 0, as the last state of everything has it."""
        found: Counter[tuple[UUID, str]] = Counter()
        for branch, composition in self.own.items():
            self._add(found, branch, "members.all", composition.members)
        for case in self.cases.values():
            self._add(found, case.organisation_id, "cases.received", 1)
            self._add(found, case.organisation_id, "cases.now.open", 1)
        return found

    def _add(self, found: Counter[tuple[UUID, str]], place: UUID | None, measure: str, count: int) -> None:
        while place is not None and count:
            found[place, measure] += count
            place = self.parents.get(place)

    def _placed(self, organisation_id: UUID, parent_id: UUID, *, moved: bool) -> members.OrganisationState:
        self.parents[organisation_id] = parent_id
        make = members.OrganisationMovedV1 if moved else members.OrganisationEstablishedV1
        return make(
            organisation_id=organisation_id, parent_id=parent_id, kind="committee", level="village", name="某组织"
        )

    def _case(self, branch: UUID) -> feedback.CaseOpenedV1:
        now = utc_now()
        return feedback.CaseOpenedV1(
            case_id=new_id(),
            category="roads",
            organisation_id=branch,
            responsible_id=branch,
            reporter_id=None,
            status="open",
            opened_at=now,
            due_at=now + timedelta(days=5),
        )

    async def published_by(self, service: str) -> int:
        """Give how many events a service has written to its outbox."""
        async with self._databases[service].read() as session:
            number: int = await (await raw(session)).fetchval("select count(*) from outbox")
        return number

    async def _publish(self, service: str, events: Sequence[Event]) -> None:
        publications = []
        for event in events:
            aggregate = event.aggregate, event.aggregate_id
            self._versions[aggregate] += 1
            publications.append(Publication(event, self._versions[aggregate]))
        async with self._databases[service].transaction() as session:
            await append(session, publications)


class Scene(NamedTuple):
    """A land, the gateway's database on which its events are projected, and the broker."""

    land: Land
    gateway: Database
    nats: NatsConnection

    async def settle(self, session: AsyncSession) -> None:
        """Fold what is not folded: in the live tables, and in those that the session writes to."""
        await orgtree.fold(self.gateway)
        while await fold_some(session, FOLD_LIMIT):
            pass

    async def rebuild(self, *, switch: Literal["always", "if_equal"]) -> RebuildReport:
        """Rebuild the projection beside the live one, and put it in its place."""
        return await rebuild(self.gateway, self.nats, OVERVIEW, tables=TABLES, settle=self.settle, switch=switch)

    async def until_quiet(self) -> None:
        """Wait until everything is published, acknowledged and folded."""

        async def is_quiet() -> bool:
            for service in ("members", "feedback"):
                info = await streams.request(self.nats, f"CONSUMER.INFO.{streams.stream_name(service)}.{OVERVIEW.name}")
                if info["num_pending"] or info["num_ack_pending"]:
                    return False
                if info["delivered"]["stream_seq"] < await self.land.published_by(service):
                    return False
            return not await self.fetch("select from rollup_delta limit 1")

        await until(is_quiet)

    async def differences(self) -> list[str]:
        """Ask the oracle: kept totals, what they must be, and a recount."""
        kept = await self.fetch("select organisation_id, measure, value from rollup where value <> 0")
        async with self.gateway.read() as session:
            recounted = await orgtree.recount(session)
        return [
            *unlike(
                "totals", [(*key, value) for key, value in self.land.totals().items()], [tuple(row) for row in kept]
            ),
            *told("totals unlike a recount", recounted),
            *told("parked", await self.fetch("select event_id from parked")),
        ]

    async def fetch(self, query: str) -> list[asyncpg.Record]:
        async with self.gateway.read() as session:
            rows: list[asyncpg.Record] = await (await raw(session)).fetch(query)
        return rows


async def _migrated(url: str) -> None:
    await migrations.upgrade(url, ROOT / "services" / "gateway" / "migrations")


@pytest_asyncio.fixture
async def scene(
    databases: TestDatabases,
    database_template: Template,
    nats: NatsConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Scene]:
    """Run members' and feedback's relays and the gateway's consumer, with moves that take a little while."""

    async def linger(session: AsyncSession, changed: Sequence[Change]) -> None:
        await follow_moves(session, changed)
        await asyncio.sleep(LINGER_SECONDS)

    monkeypatch.setattr(orgtree_tree, "follow_moves", linger)
    for service in SERVICES:
        await streams.declare_stream(nats, service)
    template = await databases.template("gateway", _migrated, sources=[ROOT / "services" / "gateway" / "migrations"])
    async with AsyncExitStack() as stack:
        opened = []
        for one in (database_template, database_template, template):
            url = await stack.enter_async_context(databases.database(one))
            opened.append(Database(url, application_name="faults"))
            stack.push_async_callback(opened[-1].close)
        folding = Job("fold_rollups", timedelta(seconds=FOLD_SECONDS), orgtree.fold)
        for worker in (
            Worker("members", opened[0], nats),
            Worker("feedback", opened[1], nats),
            Worker("gateway", opened[2], nats, [OVERVIEW], [folding]),
        ):
            await stack.enter_async_context(running(worker))
        yield Scene(Land(opened[0], opened[1], seed=20), opened[2], nats)


async def shake(scene: Scene) -> None:
    """Move and count, again and again."""
    for _ in range(ROUNDS):
        await scene.land.move()
        await scene.land.count()
        await asyncio.sleep(LINGER_SECONDS)


async def test_moves_counts_folding_and_rebuilds_at_once_leave_every_total_right(scene: Scene) -> None:
    await scene.land.establish()
    shaking = asyncio.create_task(shake(scene))
    rebuilt = 0
    while not shaking.done() or rebuilt < 2:
        assert (await scene.rebuild(switch="always")).switched
        rebuilt += 1
    await shaking
    await scene.until_quiet()
    assert await scene.differences() == []


async def test_a_projection_rebuilt_after_many_moves_equals_the_live_one(scene: Scene) -> None:
    await scene.land.establish()
    await shake(scene)
    await scene.until_quiet()
    report = await scene.rebuild(switch="if_equal")
    assert [one for one in report.tables if not one.equal] == []
    assert await scene.differences() == []


async def test_without_the_trees_lock_folding_during_moves_leaves_totals_wrong(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken.fold_takes_no_lock(monkeypatch.setattr)
    await scene.land.establish()
    await shake(scene)
    await scene.until_quiet()
    found = await scene.differences()
    assert any("totals unlike a recount" in one for one in found)
    report = await scene.rebuild(switch="if_equal")
    assert [one.table for one in report.tables if not one.equal] == ["rollup"]
    assert not report.switched
