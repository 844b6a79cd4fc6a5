"""The least that telling many of the same could cost: a loop that writes the bytes to every socket as they come."""

import asyncio
import os
from typing import cast

import uvloop

EVERY_SECONDS = 0.1
ABOUT = b'{"scope":"cases","subject_id":"00000000-0000-0000-0000-000000000001","version":100,"gone":false}'
EVENT = b"e0\r\nid: " + b"x" * 54 + b"\nevent: change\ndata: " + ABOUT + b"\n\n\r\n"


_told: set[asyncio.Transport] = set()


class _Told(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        _told.add(self._transport)
        self._transport.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")

    def connection_lost(self, _: Exception | None) -> None:
        _told.discard(self._transport)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(_Told, "127.0.0.1", int(os.environ["BARE_PORT"]))
    at = loop.time()
    while True:
        at += EVERY_SECONDS
        await asyncio.sleep(max(0.0, at - loop.time()))
        for transport in tuple(_told):
            transport.write(EVENT)


if __name__ == "__main__":
    uvloop.run(_serve())
