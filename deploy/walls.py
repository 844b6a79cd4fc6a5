"""Run inside the members' container: try what the province form must not allow, and fail when it does."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import nats
from nats.errors import Error as NatsError

DATABASE = os.environ["XIANGQIAO_DATABASE_URL"]
BUS = os.environ["XIANGQIAO_NATS_URL"]


async def enters_anothers_database() -> None:
    """Sign in to identity's database with the own role."""
    connection = await asyncpg.connect(DATABASE.rpartition("/")[0] + "/identity", timeout=5)
    await connection.close()


async def uses_anothers_role() -> None:
    """Sign in as identity with the own password."""
    connection = await asyncpg.connect(DATABASE, user="identity", database="identity", timeout=5)
    await connection.close()


async def changes_its_audit() -> None:
    """Remove what was recorded of it."""
    connection = await asyncpg.connect(DATABASE, timeout=5)
    try:
        await connection.execute("delete from audit.entry")
    finally:
        await connection.close()


async def publishes_in_anothers_name() -> None:
    """Store an event in identity's stream."""
    await _ask("evt.identity.p00.account.x")


async def deletes_anothers_stream() -> None:
    """Delete identity's stream, events and all."""
    await _ask("$JS.API.STREAM.DELETE.EVT_IDENTITY")


async def reads_as_another() -> None:
    """Pull, out of turn, what identity's consumer would be given next."""
    await _ask("$JS.API.CONSUMER.MSG.NEXT.EVT_MEMBERS.identity")


async def uses_the_bus_unnamed() -> None:
    """Connect to NATS without a password."""
    place = urlsplit(BUS)
    connection = await nats.connect(
        f"nats://{place.hostname}:{place.port}", error_cb=_pass_over, allow_reconnect=False, connect_timeout=5
    )
    await connection.close()


async def writes_to_its_root() -> None:
    """Leave a file in the image."""
    Path("/srv/left-behind").touch()  # noqa: ASYNC240 - nothing else runs here


async def _pass_over(_: Exception) -> None:
    """Say nothing: what is wrong with the connection is raised as well."""


async def _ask(subject: str) -> None:
    """Send a request, and raise what the server answers when it does not permit it."""
    refusals: list[Exception] = []

    async def keep(error: Exception) -> None:
        refusals.append(error)

    inbox = f"_INBOX_{urlsplit(BUS).username}"
    connection = await nats.connect(BUS, error_cb=keep, allow_reconnect=False, inbox_prefix=inbox)
    try:
        await connection.request(subject, b"", timeout=2)
    except NatsError:
        if not refusals:
            raise
    finally:
        await connection.close()
    if refusals:
        raise PermissionError(str(refusals[0]))


REFUSED_AS: dict[Callable[[], Awaitable[None]], type[Exception]] = {
    enters_anothers_database: asyncpg.InsufficientPrivilegeError,
    uses_anothers_role: asyncpg.InvalidPasswordError,
    changes_its_audit: asyncpg.InsufficientPrivilegeError,
    publishes_in_anothers_name: PermissionError,
    deletes_anothers_stream: PermissionError,
    reads_as_another: PermissionError,
    uses_the_bus_unnamed: NatsError,
    writes_to_its_root: OSError,
}


async def _try_all() -> None:
    for attempt, refusal in REFUSED_AS.items():
        try:
            await attempt()
        except refusal:
            continue
        raise SystemExit(f"members {attempt.__name__.replace('_', ' ')}")
    print(f"ok: {len(REFUSED_AS)} walls hold")  # noqa: T201 - this is its answer


if os.getuid() == 0:
    raise SystemExit("members runs as root")
asyncio.run(_try_all())
