"""The caller of a route: who asks, on which organisations a permission holds, and the transaction of a command."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, NamedTuple, Protocol
from uuid import UUID

import asyncpg
from fastapi import Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from database import Database, raw, utc_now
from webapi.access import require_declared, require_person, takes_two_factors
from webapi.assistance import AssistedRecorder, require_assistable
from webapi.authentication import Authenticator, Principal, bearer_token
from webapi.bodies import ShownOnce, Versioned
from webapi.idempotency import BODY_HASH, Claim, answer, read_key
from webapi.languages import Language, language_of
from webapi.marks import F, marking
from webapi.problems import PERMISSION_MISSING, Refusal
from webapi.scopes import require_scopes
from webapi.step_up import TWO_FACTORS, reaches, require_acr
from webapi.versions import etag

_ASKS: Final = "__asks_for_token__"

CALLER: Final = "xiangqiao.caller"
"""Who asks, in a request's scope, once it is known."""

RemitResolver = Callable[[Sequence[tuple[str, UUID]], str, AsyncSession | None], Awaitable[frozenset[UUID]]]
"""Gives the organisations on which roles, each held on an organisation, give a permission: (roles, permission).

With a session it is read there and now, without one it may be some seconds old.
"""


class RefusedWithEffect(Exception):
    """Raised inside `command()` for an `error` whose command commits all the same: a wrong try that must count."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.error = error


class Command:
    """A command's transaction: `session` to work in, `now` its one time, `respond` its answer."""

    __slots__ = ("_claim", "_relied_on", "now", "session")

    def __init__(
        self, session: AsyncSession, now: datetime, claim: Claim | None, relied_on: Collection[tuple[str, UUID]]
    ) -> None:
        self.session = session
        self.now = now
        self._claim = claim
        self._relied_on = relied_on

    async def respond(self, status: int, model: BaseModel | None = None, *, location: str | None = None) -> Response:
        """Make the answer and keep it under the Idempotency-Key, in this transaction.

        `location` is the path of what was created, for the Location header. A model that is `ShownOnce` is not kept.
        """
        body, tag = b"" if model is None else to_json(model), _tag_of(model)
        if self._claim is not None:
            await self._claim.keep(
                await raw(self.session),
                status,
                location,
                body,
                etag=tag,
                relied_on=self._relied_on,
                shown_once=isinstance(model, ShownOnce),
            )
        return answer(body, status, location, tag, shown_once=isinstance(model, ShownOnce))


def to_json(model: BaseModel) -> bytes:
    """Write a response model as JSON, by alias."""
    return type(model).__pydantic_serializer__.to_json(model, by_alias=True)


class RecordedRead(NamedTuple):
    """The transaction of a read that is recorded: `session` to work in, `now` its one time."""

    session: AsyncSession
    now: datetime


