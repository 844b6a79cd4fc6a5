"""Speaks to the public API for one person: every command has a key, so that sending it again does it once."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import uuid4

import httpx

from standalone.refusals import CannotRun
from standalone.seed.sign_in import SignedIn

PATIENCE_SECONDS = 60.0
"""How long a request is sent again while the other side is away, busy, or has not heard of an organisation yet."""

_TOO_MANY = 429
_UNAUTHORIZED = 401
_SERVER_ERROR = 500
_CROSSED = {"changed_meanwhile", "enrolled_meanwhile"}
_NOT_HEARD_YET = {"permission_missing", "not_found", "place_unknown", "account_unknown", "parent_unknown"}

B = TypeVar("B")


class RequestRefused(CannotRun):
    """The API refused a request, or was not to be had for a minute."""

    def __init__(self, what: str, status: int | None, problem: dict[str, Any]) -> None:
        self.code = str(problem.get("type", "")).removeprefix("/problems/")
        self.problem = problem
        detail = problem.get("detail") or problem.get("title") or "no answer"
        rows = problem.get("rows") or problem.get("errors") or []
        super().__init__(f"{what}: {status or 'no answer'} {detail}" + (f" {rows[0]}" if rows else ""))


class Api:
    """The public API as one person uses it."""

    def __init__(self, http: httpx.AsyncClient, person: SignedIn) -> None:
        self._http = http
        self._person = person

    async def post(self, path: str, body: dict[str, Any], *, heard: bool = True) -> dict[str, Any]:
        """Send a command until it is answered, and give the answer.

        With `heard` False it may name what another service told of a moment ago: it is sent again until that has
        arrived. Raises `RequestRefused`.
        """
        return await self._until_answered("POST", path, body, heard=heard)

    async def get(self, path: str) -> dict[str, Any] | None:
        """Give what is there, or None when nothing is. Raises `RequestRefused`."""
        try:
            return await self._until_answered("GET", path, None, heard=True)
        except RequestRefused as refused:
            if refused.code == "not_found":
                return None
            raise

    async def _until_answered(
        self, method: str, path: str, body: dict[str, Any] | None, *, heard: bool
    ) -> dict[str, Any]:
        key = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        deadline, delay = time.monotonic() + PATIENCE_SECONDS, 0.1
        while True:
            status, problem, wait = await self._once(method, path, body, key)
            if status is not None and status < httpx.codes.BAD_REQUEST:
                return problem
            refused = RequestRefused(f"{method} {path}", status, problem)
            if refused.code in _CROSSED:
                key = {"Idempotency-Key": str(uuid4())}
            elif status == _UNAUTHORIZED:
                self._person.forget()
            elif not _passes(status) and (heard or refused.code not in _NOT_HEARD_YET):
                raise refused
            if time.monotonic() + delay > deadline:
                raise refused
            await asyncio.sleep(max(wait, delay * random.uniform(0.7, 1.3)))  # noqa: S311 - spreads repetitions
            delay = min(delay * 2, 5.0)

    async def _once(
        self, method: str, path: str, body: dict[str, Any] | None, key: dict[str, str]
    ) -> tuple[int | None, dict[str, Any], float]:
        """Send once; give the status (None: no answer), what was answered, and for how many seconds to wait."""
        try:
            headers = {**await self._person.headers(), **key, "Accept-Language": "en"}
            answer = await self._http.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            return None, {"title": f"no answer ({type(error).__name__})"}, 0.0
        try:
            content = answer.json()
        except ValueError:
            content = {}
        asked = answer.headers.get("retry-after", "0")
        return (
            answer.status_code,
            content if isinstance(content, dict) else {},
            float(asked) if asked.isdigit() else 0.0,
        )


@asynccontextmanager
async def opened(gateway_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Open connections to the gateway."""
    limits = httpx.Limits(max_connections=8)
    async with httpx.AsyncClient(base_url=gateway_url, trust_env=False, timeout=60, limits=limits) as http:
        yield http


async def few_at_a_time(batches: Iterable[B], send: Callable[[B], Awaitable[None]], *, at_once: int) -> None:
    """Send batches, at most `at_once` of them under way and in memory; the first failure ends it and is raised."""
    room = asyncio.Semaphore(at_once)

    async def send_one(batch: B) -> None:
        try:
            await send(batch)
        finally:
            room.release()

    try:
        async with asyncio.TaskGroup() as group:
            for batch in batches:
                await room.acquire()
                group.create_task(send_one(batch))
                del batch
    except ExceptionGroup as failures:
        refused = failures.subgroup(CannotRun)
        raise (refused.exceptions[0] if refused else failures) from None


def _passes(status: int | None) -> bool:
    """Say whether it is worth sending the same again: no answer, too many requests, or trouble on the other side."""
    return status is None or status == _TOO_MANY or status >= _SERVER_ERROR
