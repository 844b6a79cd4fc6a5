"""Check 40: what is refused stands in the audit: in office as an entry, else as a number by the hour."""

import re
from uuid import UUID

from fastapi.routing import APIRoute

from database import Database, new_id, raw
from identity.app import SERVICE
from webapi.access import WORDS, declared

from .front_end import Tokens
from .provider import Provider


async def counted(database: Database, actor: UUID) -> dict[str, int]:
    async with database.read() as session:
        rows = await (await raw(session)).fetch("select action, times from audit.refusal where actor = $1", actor)
    return {row["action"]: row["times"] for row in rows}


async def entries(database: Database, actor: UUID) -> list[tuple[str, str | None, object]]:
    async with database.read() as session:
        rows = await (await raw(session)).fetch(
            "select action, rule, subject from audit.entry where actor = $1 and decision = 'refused' order by id", actor
        )
    return [tuple(row) for row in rows]


def operations() -> list[tuple[str, str, str]]:
    """Give every operation that takes a permission alone and no body: method, path and what it is recorded as."""
    found = []
    for router in SERVICE.routers:
        for route in router.routes:
            rules = set(declared(route))
            if isinstance(route, APIRoute) and rules and not WORDS & rules and route.body_field is None:
                extra, name = (route.openapi_extra or {}).get("x-audited"), route.name.rstrip("_")
                action = extra[0] if isinstance(extra, list) else f"identity.refused.{name}"
                found.append((next(iter(route.methods or ())), route.path, action))
    return found


async def ask(provider: Provider, tokens: Tokens, method: str, path: str) -> int:
    path = re.sub(r"\{\w+\}", lambda named: "docs" if named[0] == "{client_id}" else str(new_id()), path)
    return (await provider.http.request(method, path, headers=tokens.headers)).status_code


async def test_tries_of_strangers_are_counted_at_every_operation(provider: Provider) -> None:
    stranger_id, stranger = await provider.signed_in()
    expected: dict[str, int] = {}
    for method, path, action in operations():
        assert await ask(provider, stranger, method, path) == 403, path
        expected[action] = expected.get(action, 0) + 1
    assert len(expected) > 10
    assert await counted(provider.database, stranger_id) == expected
    assert await entries(provider.database, stranger_id) == []


async def test_what_somebody_in_office_is_refused_is_an_entry_that_concerns_nobody(provider: Provider) -> None:
    county = await provider.establish()
    officer_id, officer = await provider.signed_in(("security_administrator", county))
    for path in (
        "role-assignments/{id}/refusal",
        "accounts/{id}/sessions/revocation",
        "clients/{client_id}/suspension",
    ):
        assert await ask(provider, officer, "POST", f"/v1/{path}") in {403, 404}, path
    await provider.http.get("/v1/me", headers=officer.headers)
    body = {"person_id": str(officer_id), "role": "officer", "organisation_id": str(county)}
    refused = await provider.http.post("/v1/role-assignments", json=body, headers=officer.headers)
    assert refused.json()["type"] == "/problems/role_for_oneself"
    assert await entries(provider.database, officer_id) == [
        ("identity.role.refused", "not_found", None),
        ("identity.sessions.revoked", "not_found", None),
        ("identity.client.suspended", "permission_missing", None),
        ("identity.role.granted", "role_for_oneself", None),
    ]
