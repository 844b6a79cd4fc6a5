"""Quick ways to grant roles over HTTP, and to see what came of it."""

from typing import Any
from uuid import UUID

import httpx
import orjson
from joserfc import jws
from sqlalchemy import text

import audit
import orgtree
from database import new_id, utc_now
from identity.roles.approval import approve_role
from webapi.versions import ANYTHING

from .front_end import Tokens
from .provider import Provider


async def grant(provider: Provider, tokens: Tokens, **body: object) -> httpx.Response:
    """Grant a role; where it takes two people though it is no administration, a second one approves at once."""
    content = {name: str(value) for name, value in body.items()}
    made = await provider.http.post("/v1/role-assignments", json=content, headers=tokens.headers)
    return made if content.get("role", "").endswith("_administrator") else await approved(provider, made)


async def approved(provider: Provider, made: httpx.Response) -> httpx.Response:
    """Have a second person approve what was proposed, by the command itself; gives the answer as it was."""
    if made.status_code == 201 and made.json()["status"] == "proposed":
        second = audit.Actor(new_id(), remit={orgtree.ROOT_ID})
        async with provider.database.transaction() as session:
            made_id = UUID(made.json()["assignment_id"])
            await approve_role(session, assignment_id=made_id, expected=ANYTHING, by=second, now=utc_now())
    return made


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
    return await approved(provider, await provider.http.post(path, json=content, headers=tokens.headers))


async def with_second_factor(provider: Provider, tokens: Tokens) -> Tokens:
    return await provider.with_second_factor(tokens)


async def strongly_signed_in(provider: Provider, *roles: tuple[str, UUID]) -> tuple[UUID, Tokens]:
    person_id, tokens = await provider.signed_in(*roles)
    return person_id, tokens if roles else await provider.with_second_factor(tokens)
