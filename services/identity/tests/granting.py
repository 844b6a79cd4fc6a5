"""Quick ways to grant roles over HTTP, and to see what came of it."""

from typing import Any
from uuid import UUID

import httpx
import orjson
from joserfc import jws
from sqlalchemy import text

from .front_end import Tokens
from .provider import Provider


async def grant(provider: Provider, tokens: Tokens, **body: object) -> httpx.Response:
    content = {name: str(value) for name, value in body.items()}
    return await provider.http.post("/v1/role-assignments", json=content, headers=tokens.headers)


async def end(provider: Provider, tokens: Tokens, assignment_id: object) -> httpx.Response:
    return await provider.http.delete(f"/v1/role-assignments/{assignment_id}", headers=tokens.headers)


async def events_of(provider: Provider, aggregate_id: object) -> list[dict[str, Any]]:
    async with provider.database.read() as session:
        rows = await session.execute(
            text("select payload from outbox where aggregate_id = :id order by id"), {"id": UUID(str(aggregate_id))}
        )
        return [orjson.loads(payload) for (payload,) in rows]


def roles_in(tokens: Tokens) -> list[str]:
    payload = jws.extract_compact(tokens.access.encode()).payload or b""
    return [held["role"] for held in orjson.loads(payload)["roles"]]


async def decide(provider: Provider, tokens: Tokens, assignment_id: object, word: str) -> httpx.Response:
    return await provider.http.post(f"/v1/role-assignments/{assignment_id}/{word}", headers=tokens.headers)


async def delegate(provider: Provider, tokens: Tokens, source_id: object, **body: object) -> httpx.Response:
    content = {name: str(value) for name, value in body.items()}
    path = f"/v1/role-assignments/{source_id}/delegations"
    return await provider.http.post(path, json=content, headers=tokens.headers)


async def with_second_factor(provider: Provider, tokens: Tokens) -> Tokens:
    return await provider.with_second_factor(tokens)


async def strongly_signed_in(provider: Provider, *roles: tuple[str, UUID]) -> tuple[UUID, Tokens]:
    person_id, tokens = await provider.signed_in(*roles)
    return person_id, tokens if roles else await provider.with_second_factor(tokens)
