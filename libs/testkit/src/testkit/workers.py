"""A service's worker at work for the length of a block, and what it published."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import nats.js.errors
import orjson

from messaging import NatsConnection
from webapi import Worker

PATIENCE_SECONDS = 20.0


@asynccontextmanager
async def working(*workers: Worker) -> AsyncIterator[None]:
    """Let workers run until the block ends, then wait until they have drained."""
    stop = asyncio.Event()
    running = [asyncio.create_task(worker.run(stop)) for worker in workers]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*running)


async def until(status: Callable[[], Awaitable[int]], wanted: int) -> None:
    """Ask until `wanted` is answered, for twenty seconds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await status() != wanted:  # noqa: ASYNC110 - what another process does is seen by looking again
            await asyncio.sleep(0.05)


async def streamed(broker: NatsConnection, service: str, count: int) -> list[dict[str, Any]]:
    """Read what a service's stream holds once it holds `count` events."""
    stream, js = f"EVT_{service.upper()}", broker.client.jetstream()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                if (await js.stream_info(stream)).state.messages >= count:
                    break
            except nats.js.errors.NotFoundError:  # the worker declares it a moment after its start
                pass
            await asyncio.sleep(0.05)
    messages = [await js.get_msg(stream, sequence) for sequence in range(1, count + 1)]
    return [orjson.loads(message.data or b"") for message in messages]
