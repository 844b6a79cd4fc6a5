"""Liveness, readiness and metrics of a process, for those who run it; never documented, never behind a token."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Lifespan

import telemetry

_log = logging.getLogger(__name__)

CHECK_SECONDS: Final = 2.0
LIVE: Final = "/health/live"
LEAVING: Final = "xiangqiao.leaving"
"""In a request's state: the process has been told to end, and is to be sent no more."""
PATHS: Final = frozenset({LIVE, "/health/ready", "/metrics"})
_NO_SNIFF: Final = {"x-content-type-options": "nosniff"}

Check = Callable[[], Awaitable[None]]
"""Returns when what it looks at is usable, raises when it is not."""


class Readiness:
    """Runs every check each time it is asked, so it recovers by itself; tells the log when the answer changes."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._failed: list[str] = []

    async def failed(self) -> list[str]:
        """Give the names of the checks that fail or take longer than two seconds."""
        names = list(self._checks)
        results = await asyncio.gather(*(self._passes(self._checks[name]) for name in names))
        failed = [name for name, passes in zip(names, results, strict=True) if not passes]
        if failed != self._failed:
            self._failed = failed
            if failed:
                _log.warning("not_ready", extra={"check": failed})
            else:
                _log.info("ready_again")
        return failed

    @staticmethod
    async def _passes(check: Check) -> bool:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await check()
        except Exception as error:  # noqa: BLE001 - whatever a check fails with means "not ready"
            _log.debug("check_failed", exc_info=error)
            return False
        return True


async def _live(request: Request) -> Response:
    if request.scope.get("state", {}).get(LEAVING):
        return JSONResponse({"status": "leaving"}, 503, _NO_SNIFF)
    return JSONResponse({"status": "live"}, headers=_NO_SNIFF)


def live_route() -> BaseRoute:
    """Make the route `/health/live` (503 while it leaves), which tells nothing that the public may not know."""
    return Route(LIVE, _live)


def health_routes(checks: Mapping[str, Check]) -> list[BaseRoute]:
    """Make the routes `/health/live`, `/health/ready` (503 names what failed) and `/metrics`."""
    readiness = Readiness(checks)

    async def ready(_: Request) -> Response:
        failed = await readiness.failed()
        if failed:
            return JSONResponse({"status": "not ready", "failed": failed}, 503, {"retry-after": "2", **_NO_SNIFF})
        return JSONResponse({"status": "ready", "checks": sorted(checks)}, headers=_NO_SNIFF)

    async def metrics(_: Request) -> Response:
        body, content_type = telemetry.metrics_response()
        return Response(body, media_type=content_type, headers=_NO_SNIFF)

    return [live_route(), Route("/health/ready", ready), Route("/metrics", metrics)]


def health_application(checks: Mapping[str, Check], lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    """Make the small application of a port that serves nothing else: a worker's, or an operations port."""
    return Starlette(routes=health_routes(checks), lifespan=lifespan)
