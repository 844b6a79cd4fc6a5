"""Gathering a person's file from services of which one may be away, in that person's own name."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest_asyncio

import privacy
from contracts.identity import ExportRequestedV1
from database import Database, new_id
from gateway import own_data
from gateway.app import create_application
from gateway.settings import Settings
from testkit.tokens import TokenIssuer
from testkit.told import tell

from ..forwarding.raw_service import Asked, RawService, Talk

EXPORT = new_id()
ASKED_AT = datetime.now(UTC)
FACTS = {
    "export_id": str(EXPORT),
    "asked_at": ASKED_AT.isoformat(),
    "expires_at": (ASKED_AT + timedelta(hours=24)).isoformat(),
}
SERVICES = ("identity", "members", "activities", "learning", "feedback")


def said(status: int, content: Any = None, *headers: bytes) -> bytes:
    body = b"" if content is None else orjson.dumps(content)
    head = b"".join(header + b"\r\n" for header in headers)
    return b"HTTP/1.1 %d X\r\n%bcontent-length: %d\r\n\r\n%b" % (status, head, len(body), body)


class System:
    """The gateway before five services that answer as `parts` says: 200 with a part, 202, or an error."""

    def __init__(self) -> None:
        self.parts: dict[str, int] = dict.fromkeys(SERVICES, 200)
        self.requests = [FACTS]
        self.refusal: bytes | None = None
        self.seen: list[tuple[str, bytes, bytes | None]] = []
        self.client: httpx.AsyncClient
        self.headers: dict[str, str] = {}
        self.old_headers: dict[str, str] = {}

    def behaviour(self, service: str) -> Any:
        async def behave(talk: Talk, asked: Asked) -> None:
            self.seen.append((service, asked.target, asked.header(b"authorization")))
            if asked.target.startswith(b"/v1/me/export-requests"):
                await talk.say(self.identity(asked))
            elif self.parts[service] != 200:
                await talk.say(said(self.parts[service]))
            elif b"only_state" in asked.target:
                await talk.say(b"HTTP/1.1 204 X\r\n\r\n")
            else:
                await talk.say(said(200, {"service": service, "schema_version": 1, "data": {}}))

        return behave

    def identity(self, asked: Asked) -> bytes:
        if asked.method == b"POST":
            return self.refusal or said(201, FACTS)
        if b"?limit=1" in asked.target:
            return said(200, {"items": self.requests, "next_cursor": None})
        known = asked.target.endswith(str(EXPORT).encode())
        return said(200, FACTS) if known else said(404, {"type": "/problems/not_found"})

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(f"/v1/me/{path}", headers=self.headers)


@pytest_asyncio.fixture
async def system(database_url: str, issuer: TokenIssuer) -> AsyncIterator[System]:
    made, me = System(), new_id()
    async with AsyncExitStack() as stack:
        urls = {
            f"upstream_{service}": (await stack.enter_async_context(RawService(made.behaviour(service)))).url
            for service in SERVICES
        }
        told = {"database_url": database_url, "nats_url": "nats://127.0.0.1:1", "issuer": issuer.issuer}
        settings = Settings.model_validate({**told, **urls, "jwks_url": issuer.jwks_url, "operations_port": 0})
        application = create_application(settings)
        database = Database(database_url, application_name="tests")
        await tell(
            database, privacy.handlers(own_data.forget), ExportRequestedV1(export_id=UUID(str(EXPORT)), person_id=me)
        )
        await privacy.Parts("gateway", own_data.compose).compose_all(database)
        made.headers = issuer.headers(me)
        made.old_headers = issuer.headers(me, authenticated_at=time.time() - 601)
        made.client = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://gateway.test")
        )
        yield made
        await database.close()
        await application.database.close()
        await application.authenticator.close()


async def test_progress_counts_the_parts_and_the_file_waits_for_all(system: System) -> None:
    system.parts |= {"feedback": 503, "learning": 202}
    state = (await system.get(f"exports/{EXPORT}")).json()
    assert (state["done"], state["total"], state["file"]) == (4, 6, None)
    assert {each["service"]: each["state"] for each in state["parts"] if each["state"] != "done"} == {
        "feedback": "unreachable",
        "learning": "composing",
    }
    refused = await system.get(f"exports/{EXPORT}/file")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/export_not_ready")
    under_way = await system.get("export")
    assert (under_way.status_code, under_way.headers["location"]) == (202, f"/v1/me/exports/{EXPORT}")

    system.parts |= {"feedback": 200, "learning": 200}  # it came back, and went on where it was
    state = (await system.get(f"exports/{EXPORT}")).json()
    assert (state["done"], state["file"]) == (6, f"/v1/me/exports/{EXPORT}/file")
    for path in (f"exports/{EXPORT}/file", "export"):
        file = await system.get(path)
        assert (file.status_code, file.headers["content-type"]) == (200, "application/zip")
        assert "attachment" in file.headers["content-disposition"]


async def test_every_service_is_asked_with_the_persons_own_token(system: System) -> None:
    await system.get(f"exports/{EXPORT}/file")
    assert {service for service, _, _ in system.seen} == set(SERVICES)
    assert {token for _, _, token in system.seen} == {system.headers["Authorization"].encode()}


async def test_what_identity_demands_of_the_person_is_passed_on(system: System) -> None:
    challenge = b'www-authenticate: Bearer error="insufficient_user_authentication", max_age="600"'
    system.refusal = said(401, {"type": "/problems/step_up_required"}, challenge)
    system.requests = []
    started = await system.client.post("/v1/me/exports", headers=system.headers)
    newest = await system.get("export")
    for answer in (started, newest):
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/step_up_required")
        assert 'max_age="600"' in answer.headers["www-authenticate"]


async def test_somebody_elses_export_is_not_found(system: System) -> None:
    for path in (f"exports/{new_id()}", f"exports/{new_id()}/file"):
        assert (await system.get(path)).status_code == 404


async def test_the_file_is_given_to_who_signed_in_a_moment_ago_and_progress_to_anybody_of_theirs(
    system: System,
) -> None:
    for path in (f"exports/{EXPORT}/file", "export"):
        refused = await system.client.get(f"/v1/me/{path}", headers=system.old_headers)
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/step_up_required")
    assert (await system.client.get(f"/v1/me/exports/{EXPORT}", headers=system.old_headers)).status_code == 200
    assert (await system.get(f"exports/{EXPORT}/file")).status_code == 200
