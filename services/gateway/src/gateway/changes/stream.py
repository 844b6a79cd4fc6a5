"""The answer to who listens, which has no end but that of the token, the process, or the reader's patience."""

import random
from collections.abc import Callable
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.changes.listener import MOST_WAITING, Listener
from gateway.changes.live import Live
from gateway.forwarding.edge import STREAM

RETRY_SECONDS: Final = (2.0, 6.0)
"""After which a reader that lost its stream asks anew: by chance, so that they do not all come at once."""
_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}


class EventStream(Response):
    """The answer to who listens: all that there is for this listener, until either leaves."""

    media_type = "text/event-stream"

    def __init__(self, listener: Listener, live: Live) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers(_HEADERS)
        self._listener = listener
        self._live = live

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Send what the listener is told until the stream ends; when its reader leaves, the request is broken off."""
        listener = self._listener
        stream: Callable[..., Any] = (scope.get("extensions") or {}).get(STREAM, lambda *_: None)
        try:
            with self._live.heard(listener):
                write = stream(MOST_WAITING // 2, listener.leave)
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                retry = b"retry: %d\n\n" % (random.uniform(*RETRY_SECONDS) * 1000)  # noqa: S311 - no secret
                await send(_body(retry))
                await self._live.join(listener)
                while pieces := await listener.next(write):
                    await send(_body(pieces))
                await send(_body(b"", more=False))
        finally:
            stream(None, None)


def _body(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
