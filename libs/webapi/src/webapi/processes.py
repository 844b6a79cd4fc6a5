"""One running process of a service: a server on its port, a worker beside it, and an orderly end."""

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Literal, Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from database import Database
from webapi.application import Application
from webapi.bounded_http import CLOSING, BoundedProtocol
from webapi.cannot_start import CannotStart
from webapi.health import LEAVING, Check, health_application
from webapi.settings import PREFIX, ServiceSettings

_log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS: Final = 75  # longer than the gateway keeps an idle connection: it never sends into a closed one
DRAIN_SECONDS: Final = 25
Port = Literal["port", "operations_port"]
"""The settings that name a port to listen on."""
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Worker(Protocol):
    """The background half of a service."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is begun and return."""

    def checks(self) -> Mapping[str, Check]:
        """Give the checks that tell whether it can work."""


class Background:
    """Runs a worker beside a server: starts it, tells readiness, drains it at the end."""

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[Worker]], checks: dict[str, Check]) -> None:
        self._opening = opening
        self._checks = checks
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.on_failure: Callable[[], None] = lambda: None
        self.error: BaseException | None = None
        checks["worker"] = self._check

    async def _check(self) -> None:
        if self._task is None or self._task.done():
            raise RuntimeError("the worker does not run")

    async def _work(self) -> None:
        async with self._opening() as worker:
            self._checks.update(worker.checks())
            await worker.run(self._stop)
        if not self._stop.is_set():
            raise RuntimeError("the worker returned before it was told to stop")

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if self.error is not None:
            _log.critical("worker_failed", exc_info=self.error)
            self.on_failure()

    @asynccontextmanager
    async def running(self, _: object) -> AsyncIterator[None]:
        """Run the worker as long as the block lasts, and until it has drained."""
        self._task = asyncio.create_task(self._work(), name="worker")
        self._task.add_done_callback(self._ended)
        try:
            yield
        finally:
            self._stop.set()
            await asyncio.wait([self._task])


