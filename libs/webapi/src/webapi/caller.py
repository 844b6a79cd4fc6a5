"""The caller of a route: who asks, on which organisations a permission holds, and the transaction of a command."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

import asyncpg
from fastapi import Depends
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from database import Database, raw, utc_now
from webapi.authentication import Authenticator, Principal, bearer_token
from webapi.idempotency import BODY_HASH, Claim, answer, read_key
from webapi.problems import PERMISSION_MISSING, Refusal, language_of

ScopeResolver = Callable[[Sequence[tuple[str, UUID]], str], Awaitable[frozenset[UUID]]]
"""Gives the organisations on which roles, each held on an organisation, give a permission: (roles, permission)."""


class Command:
    """A command's transaction: `session` to work in, `now` its one time, `respond` its answer."""

    __slots__ = ("_claim", "now", "session")

    def __init__(self, session: AsyncSession, now: datetime, claim: Claim | None) -> None:
        self.session = session
        self.now = now
        self._claim = claim

    async def respond(self, status: int, model: BaseModel | None = None, *, location: str | None = None) -> Response:
        """Make the answer and keep it under the Idempotency-Key, in this transaction.

        `location` is the path of what was created, for the Location header.
        """
        body = b"" if model is None else to_json(model)
        if self._claim is not None:
            await self._claim.keep(await raw(self.session), status, location, body)
        return answer(body, status, location)


def to_json(model: BaseModel) -> bytes:
    """Write a response model as JSON, by alias."""
    return type(model).__pydantic_serializer__.to_json(model, by_alias=True)


class RawCommand:
    """A command of a hot path: like `Command`, on the driver's own `connection`."""

    __slots__ = ("_claim", "connection", "now")

    def __init__(self, connection: asyncpg.Connection, now: datetime, claim: Claim | None) -> None:
        self.connection = connection
        self.now = now
        self._claim = claim

    async def respond(self, status: int, model: BaseModel | None = None, *, location: str | None = None) -> Response:
        """Make the answer and keep it under the Idempotency-Key, in this transaction."""
        body = b"" if model is None else to_json(model)
        if self._claim is not None:
            await self._claim.keep(self.connection, status, location, body)
        return answer(body, status, location)


class AuthenticatedCaller:
    """Who asks. Routes receive it as a parameter of type `Caller`; without a good token the answer is 401."""

    __slots__ = ("_database", "_request", "_resolve", "principal")

    def __init__(
        self, request: Request, principal: Principal, database: Database, resolve: ScopeResolver | None
    ) -> None:
        self._request = request
        self._database = database
        self._resolve = resolve
        self.principal = principal

    @property
    def person_id(self) -> UUID:
        """The person who asks, or for whom a helper asks."""
        return self.principal.person_id

    @property
    def language(self) -> str:
        """The language of the answer, "zh" or "en"."""
        return language_of(self._request.scope["headers"])

    async def scopes(self, permission: str) -> frozenset[UUID]:
        """Give the organisations under which this caller has `permission`.

        Raises the 403 problem `permission_missing` when there is none.
        """
        found = await self.scopes_if_any(permission)
        if not found:
            raise Refusal(PERMISSION_MISSING, permission=permission)
        return found

    async def scopes_if_any(self, permission: str) -> frozenset[UUID]:
        """Give the same, empty when there is none: for what staff see beside what everyone sees of their own."""
        if self._resolve is None:
            raise RuntimeError("create_app was given no scope_resolver")
        return await self._resolve(self.principal.roles, permission) if self.principal.roles else frozenset()

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a read-only transaction."""
        return self._database.read()

    @asynccontextmanager
    async def command(self) -> AsyncIterator[Command]:
        """Open a command's transaction under the Idempotency-Key rule.

        It commits at the end of the block, before the answer is sent. A repeated command never enters the block: its
        first answer is sent again.
        """
        claim = self._claim()
        async with claim.turn if claim is not None else nullcontext(), self._database.transaction() as session:
            if claim is not None:
                await claim.take(await raw(session))
            yield Command(session, utc_now(), claim)
            if claim is not None:
                claim.require_answer()

    @asynccontextmanager
    async def raw_command(self) -> AsyncIterator[RawCommand]:
        """Open a hot command's transaction on the driver's connection; otherwise the same as `command`."""
        claim = self._claim()
        async with claim.turn if claim is not None else nullcontext(), self._database.raw_transaction() as connection:
            if claim is not None:
                await claim.take(connection)
            yield RawCommand(connection, utc_now(), claim)
            if claim is not None:
                claim.require_answer()

    def _claim(self) -> Claim | None:
        scope = self._request.scope
        key = read_key(scope["headers"])
        if key is None:
            return None
        body = scope[BODY_HASH].digest() if BODY_HASH in scope else b""
        request = b"\0".join((scope["method"].encode(), scope["path"].encode(), scope["query_string"], body))
        operation = f"{scope['method']} {scope['route'].path}"
        return Claim(key, self.principal, operation, request)


class _Home(Protocol):
    """What a caller needs of the application."""

    authenticator: Authenticator
    database: Database
    scope_resolver: ScopeResolver | None


async def _authenticated(request: Request) -> AuthenticatedCaller:
    token = bearer_token(request.scope["headers"])
    home: _Home = request.scope["app"]
    principal = home.authenticator.known(token) or await home.authenticator.authenticate(token)
    return AuthenticatedCaller(request, principal, home.database, home.scope_resolver)


Caller = Annotated[AuthenticatedCaller, Depends(_authenticated)]
"""The caller of a route, as a parameter: `caller: Caller`."""


def json_answer(model: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with a model without validating it a second time, as FastAPI would."""
    return Response(to_json(model), status, headers, "application/json")


def is_protected(calls: Sequence[Any]) -> bool:
    """Say whether a route with these dependencies asks for a token."""
    return _authenticated in calls
