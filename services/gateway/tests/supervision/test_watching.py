"""What a gateway tells of services: what they say themselves, unless whoever asks them is told otherwise."""

import socket
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from database import Database, utc_now
from gateway.edge.breaker import Breaking
from gateway.forwarding.exchange import fetch
from gateway.forwarding.failures import ServiceUnreachable
from gateway.forwarding.limits import Timeouts
from gateway.forwarding.upstream import Upstream
from gateway.supervision.capabilities import condition_of
from gateway.supervision.states import MISSED
from gateway.supervision.watching import Watch
from messaging import NatsConnection, connect
from service.beats import Beat


@pytest_asyncio.fixture
async def nats(nats_url: str) -> AsyncIterator[NatsConnection]:
    connection = await connect(nats_url, name="gateway")
    yield connection
    await connection.close()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Learning at an address where nobody listens, left out after one failure."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        made = Upstream("learning", url, breaking=Breaking(in_a_row=1, first_seconds=60, longest_seconds=60))
        yield made
        made.close()


def beat(*, leaving: bool = False) -> bytes:
    told = Beat(
        service="learning", role="api", instance="0" * 12, host="here", pid=1, version="1",
        started_at=datetime(2026, 12, 1, tzinfo=UTC), leaving=leaving,
    )  # fmt: skip
    return told.model_dump_json().encode()


async def test_a_service_that_beats_and_fails_whoever_asks_it_is_down(
    nats: NatsConnection, database: Database, upstream: Upstream
) -> None:
    watch = Watch(nats, database, {"learning": upstream}, public_url="http://gateway.test")
    watch._hear(beat())
    assert condition_of("learning", watch._drawn()) == ("fine", None)
    before = utc_now()
    with pytest.raises(ServiceUnreachable):
        await fetch(upstream, "/v1/courses", host="gateway.test", timeouts=Timeouts(), max_bytes=1)
    told = condition_of("learning", watch._drawn())
    assert told.condition == "down"
    assert told.since is not None
    assert before <= told.since <= utc_now()


async def test_a_service_that_was_stopped_is_down_since_then(
    nats: NatsConnection, database: Database, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(nats, database, {"learning": upstream}, public_url="http://gateway.test")
    watch._listening_since -= timedelta(days=10)
    watch._hear(beat())
    stopped = utc_now()
    watch._hear(beat(leaving=True))
    assert ("learning", "api") not in watch._drawn(), "another may take its place in a moment"
    later = stopped + 2 * MISSED
    monkeypatch.setattr("gateway.supervision.watching.utc_now", lambda: later)
    told = condition_of("learning", watch._drawn())
    assert told.condition == "down"
    assert told.since is not None
    assert timedelta() <= told.since - stopped < MISSED
