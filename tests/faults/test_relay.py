"""The relay between PostgreSQL and the broker: killed, its acknowledgements lost, the broker's store wiped."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from messaging import connect, streams
from standalone import processes
from standalone.nats import NatsAccount, NatsServer, NatsUser
from testkit.proxy import TcpProxy
from tests.faults import broken
from tests.faults.broken import Breakage
from tests.faults.conftest import Staged, until_dead
from tests.faults.stage import Stage, effects_consumer, running

ACKNOWLEDGEMENT = re.compile(rb'"count":\d+')  # of an atomic batch


async def kill_relay_before_cursor(stage: Stage, staged: Staged, *breakages: Breakage) -> None:
    """Fault 2: kill -9 between the acknowledgement of a batch and the saving of the cursor; then start again."""
    await stage.accept_many(60, versions=5)
    dying = staged(broken.relay_dies_before_cursor, *breakages)
    await dying.start()
    await until_dead(dying)
    published = len(await stage.stream())
    assert published > 0
    assert await stage.value("select count(*) from outbox_cursor where id > 0") == 0, "it was too late"
    await stage.accept_many(20)
    async with staged(*breakages):
        await stage.until_published()
        await stage.until_acknowledged()


async def test_a_relay_killed_between_publishing_and_its_cursor_publishes_nothing_twice(
    stage: Stage, staged: Staged
) -> None:
    await kill_relay_before_cursor(stage, staged)
    assert await stage.differences() == []


async def test_without_message_ids_a_relay_killed_there_publishes_twice(stage: Stage, staged: Staged) -> None:
    await kill_relay_before_cursor(stage, staged, broken.messages_without_ids)
    assert any("twice in the stream" in one for one in await stage.differences())


class Cut(NamedTuple):
    """A stage whose worker reaches the broker through a proxy; `done` is set when an acknowledgement was cut off."""

    stage: Stage
    proxy: TcpProxy
    done: asyncio.Event


@pytest_asyncio.fixture
async def cut(stage: Stage, nats_url: str) -> AsyncIterator[Cut]:
    async with TcpProxy(int(nats_url.rpartition(":")[2])) as proxy:
        nats = await connect(proxy.through(nats_url), name="behind the proxy")
        behind = Stage(stage.database, nats)
        behind.accepted = stage.accepted
        yield Cut(behind, proxy, asyncio.Event())
        await nats.close()


@asynccontextmanager
async def losing_an_acknowledgement(cut: Cut) -> AsyncIterator[None]:
    """Faults 3 and 4: the connection breaks instead of passing on that a batch was stored, and is back after the block.

    The relay lives on; more is waiting when it sends the batch again.
    """

    def is_acknowledgement(piece: bytes) -> bool:
        found = ACKNOWLEDGEMENT.search(piece) is not None
        if found:
            cut.done.set()
        return found

    await cut.stage.accept_many(60, versions=5)
    cut.proxy.cut_before("to_client", is_acknowledgement)
    async with running(cut.stage.worker(effects_consumer())):
        await asyncio.wait_for(cut.done.wait(), 30)
        await cut.proxy.refuse()
        yield
        await cut.stage.accept_many(40)  # so that the batch sent again has more in it than the one that was stored
        await cut.proxy.heal()
        await cut.stage.until_published()
        await cut.stage.until_acknowledged()


async def test_a_lost_acknowledgement_of_a_batch_loses_nothing_and_doubles_nothing(cut: Cut, stage: Stage) -> None:
    async with losing_an_acknowledgement(cut):
        pass
    assert await stage.differences() == []


@pytest.mark.parametrize(
    ("breakage", "harm"),
    [
        (broken.messages_without_ids, "twice in the stream"),
        pytest.param(  # whether a batch is refused at all hangs on when the broker is reached again
            broken.refused_batch_counts_as_done, "in the outbox, and not in the stream", marks=pytest.mark.fault
        ),
    ],
)
async def test_a_lost_acknowledgement_does_harm_when_duplicates_are_not_handled(
    cut: Cut, stage: Stage, monkeypatch: pytest.MonkeyPatch, breakage: Breakage, harm: str
) -> None:
    breakage(monkeypatch.setattr)
    async with losing_an_acknowledgement(cut):
        pass
    assert any(harm in one for one in await stage.differences())


async def lose_an_acknowledgement_past_the_window(cut: Cut, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 4: by the time the batch is sent again, the broker has forgotten that it has it."""
    window = timedelta(seconds=0.2)
    monkeypatch.setattr(streams, "DUPLICATE_WINDOW", window)
    async with losing_an_acknowledgement(cut):
        await asyncio.sleep(3 * window.total_seconds())


async def test_what_is_published_twice_after_the_duplicate_window_has_one_effect(
    cut: Cut, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lose_an_acknowledgement_past_the_window(cut, monkeypatch)
    stream = await stage.stream()
    assert len(stream) > len({fact.event_id for fact in stream}), "the window did not end in time"
    assert await stage.differences(repeats=True) == []


async def test_without_the_inbox_what_is_published_twice_has_two_effects(
    cut: Cut, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken.inbox_lets_all_in(monkeypatch.setattr)
    await lose_an_acknowledgement_past_the_window(cut, monkeypatch)
    assert any("with an effect more than once" in one for one in await stage.differences(repeats=True))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(
        tmp_path / "nats",
        port=processes.free_port(),
        accounts=[NatsAccount("FAULTS", (NatsUser("faults", "faults"),))],
        log=tmp_path / "nats.log",
    )
    server.start()
    yield server
    server.stop()


async def wipe_the_broker(stage: Stage, broker: NatsServer) -> None:
    """Fault 13: the broker is killed and comes back with nothing; commands go on meanwhile."""
    async with running(stage.worker(effects_consumer())):
        aggregates = await stage.accept_many(100, versions=3)
        await stage.until_effects(300)
        broker.kill()
        shutil.rmtree(broker.directory / "store")
        await stage.accept(*[(one, 4) for one in aggregates])
        await asyncio.to_thread(broker.start)
        await stage.until_effects(400)
        await stage.accept(*[(one, 5) for one in aggregates])
        await stage.until_effects(500)
        await stage.until_published()
        await stage.until_acknowledged()


@pytest_asyncio.fixture
async def own_stage(stage: Stage, broker: NatsServer) -> AsyncIterator[Stage]:
    nats = await connect(broker.url("faults"), name="faults")
    yield Stage(stage.database, nats)
    await nats.close()


async def test_a_wiped_broker_is_filled_from_the_outbox_again_and_no_effect_comes_twice(
    own_stage: Stage, broker: NatsServer
) -> None:
    await wipe_the_broker(own_stage, broker)
    assert await own_stage.differences() == []


async def test_a_wiped_broker_stays_without_its_past_when_the_cursor_does_not_go_back(
    own_stage: Stage, broker: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken.cursor_stays_after_broker_loss(monkeypatch.setattr)
    await wipe_the_broker(own_stage, broker)
    assert any("300 in the outbox, and not in the stream" in one for one in await own_stage.differences())