class AuthenticatedCaller:
    """Who asks. Routes receive it as a parameter of type `Caller`; without a good token the answer is 401."""

    __slots__ = ("_database", "_relied_on", "_request", "_resolve", "_withheld", "principal", "refusal_recorded")

    def __init__(
        self, request: Request, principal: Principal, database: Database, resolve: RemitResolver | None
    ) -> None:
        self._request = request
        self._database = database
        self._resolve = resolve
        self._relied_on: set[tuple[str, UUID]] = set()
        self._withheld = False
        self.principal = principal
        self.refusal_recorded = False

    @property
    def person_id(self) -> UUID:
        """The person who asks, or for whom a helper asks."""
        return self.principal.person_id

    @property
    def language(self) -> Language:
        """The language of the answer, "zh" or "en"."""
        return language_of(self._request.scope["headers"])

    @property
    def places(self) -> frozenset[UUID]:
        """Where the caller has what this request asked for so far; nowhere, who has none of it."""
        return frozenset(place for _, place in self._relied_on)

    async def remit(self, *permissions: str) -> frozenset[UUID]:
        """Give the organisations under which this caller has a permission.

        Of several permissions any one will do. Raises the 403 problem `permission_missing` when there is none, the 401
        problem `step_up_required` before two factors, unless the route declares `one_factor`, and `AccessUndeclared`
        where it does not declare the permission (`webapi.access`).
        """
        route = self._request.scope.get("route")
        for permission in permissions:
            require_declared(route, permission)
        first, *others = [await self._held(permission) for permission in permissions]
        found = first.union(*others) if others else first
        if not found:
            raise Refusal(PERMISSION_MISSING, permission=permissions[0])
        if takes_two_factors(route):
            self.require_acr(TWO_FACTORS)
        return found

    async def remit_if_any(self, permission: str) -> frozenset[UUID]:
        """Give the same, empty when there is none: for what staff see beside what everyone sees of their own.

        Before two factors, where it takes them, everybody sees their own alone: see `require_nothing_withheld`.
        """
        found = await self._held(permission)
        if found and takes_two_factors(self._request.scope.get("route")) and not reaches(self.principal, TWO_FACTORS):
            self._withheld = True
            return frozenset()
        return found

    def require_nothing_withheld(self) -> None:
        """Raise the 401 problem `step_up_required` where two factors would have shown more than one's own."""
        if self._withheld:
            self.require_acr(TWO_FACTORS)

    async def _held(self, permission: str) -> frozenset[UUID]:
        found = await self._remit(permission)
        self._relied_on |= {(permission, place) for place in found}
        return found

    async def _remit(self, permission: str, session: AsyncSession | None = None) -> frozenset[UUID]:
        if self._resolve is None:
            raise RuntimeError("the application was given no remit_resolver")
        return await self._resolve(self.principal.roles, permission, session) if self.principal.roles else frozenset()

    def require_acr(self, level: str, max_age: timedelta | None = None) -> None:
        """Demand that the person proved who they are at `level` ("1" to "3"), and no longer than `max_age` ago.

        Raises the 401 problem `step_up_required`, which tells the client what to ask the authorization endpoint for
        (RFC 9470). A helper who acts for the person never meets it.
        """
        require_acr(self.principal, level, max_age, now=utc_now().timestamp())

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a read-only transaction."""
        return self._database.read()

    def look(self) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """Give a connection to read by one statement, for which no transaction is begun: half of what `read` costs."""
        return self._database.look()

    @asynccontextmanager
    async def recorded_read(self) -> AsyncIterator[RecordedRead]:
        """Open a transaction for a read that leaves an entry in the audit; it commits before the answer is sent.

        It is never answered from a stored answer: whoever asks again reads again, and stands on the record again.
        """
        async with self._database.transaction() as session:
            yield RecordedRead(session, utc_now())

    def apart(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction of its own, for what is to be kept although the request is refused."""
        return self._database.transaction()

    @asynccontextmanager
    async def command(self) -> AsyncIterator[Command]:
        """Open a command's transaction under the Idempotency-Key rule.

        It commits at the end of the block, before the answer is sent. A repeated command never enters the block: its
        first answer is sent again, to who still has every permission that was relied on. What raises
        `RefusedWithEffect` commits too, and keeps no answer.
        """
        claim, refused = self._claim(), None
        async with claim.turn if claim is not None else nullcontext(), self._database.transaction() as session:
            if claim is not None and (kept := await claim.take(await raw(session))) is not None:
                await self._require_still(kept.relied_on, session)
                raise kept.again()
            try:
                yield Command(session, utc_now(), claim, self._relied_on)
            except RefusedWithEffect as refusal:
                refused = refusal.error
            if claim is not None and refused is None:
                claim.require_answer()
            elif claim is not None:
                await claim.release(await raw(session))
        if refused is not None:
            raise refused

    async def _require_still(self, relied_on: frozenset[tuple[str, UUID]], session: AsyncSession) -> None:
        """Raise the 403 problem unless the permissions still hold where they held."""
        for permission in sorted({permission for permission, _ in relied_on}):
            places = {place for each, place in relied_on if each == permission}
            if not places <= await self._remit(permission, session):
                raise Refusal(PERMISSION_MISSING, permission=permission)

    def _claim(self) -> Claim | None:
        scope = self._request.scope
        key = read_key(scope["headers"])
        if key is None:
            return None
        body = scope[BODY_HASH].digest() if BODY_HASH in scope else b""
        request = b"\0".join((scope["method"].encode(), scope["path"].encode(), scope["query_string"], body))
        operation = f"{scope['method']} {scope['route'].path}"
        return Claim(key, self.principal, operation, request)


