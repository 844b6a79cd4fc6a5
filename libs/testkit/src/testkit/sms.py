"""A gateway of short messages as a server of its own, for tests that read what phones got, or let it fail."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from standalone.demo_phone import APPLICATION, KEY_ID, SIGNATURE, MessageGateway, Sent
from testkit.listening import listener

__all__ = ["APPLICATION", "KEY", "KEY_ID", "SIGNATURE", "Sent", "SmsGateway", "running_gateway"]

KEY = "the key of a fake gateway"


class SmsGateway(MessageGateway):
    """The running gateway, at `url`; `failing` is a code it answers, `hanging` makes it not answer at all."""

    def __init__(self, url: str) -> None:
        super().__init__(KEY)
        self.url = url
        self.hanging = False
        self.requests = 0

    def identity_settings(self, texts: Iterable[str]) -> dict[str, str]:
        """Give the settings by which identity sends here."""
        return self.settings(self.url, texts)

    async def take(self, request: Request) -> JSONResponse:
        """Answer a request, after its time if it hangs."""
        self.requests += 1
        if self.hanging:
            await asyncio.sleep(3600)
        return JSONResponse(self.answer(dict(request.headers), await request.body()))


@asynccontextmanager
async def running_gateway() -> AsyncIterator[SmsGateway]:
    """Serve a gateway on a free port of loopback for the length of the block."""
    with listener() as listening:
        gateway = SmsGateway(f"http://127.0.0.1:{listening.getsockname()[1]}")
        application = Starlette(routes=[Route("/", gateway.take, methods=["POST"])])
        config = uvicorn.Config(
            application, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield gateway
        finally:
            server.should_exit = True
            await serving
