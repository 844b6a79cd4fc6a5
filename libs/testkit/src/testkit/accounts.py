"""A NATS account for each worker, from the session's pool: tests see no stream of another, and leave none behind."""

import contextlib
import fcntl
from collections.abc import Iterator, Sequence
from pathlib import Path

import nats
from nats.js.errors import NotFoundError


class PoolExhausted(Exception):
    """All accounts of the session's NATS server are in use."""


@contextlib.contextmanager
def leased(directory: Path, accounts: Sequence[str]) -> Iterator[str]:
    """Give the name of an account that no other process has meanwhile. Raises PoolExhausted."""
    for name in accounts:
        with (directory / f"{name}.lease").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield name
            return
    raise PoolExhausted(f"all {len(accounts)} accounts of the test session's NATS server are in use")


async def purge(url: str) -> None:
    """Delete every stream of the account at `url`, with its messages and consumers."""
    connection = await nats.connect(url, name="testkit", allow_reconnect=False)
    try:
        jetstream = connection.jetstream()
        # A page holds 256 names; deleting it makes the next page the first.
        while names := [stream.config.name for stream in await jetstream.streams_info()]:
            for name in names:
                with contextlib.suppress(NotFoundError):
                    await jetstream.delete_stream(str(name))
    finally:
        await connection.close()
