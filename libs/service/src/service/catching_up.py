"""While a restored database has not settled what it forgot, nobody is answered by what may have been ended since."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from database import Database
from messaging.recovery import Recovering, is_open
from webapi import Problem, Refusal
from webapi.health import PATHS

LOOK_SECONDS: Final = 2.0
CATCHING_UP: Final = Problem(
    503,
    "catching_up",
    "The service was restored and is taking up what happened since; try again in a minute.",
    "服务刚从备份恢复，正在补上之后发生的事；请一分钟后再试。",
)


class CatchingUp:
    """Whether a recovery is open, looked at each two seconds while the application runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_open = False

    async def check(self) -> None:
        """Raise `Recovering` while a recovery is open."""
        if self.is_open:
            raise Recovering

    @asynccontextmanager
    async def watched(self, _: object) -> AsyncIterator[None]:
        """Look before the block, and again and again during it."""
        await self._look()
        watching = asyncio.create_task(self._watch(), name="recovery")
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.wait({watching})

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()

    async def _look(self) -> None:
        with contextlib.suppress(Exception):  # a database that is away says nothing new, and its own check says so
            self.is_open = await is_open(self._database)


class Refusing:
    """Raw ASGI around an application: 503 `catching_up` for all but some paths while a recovery is open."""

    def __init__(self, app: ASGIApp, *, recovery: CatchingUp, but: Collection[str]) -> None:
        self._app = app
        self._recovery = recovery
        self._answered = PATHS | frozenset(but)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if self._recovery.is_open and scope["type"] == "http" and scope["path"] not in self._answered:
            raise Refusal(CATCHING_UP)
        await self._app(scope, receive, send)