class _Server(uvicorn.Server):
    """uvicorn that leaves signals and the exit code to this module."""

    start_failed = False
    lifespan: Any
    """uvicorn's own, once it serves; its `state` comes with each request."""

    def __init__(self, config: uvicorn.Config) -> None:
        self._exit = asyncio.Event()
        super().__init__(config)
        self.is_up = asyncio.Event()

    @property
    def should_exit(self) -> bool:
        """Whether it was told to end."""
        return self._exit.is_set()

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        self._exit.set() if value else self._exit.clear()

    async def main_loop(self) -> None:
        """Renew the date that answers bear each second, until told to end: uvicorn wakes ten times as often."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._exit.wait(), 1)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: uvicorn would end the process by the signal it got, not by exit code 0."""
        yield

    def leave(self) -> None:
        """Serve on, but let each answer end its connection, and `/health/live` say why."""
        state = self.server_state
        self.lifespan.state[LEAVING] = True
        self.config.encoded_headers = [*self.config.encoded_headers, CLOSING]
        state.default_headers = [*state.default_headers, CLOSING]
        for connection in state.connections:
            if (cycle := getattr(connection, "cycle", None)) is not None:
                cycle.default_headers = state.default_headers

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say where; a failed start ends `serve` instead of the interpreter."""
        try:
            await super().startup(sockets)
        except SystemExit:
            self.start_failed = self.should_exit = True
            return
        self.is_up.set()
        if sockets:
            _log.info("listening", extra={"port": sockets[0].getsockname()[1], "pid": os.getpid()})


def listen(settings: ServiceSettings, setting: Port = "port") -> socket.socket:
    """Bind a port of the process; raises `CannotStart` when it is taken."""
    port = getattr(settings, setting)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    address = f"{settings.host}:{port}"
    try:
        listener.bind((settings.host, port))
        listener.listen(0)  # else two processes bind the port, and the second fails only later
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(f"port taken: {address}; stop what uses it or set {PREFIX}{setting.upper()}.") from error
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else "unknown address"
        raise CannotStart(
            f"cannot listen on {address} ({reason}); correct {PREFIX}HOST or {PREFIX}{setting.upper()}."
        ) from error
    return listener


def _server(app: ASGIApp, http_protocol: type[asyncio.Protocol], lifespan: Literal["on", "off"]) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            http=http_protocol,
            ws="none",
            lifespan=lifespan,
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )


class Process:
    """An ASGI application served on one socket until a signal comes, with a worker beside it if there is one.

    `operations`, if there is one, is served on a socket of its own meanwhile. At SIGTERM it serves on for
    `leave_seconds`: whoever sends it requests has not heard yet that it ends.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        http_protocol: type[asyncio.Protocol] = BoundedProtocol,
        operations: ASGIApp | None = None,
        background: Background | None = None,
        start_error: Callable[[], Exception | None] = lambda: None,
        leave_seconds: float = 0,
    ) -> None:
        self._background = background
        self._start_error = start_error
        self._leave_seconds = leave_seconds
        self._interrupted = False
        self._server = _server(app, http_protocol, "on")
        self._operations = _server(operations, BoundedProtocol, "off") if operations is not None else None

    async def serve(self, listener: socket.socket, operations_listener: socket.socket | None = None) -> None:
        """Serve until SIGTERM or SIGINT; then finish requests, drain the worker, close what is open.

        Raises `CannotStart` when the application does not start or the worker fails.
        """
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._on_signal, number)
        if self._background is not None:
            self._background.on_failure = self._end
        async with self._operating(operations_listener):
            try:
                await self._server.serve(sockets=[listener])
            finally:  # an open listener would keep the loop from closing
                for opened in getattr(self._server, "servers", ()):
                    opened.close()
        _log.info("ended")
        self._raise_failure()

    @asynccontextmanager
    async def _operating(self, listener: socket.socket | None) -> AsyncIterator[None]:
        """Serve readiness and metrics from the moment that the application is up."""
        operations = self._operations
        if operations is None or listener is None:
            yield
            return

        async def serve_once_up() -> None:
            await self._server.is_up.wait()
            await operations.serve(sockets=[listener])

        serving = asyncio.create_task(serve_once_up(), name="operations")
        try:
            yield
        finally:
            operations.should_exit = True
            self._server.is_up.set()
            await serving

    def _raise_failure(self) -> None:
        error = self._start_error()
        if isinstance(error, CannotStart):
            raise error
        if error is not None or self._server.start_failed:
            raise CannotStart(f"the start failed ({type(error).__name__}); the log tells where.") from error
        failure = self._background.error if self._background is not None else None
        if isinstance(failure, CannotStart):
            raise failure
        if failure is not None:
            raise CannotStart(f"the worker failed ({type(failure).__name__}); the log tells where.") from failure

    def _end(self) -> None:
        self._server.should_exit = True

    def _on_signal(self, number: signal.Signals) -> None:
        # Ctrl-C twice is a person who will not wait; Ctrl-C and SIGTERM are a terminal and a supervisor, once each.
        if self._interrupted and number is signal.SIGINT:
            _log.warning("ended_at_once")
            os._exit(1)
        self._interrupted = self._interrupted or number is signal.SIGINT
        leave_seconds, self._leave_seconds = self._leave_seconds, 0
        if not leave_seconds or number is signal.SIGINT or not self._server.is_up.is_set():
            self._end()
            return
        _log.info("leaving", extra={"seconds": leave_seconds})
        for server in (self._server, self._operations):
            if server is not None and server.is_up.is_set():
                server.leave()
        asyncio.get_running_loop().call_later(leave_seconds, self._end)


def application_process(
    application: Application,
    opening: Callable[[], AbstractAsyncContextManager[Worker]] | None,
    *,
    leave_seconds: float,
) -> Process:
    """Serve `application`, with its worker beside it where one is given; that drains after the last request."""
    background = Background(opening, application.checks) if opening is not None else None
    if background is not None:
        application.hooks.append(background.running)
    return Process(
        application.front(application) if application.front is not None else application,
        http_protocol=application.http_protocol,
        operations=application.operations,
        background=background,
        start_error=lambda: application.start_error,
        leave_seconds=leave_seconds,
    )


def worker_process(database: Database, opening: Callable[[], AbstractAsyncContextManager[Worker]]) -> Process:
    """Run a worker, and serve nothing but health and metrics; `database` is closed at the end."""
    checks: dict[str, Check] = {"database": database.ping}
    background = Background(opening, checks)

    @asynccontextmanager
    async def lifespan(health: Starlette) -> AsyncIterator[None]:
        async with background.running(health):
            yield
        await database.close()

    return Process(health_application(checks, lifespan), background=background)


def freeze_startup_objects() -> None:
    """Collect garbage less often: requests and batches of events are a hundred thousand objects without a cycle.

    With Python's own thresholds a third of a consumer's time goes into looking through them. For a process that has
    made what it will keep.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(max(gc.get_threshold()[0], 20_000), 50, 100)
