"""An owner that was put back in place: what it forgot is named, and what it says from then on outranks it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Uuid, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from contracts.members import CompositionCountedV1, OrganisationState, OrganisationWithdrawnV1
from database import new_id, raw, utc_now
from messaging import Consumer, Received, Telling, Told, Worker, own_version, received
from messaging.direct import Answer, DirectReader, StreamSilent
from messaging.outbox import encode
from messaging.settling import settle
from messaging.telling import Adopt

OWNED = ("outbox", "outbox_cursor")
"""What of an owner goes back; the reader's tables, in the same database here, stay."""


class Copy:
    """A copy of the owner's tables, as they were when it was made."""

    def __init__(self, stage: Any) -> None:
        self._stage = stage

    async def make(self) -> None:
        for table in OWNED:
            await self._stage.fetch(f"create table copy_of_{table} as table {table}")

    async def put_back(self) -> None:
        for table in OWNED:
            overriding = "overriding system value" if table == "outbox" else ""
            await self._stage.fetch(f"truncate {table}")
            await self._stage.fetch(f"insert into {table} {overriding} table copy_of_{table}")


@asynccontextmanager
async def put_back_after(stage: Any, lost: Callable[[], Awaitable[int]], *, before: int) -> AsyncIterator[None]:
    """Take a copy, let something be published and heard, put the copy back; the block is the time after that."""
    copy = Copy(stage)
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(before)
    await copy.make()
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(before + await lost())
    await copy.put_back()
    yield


async def _name_of(stage: Any, organisation: UUID) -> str:
    return str(await stage.value("select name from projection where aggregate_id = $1", organisation))


async def _forgets_two_of(stage: Any, organisation: UUID) -> None:
    async def lost() -> int:
        await stage.append((stage.renamed(organisation, "lost"), 2), (stage.renamed(organisation, "lost, too"), 3))
        await stage.append((stage.established(), 1))
        return 3

    async with put_back_after(stage, lost, before=1):
        await stage.append((stage.renamed(organisation, "after"), 2))
        async with stage.running(stage.worker(stage.consumer())):
            await stage.until_ledger(5)


async def test_what_an_owner_forgot_is_named_and_what_it_says_then_outranks_it(stage: Any) -> None:
    [organisation] = await stage.append_many(1)
    await _forgets_two_of(stage, organisation)
    assert await _name_of(stage, organisation) == "after"
    assert own_version(await stage.value("select version from projection where name = 'after'")) == 2
    assert await stage.value("select epoch from outbox_state") == 2
    found = await stage.fetch("select aggregate, aggregate_version, state from lost_event order by stream_seq")
    assert [tuple(row) for row in found] == [("organisation", version, "found") for version in (2, 3, 1)]
    assert (
        await stage.value("select count(*) from outbox_recovery where stream = 'EVT_MEMBERS' and ended_at is null") == 1
    )


async def test_without_the_epoch_a_reader_would_keep_what_its_owner_forgot(
    stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received, "_EPOCH", b"no such header")
    [organisation] = await stage.append_many(1)
    await _forgets_two_of(stage, organisation)
    assert await _name_of(stage, organisation) == "lost, too"


async def test_what_was_written_before_a_relay_looked_is_of_the_new_epoch_and_comes_once(stage: Any) -> None:
    await stage.fetch("update outbox_state set shards = 3")
    before = await stage.append_many(10)

    async def lost() -> int:
        await stage.append(*[(stage.renamed(one, "lost"), 2) for one in before])
        return 10

    async with put_back_after(stage, lost, before=10):
        await stage.append(*[(stage.renamed(one, "after"), 2) for one in before])
        async with stage.running(stage.worker(stage.consumer())):
            await stage.until_ledger(30)
            await stage.append(*[(stage.renamed(one, "later"), 3) for one in before])
            await stage.until_ledger(40)
        async with stage.running(stage.worker(stage.consumer())):
            await stage.append(*[(stage.renamed(one, "last"), 4) for one in before])
            await stage.until_ledger(50)
    assert {row[0] for row in await stage.fetch("select name from projection")} == {"last"}
    assert await stage.value("select count(*) from ledger") == 50
    assert await stage.value("select count(*) from lost_event") == 10
    assert await stage.value("select epoch from outbox_state") == 2


