"""The HTTP application of a service, composed from its routers, its database and its table of problems."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp

from database import Database
from webapi.access import require_access
from webapi.assistance import AssistedRecorder, action_of
from webapi.authentication import Authenticator
from webapi.bounded_http import BoundedProtocol
from webapi.caller import Admission, RefusalRecorder, RemitResolver
from webapi.describing import require_described
from webapi.health import LIVE, PATHS, Check, health_application, health_routes, live_route
from webapi.openapi import operation_id, protected_operations, scopes_of, with_problems
from webapi.planning import plan
from webapi.problems import Problem, Problems
from webapi.queries import refuse_unknown_parameters
from webapi.requests import RequestHandling
from webapi.sealing import ring_of
from webapi.settings import ServiceSettings
from webapi.shaping import shaped

Front = Callable[[ASGIApp], ASGIApp]
"""Wraps the whole application, for what must come before it at the least cost."""

Hook = Callable[["Application"], AbstractAsyncContextManager[None]]
"""Runs from the start of the application to its end: `async with hook(application)`."""


class Application(FastAPI):
    """A service's HTTP application. It closes `database` and its authenticator when it ends.

    `problems` maps exceptions of the domain to problem details; `remit_resolver` gives the organisations on which roles
    give a permission; `record_assisted` keeps what helpers call in assisted sessions, `record_refused` what others are
    refused; `admit`, set by a service, refuses by what that service alone knows. `checks` beside the database's decide
    readiness and may be added to; `hooks` are entered in order before the first request and left in reverse order after
    the last one. `operations` is what serves readiness and metrics where they have a port of their own; this one then
    does not. `front` wraps the application when it is served, and `http_protocol` is uvicorn's protocol class (both for
    the gateway).
    """

    def __init__(
        self,
        service: str,
        *,
        title: str,
        settings: ServiceSettings,
        database: Database,
        routers: Sequence[APIRouter] = (),
        problems: Mapping[type[Exception], Problem] | None = None,
        remit_resolver: RemitResolver | None = None,
        record_assisted: AssistedRecorder | None = None,
        record_refused: RefusalRecorder | None = None,
        checks: Mapping[str, Check] | None = None,
        hooks: Sequence[Hook] = (),
        description: str = "",
    ) -> None:
        # FastAPI's own telemetry would put addresses with their queries and messages of exceptions into spans and logs.
        silent: TelemetryConfig = {
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        }
        super().__init__(
            title=title,
            version="1",
            description=description,
            lifespan=_lifespan,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            telemetry=silent,
        )
        self.service = service
        self.settings = settings
        self.database = database
        self.authenticator = Authenticator(settings.jwks_url, settings.issuer, settings.audience)
        self.remit_resolver = remit_resolver
        self.demanded_scopes: dict[str, frozenset[str]] = {}
        self.record_assisted = record_assisted
        self.record_refused = record_refused
        self.admit: Admission | None = None
        self.checks: dict[str, Check] = {"database": database.ping, **(checks or {})}
        self.operations: ASGIApp | None = None
        self.hooks = list(hooks)
        self.front: Front | None = None
        self.http_protocol: type[asyncio.Protocol] = BoundedProtocol
        self.ring = ring_of(settings)
        self.start_error: Exception | None = None
        self._problems = Problems(problems or {})
        self._operations: set[str] = set()
        self._document: dict[str, Any] | None = None
        self.add_routers(routers)
        if settings.operations_port is None:
            self.router.routes.extend(health_routes(self.checks))
        else:
            self.router.routes.append(live_route())
            self.operations = health_application(self.checks)

    def build_middleware_stack(self) -> ASGIApp:
        """Replace FastAPI's layers of error handling and body limits by the one of this library."""
        app: ASGIApp = AsyncExitStackMiddleware(self.router)
        for cls, args, kwargs in reversed(self.user_middleware):
            app = cls(app, *args, **kwargs)
        unobserved = PATHS if self.operations is None else {LIVE}
        return RequestHandling(app, self._problems, unobserved=unobserved)

    def openapi(self) -> dict[str, Any]:
        """Give the OpenAPI 3.1 document."""
        if self._document is None:
            protected = protected_operations(list(self.routes), self.demanded_scopes)
            self._document = shaped(with_problems(super().openapi(), protected, self._problems))
        return self._document

    def add_routers(self, routers: Sequence[APIRouter]) -> None:
        """Take over the routes of `routers` flat: an included router would match each path twice.

        Raises `AccessUndeclared` and `Undescribed` for a documented route that does not say what it demands and what
        it is, and `ValueError` for one that takes a token both to read and to write.
        """
        for route in (route for router in routers for route in router.routes):
            if isinstance(route, APIRoute):
                route.operation_id = route.operation_id or operation_id(self.service, route)
                if route.operation_id in self._operations:
                    raise ValueError(f"two routes are called {route.operation_id}")
                self._operations.add(route.operation_id)
                if (scopes := scopes_of(self.service, route)) is not None:
                    self.demanded_scopes[route.operation_id] = scopes
                if (action := action_of(route.endpoint)) is not None:
                    route.openapi_extra = {**(route.openapi_extra or {}), "x-assistable": action}
                plan(route)
                refuse_unknown_parameters(route)
            self.router.routes.append(route)
        documented = [route for route in self.routes if isinstance(route, APIRoute)]
        require_described(documented)
        require_access(documented, protected_operations(list(self.routes), self.demanded_scopes))


@asynccontextmanager
async def _lifespan(application: Application) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(application.database.close)
        stack.push_async_callback(application.authenticator.close)
        try:
            for hook in application.hooks:
                await stack.enter_async_context(hook(application))
        except Exception as error:
            application.start_error = error
            raise
        yield


def open_database(service: str, settings: ServiceSettings) -> Database:
    """Make the process's `Database` as the settings say; it connects at its first use."""
    return Database(
        settings.database_url,
        application_name=service,
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_overflow,
    )
