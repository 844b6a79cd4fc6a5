"""Gathering a person's file from services of which one may be away, in that person's own name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
import pytest_asyncio

import privacy
from contracts.identity import ExportRequestedV1
from database import Database, new_id, raw
from gateway.app import SERVICE
from gateway.exporting.collector import MOST_AT_ONCE
from gateway.forwarding.limits import LARGEST_HEAD
from gateway.forwarding.routing import public_routes
from gateway.settings import Settings
from gateway.worker import OWN_DATA
from testkit.delivery import tell
from testkit.tokens import TokenIssuer

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
        self.held: asyncio.Event | None = None
        self.talkative: str | None = None
        self.database: Database

    def behaviour(self, service: str) -> Any:
        async def behave(talk: Talk, asked: Asked) -> None:
            self.seen.append((service, asked.target, asked.header(b"authorization")))
            if self.held is not None and asked.target == f"/v1/export-parts/members/{EXPORT}".encode():
                await self.held.wait()
            if asked.target.startswith(b"/v1/me/export-requests"):
                await talk.say(self.identity(asked))
            elif self.parts[service] != 200:
                await talk.say(said(self.parts[service]))
            elif b"only_state" in asked.target:
                await talk.say(b"HTTP/1.1 204 X\r\n\r\n")
            else:
                data = {"all": "x" * 2000} if service == self.talkative else {}
                await talk.say(said(200, {"service": service, "schema_version": 1, "data": data}))

        return behave

    def identity(self, asked: Asked) -> bytes:
        if self.refusal is not None:
            return self.refusal
        if asked.method == b"POST":
            return said(201, FACTS)
        if b"?limit=1" in asked.target:
            return said(200, {"items": self.requests, "next_cursor": None})
        known = asked.target.endswith(str(EXPORT).encode())
        return said(200, FACTS) if known else said(404, {"type": "/problems/not_found"})

    async def fetched(self) -> int:
        """Count how often the audit says that the gateway's own part was given."""
        async with self.database.read() as session:
            found: int = await (await raw(session)).fetchval(
                "select count(*) from audit.entry where action = 'gateway.export.fetched'"
            )
        return found

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
        application = SERVICE.application(settings)
        database = Database(database_url, application_name="tests")
        await tell(database, privacy.handlers(OWN_DATA), ExportRequestedV1(export_id=UUID(str(EXPORT)), person_id=me))
        await privacy.Parts("gateway", OWN_DATA).compose_all(database)
        made.headers = issuer.headers(me, acr="2")
        made.database = database
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


async def test_the_file_is_given_to_who_proved_two_factors(system: System, issuer: TokenIssuer) -> None:
    """Also where identity, which asks for two factors where the account has them, lets the person ask."""
    system.headers = issuer.headers(new_id(), acr="1")
    for path in (f"exports/{EXPORT}/file", "export"):
        refused = await system.get(path)
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/step_up_required")
        assert 'acr_values="2"' in refused.headers["www-authenticate"]
    assert not any(b"export-parts" in path for _, path, _ in system.seen)


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


async def test_reading_the_newest_export_starts_none(system: System) -> None:
    system.requests = []
    refused = await system.get("export")
    assert (refused.status_code, refused.json()["type"]) == (404, "/problems/no_export_yet")
    assert [target for _, target, _ in system.seen] == [b"/v1/me/export-requests?limit=1"]


async def test_somebody_elses_export_is_not_found(system: System) -> None:
    for path in (f"exports/{new_id()}", f"exports/{new_id()}/file"):
        assert (await system.get(path)).status_code == 404


async def test_nothing_is_given_or_told_to_whom_identity_would_not_let_ask_for_it(system: System) -> None:
    for status, problem in ((401, "step_up_required"), (403, "first_party_only")):
        system.refusal, system.seen = said(status, {"type": f"/problems/{problem}"}), []
        for path in (f"exports/{EXPORT}", f"exports/{EXPORT}/file", "export"):
            refused = await system.get(path)
            assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{problem}"), path
        assert {service for service, _, _ in system.seen} == {"identity"}
        assert not any(b"export-parts" in target for _, target, _ in system.seen)


@pytest.mark.parametrize("service", [*SERVICES, "gateway"])
async def test_a_part_by_itself_is_not_to_be_had_from_outside(system: System, service: str) -> None:
    assert (await system.get(f"../export-parts/{service}/{EXPORT}")).status_code == 404
    assert public_routes().find(f"/v1/export-parts/{service}/{EXPORT}".encode()) is None


async def test_the_gateways_own_part_is_recorded_as_fetched_when_the_file_is_given(system: System) -> None:
    await system.get(f"exports/{EXPORT}")
    assert await system.fetched() == 0
    assert (await system.get(f"exports/{EXPORT}/file")).status_code == 200
    assert await system.fetched() == 1


async def test_few_archives_are_made_at_once_and_the_others_are_told_to_come_again(system: System) -> None:
    system.held = asyncio.Event()
    made = [asyncio.create_task(system.get(f"exports/{EXPORT}/file")) for _ in range(MOST_AT_ONCE)]
    async with asyncio.timeout(5):
        while sum(b"export-parts/members" in target for _, target, _ in system.seen) < MOST_AT_ONCE:
            await asyncio.sleep(0.01)
    for path in (f"exports/{EXPORT}/file", "export"):
        full = await system.get(path)
        assert (full.status_code, full.json()["type"]) == (503, "/problems/too_many_archives")
        assert int(full.headers["retry-after"]) > 0
    assert (await system.get(f"exports/{EXPORT}")).status_code == 200
    system.held.set()
    assert [(await answer).status_code for answer in made] == [200] * MOST_AT_ONCE
    system.parts["learning"] = 202  # what cannot be made leaves room for the next
    assert [(await system.get(f"exports/{EXPORT}/file")).status_code for _ in range(MOST_AT_ONCE + 1)] == [409] * 3
    system.parts["learning"] = 200
    assert (await system.get(f"exports/{EXPORT}/file")).status_code == 200


async def test_a_part_too_large_for_the_file_is_named_and_not_said_to_be_under_way(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.exporting.collector.LARGEST_PART", 1000)
    assert (await system.get(f"exports/{EXPORT}/file")).status_code == 200
    system.talkative = "learning"
    for path in (f"exports/{EXPORT}/file", "export"):
        refused = await system.get(path)
        problem = refused.json()
        assert (refused.status_code, problem["type"]) == (409, "/problems/part_too_large"), path
        assert problem["service"] == "learning"


async def test_a_head_too_large_to_be_passed_on_is_refused_as_the_door_refuses_it(system: System) -> None:
    system.headers["accept-language"] = "zh".ljust(LARGEST_HEAD - 14)
    for path in (f"exports/{EXPORT}", f"exports/{EXPORT}/file", "export"):
        refused = await system.get(path)
        assert (refused.status_code, refused.json()["type"]) == (431, "/problems/headers_too_large"), path
    assert system.seen == []