async def test_more_than_one_answer_tells_is_found_and_a_broken_off_look_goes_on(
    stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.append_many(1)

    async def lost() -> int:
        await stage.append_many(1200)
        return 1200

    get, answers = DirectReader.get, 0

    async def break_off(self: DirectReader, *arguments: Any) -> Answer:
        nonlocal answers
        answers += 1
        if answers == 2:
            raise StreamSilent
        return await get(self, *arguments)

    async with put_back_after(stage, lost, before=1):
        monkeypatch.setattr(DirectReader, "get", break_off)
        async with stage.running(stage.worker()):

            async def begun() -> bool:
                return bool(await stage.value("select epoch = 2 from outbox_state"))

            await stage.until(begun)
    assert await stage.value("select count(*) from lost_event") == 1200


async def test_what_was_published_and_not_noted_is_not_lost(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.append_many(3)
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(3)
    await stage.fetch("update outbox_cursor set txid = '0', id = 0, stream_seq = 0")
    async with stage.running(stage.worker(stage.consumer())):
        await stage.append_many(1)
        await stage.until_ledger(4)
    assert await stage.value("select count(*) from lost_event") == 0
    assert await stage.value("select epoch from outbox_state") == 1


class Base(DeclarativeBase):
    """What the owner in these tests keeps."""


class Owned(Base):
    """An organisation, as its owner has it."""

    __tablename__ = "owned"

    organisation_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    name: Mapped[str]
    version: Mapped[int]


def told_of(stage: Any, adopt: Adopt | None = None) -> Told:
    return Told(
        OrganisationState,
        rows=select(Owned),
        key=Owned.organisation_id,
        tell=lambda row: Telling(stage.renamed(row.organisation_id, row.name), row.version, utc_now()),
        withdrawn=OrganisationWithdrawnV1,
        adopt=adopt,
    )


async def _settled(stage: Any, *, adopt: Adopt | None = None) -> dict[str, UUID]:
    """Forget of three organisations what came after their first, second and no event, and settle that."""
    await stage.fetch("create table owned (organisation_id uuid primary key, name text, version bigint)")
    kept, spoken = await stage.append_many(2)
    made = new_id()
    for one in (kept, spoken):
        await stage.fetch("insert into owned values ($1, 'as it was', 1)", one)

    async def lost() -> int:
        for one in (kept, spoken):
            await stage.append((stage.renamed(one, "lost"), 2), (stage.renamed(one, "lost, too"), 3))
        await stage.append((stage.established(made, "lost"), 1))
        return 5

    async def forget(session: AsyncSession, received: Sequence[Received[OrganisationWithdrawnV1]]) -> None:
        for each in received:
            gone = "delete from projection where aggregate_id = $1 and version < $2"
            await (await raw(session)).execute(gone, each.event.organisation_id, each.version)

    consumer = stage.consumer()
    consumer = Consumer("reader", handlers={**consumer.handlers, OrganisationWithdrawnV1: forget})
    async with put_back_after(stage, lost, before=2):
        await stage.append((stage.renamed(spoken, "after"), 2))
        await stage.fetch("update owned set name = 'after', version = 2 where organisation_id = $1", spoken)
        worker = Worker("members", stage.database, stage.nats, [consumer], told=[told_of(stage, adopt)])
        async with stage.running(worker):

            async def over() -> bool:
                return bool(await stage.value("select count(*) = 1 from outbox_recovery where ended_at is not null"))

            await stage.until(over)
            await stage.append((stage.established(name="the last"), 1))

            async def read() -> bool:
                return bool(await stage.value("select exists (select from projection where name = 'the last')"))

            await stage.until(read)
    return {"kept": kept, "spoken": spoken, "made": made}


async def _became(stage: Any, organisation: UUID) -> str | None:
    rows = await stage.fetch("select name from projection where aggregate_id = $1", organisation)
    return rows[0][0] if rows else None


async def _state(stage: Any, organisation: UUID) -> set[str]:
    return {row[0] for row in await stage.fetch("select state from lost_event where aggregate_id = $1", organisation)}


async def test_what_the_owner_has_is_retold_and_what_it_has_not_is_withdrawn(stage: Any) -> None:
    which = await _settled(stage)
    assert {name: await _became(stage, one) for name, one in which.items()} == {
        "kept": "as it was",
        "spoken": "after",
        "made": None,
    }
    assert {name: await _state(stage, one) for name, one in which.items()} == {
        "kept": {"retold"},
        "spoken": {"retold"},
        "made": {"withdrawn"},
    }
    await stage.append((stage.established(which["made"], "brought again"), 1))
    async with stage.running(stage.worker(stage.consumer())):

        async def read() -> bool:
            return await _became(stage, which["made"]) == "brought again"

        await stage.until(read)


async def test_what_an_event_holds_whole_is_adopted_unless_the_owner_has_spoken_since(stage: Any) -> None:
    async def adopt(session: AsyncSession, received: Sequence[Received[Any]]) -> list[UUID]:
        for each in received:
            take = """
                insert into owned values ($1, $2, $3)
                on conflict (organisation_id) do update set name = excluded.name, version = excluded.version
            """
            await (await raw(session)).execute(take, each.event.organisation_id, each.event.name, each.version)
        return [each.event.organisation_id for each in received]

    which = await _settled(stage, adopt=adopt)
    owned = {row[0]: (row[1], row[2]) for row in await stage.fetch("select * from owned")}
    assert {name: owned[one] for name, one in which.items()} == {
        "kept": ("lost, too", 3),
        "spoken": ("after", 2),
        "made": ("lost", 1),
    }
    assert {name: await _became(stage, one) for name, one in which.items()} == {
        "kept": "lost, too",
        "spoken": "after",
        "made": "lost",
    }
    assert [await _state(stage, one) for one in which.values()] == [{"adopted"}, {"retold"}, {"adopted"}]


async def test_two_kinds_of_one_id_are_settled_each_for_itself(stage: Any) -> None:
    """As an organisation and how it is composed: what was said of the one since says nothing of the other."""
    await stage.fetch("create table owned (organisation_id uuid primary key, name text, version bigint)")
    organisation = new_id()
    counts = {"members": 0, "away": 0, "without_smartphone": 0, "stages": {}, "age_bands": {}}
    counted = CompositionCountedV1(organisation_id=organisation, **counts)
    for number, event in enumerate((stage.established(organisation, "lost"), counted)):
        payload = encode(event, event_id=new_id(), version=1, time=utc_now())
        await stage.fetch(
            "insert into lost_event (event_id, stream_seq, type, aggregate, aggregate_id, aggregate_version,"
            " occurred_at, payload) values ($1, $2, $3, $4, $5, 1, now(), $6)",
            *(new_id(), number, event.type, event.aggregate, organisation, payload),
        )
    await stage.append((counted, 2))
    asked: list[UUID] = []

    async def adopt(_: AsyncSession, received: Sequence[Received[Any]]) -> list[UUID]:
        asked.extend(each.event.organisation_id for each in received)
        return asked

    await settle(stage.database, [told_of(stage, adopt)])
    assert asked == [organisation]
    states = await stage.fetch("select aggregate, state from lost_event order by stream_seq")
    assert [tuple(row) for row in states] == [("organisation", "adopted"), ("composition", "accepted")]