Admission = Callable[["AuthenticatedCaller", APIRoute], Awaitable[None]]
"""Refuses a caller a route by what a service itself knows, before the request is looked at."""


RefusalRecorder = Callable[["AuthenticatedCaller", APIRoute, str, str], Awaitable[None]]
"""Keeps that a caller was refused a route of a service: caller, route, the service's name, the problem's code."""


class _Home(Protocol):
    """What a caller needs of the application."""

    authenticator: Authenticator
    database: Database
    demanded_scopes: Mapping[str, frozenset[str]]
    remit_resolver: RemitResolver | None
    service: str
    record_assisted: AssistedRecorder | None
    admit: Admission | None


def asks_for_token(*scopes: str) -> Callable[[F], F]:
    """Mark a dependency of one's own by which a route asks for a token, so that its document says so.

    `scopes` are what the token has to hold where OAuth itself names them; without any it goes by service and method.
    """
    return marking(_ASKS, scopes)


async def caller_by(authenticator: Authenticator, request: Request) -> AuthenticatedCaller:
    """Give the caller as `authenticator` knows it; raises the 401 problem, and the 403 ones for who is not let in."""
    token = bearer_token(request.scope["headers"])
    home: _Home = request.scope["app"]
    principal = authenticator.known(token) or await authenticator.authenticate(token)
    route = request.scope["route"]
    caller = request.scope[CALLER] = AuthenticatedCaller(request, principal, home.database, home.remit_resolver)
    demanded = home.demanded_scopes[route.operation_id]
    if not principal.is_person:
        require_person(route)
    if principal.actor is not None:
        await _let_helper_in(request, home, principal, demanded)
    else:
        require_scopes(principal, demanded)
    if home.admit is not None:
        await home.admit(caller, route)
    return caller


@asks_for_token()
async def _authenticated(request: Request) -> AuthenticatedCaller:
    home: _Home = request.scope["app"]
    return await caller_by(home.authenticator, request)


async def _let_helper_in(request: Request, home: _Home, principal: Principal, demanded: frozenset[str]) -> None:
    """Refuse a helper what session or scope do not cover; either way that is recorded before anything else."""
    refused = None
    try:
        require_scopes(principal, demanded)
        require_assistable(principal, request.scope.get("endpoint"))
    except Refusal as refusal:
        refused = refusal
    if home.record_assisted is not None:
        name = getattr(request.scope.get("route"), "name", "unknown").rstrip("_")
        await home.record_assisted(
            home.database, principal, f"{home.service}.assisted.{name}"[:64], refused.problem.code if refused else None
        )
    if refused is not None:
        raise refused


Caller = Annotated[AuthenticatedCaller, Depends(_authenticated)]
"""The caller of a route, as a parameter: `caller: Caller`."""


def json_answer(model: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with a model without validating it a second time, as FastAPI would."""
    response = answer(to_json(model), status, etag=_tag_of(model))
    response.headers.update(headers or {})
    return response


def _tag_of(model: BaseModel | None) -> str | None:
    return etag(model.version) if isinstance(model, Versioned) else None


def scopes_named_by(calls: Iterable[Any]) -> tuple[str, ...] | None:
    """Give the scopes which these dependencies of a route name; None when none of them asks for a token."""
    found = [scopes for call in calls if (scopes := getattr(call, _ASKS, None)) is not None]
    return tuple(scope for scopes in found for scope in scopes) if found else None
