"""What the gateway itself is asked on somebody's behalf stands in an audit of its own, and that person sees it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import orjson
import pytest_asyncio

import messaging
import orgtree
import privacy
from audit import chaining
from audit.reading import verify_database
from contracts.identity import ExportRequestedV1, RoleDefinedV1
from database import Database, new_id, raw, utc_now
from gateway.app import SERVICE
from gateway.worker import OWN_DATA
from testkit.delivery import tell
from testkit.tokens import TokenIssuer
from testkit.workers import streamed, working

from .in_process import InProcess, opened, settings_of

ME, HELPER, ASSIST = UUID(int=51), UUID(int=52), "gateway.read_home"


@pytest_asyncio.fixture
async def gateway(database_url: str, issuer: TokenIssuer) -> AsyncIterator[InProcess]:
    async with opened(settings_of(database_url, issuer)) as made:
        yield made


async def recorded(database: Database) -> list[tuple[Any, ...]]:
    async with database.read() as session:
        rows = await (await raw(session)).fetch("select * from audit.entry order by id")
    return [
        tuple(row[name] for name in ("action", "decision", "rule", "actor", "on_behalf_of", "subject")) for row in rows
    ]


async def help_at_home(gateway: InProcess, issuer: TokenIssuer) -> int:
    headers = issuer.headers(ME, actor=HELPER, actions=[ASSIST])
    return (await gateway.client.get("/v1/home", headers=headers)).status_code


async def test_a_helper_who_reads_somebodys_home_is_recorded_and_that_person_sees_it(
    gateway: InProcess, database: Database, issuer: TokenIssuer
) -> None:
    assert await help_at_home(gateway, issuer) == 200
    assert await recorded(database) == [("gateway.assisted.home", "allowed", None, HELPER, ME, ME)]
    [seen] = (await gateway.client.get("/v1/me/access-log/gateway", headers=issuer.headers(ME))).json()["items"]
    assert (seen["service"], seen["action"], seen["actor"]) == ("gateway", "gateway.assisted.home", str(HELPER))
    assert seen["assist_id"] is not None
    other = await gateway.client.get("/v1/me/access-log/gateway", headers=issuer.headers(new_id()))
    assert other.json()["items"] == []


async def test_what_a_helper_is_refused_here_is_recorded_too(
    gateway: InProcess, database: Database, issuer: TokenIssuer
) -> None:
    headers = issuer.headers(ME, actor=HELPER, actions=[ASSIST])
    for path in ("/v1/me/access-log", "/v1/me/access-log/gateway", f"/v1/overview/{orgtree.ROOT_ID}", "/v1/me/export"):
        answer = await gateway.client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not_assistable"), path
    assert [row[1:] for row in await recorded(database)] == [("refused", "not_assistable", HELPER, ME, ME)] * 4


async def test_the_own_home_and_counts_of_many_leave_nothing(
    gateway: InProcess, database: Database, issuer: TokenIssuer
) -> None:
    role = RoleDefinedV1(role_id=new_id(), role="officer", permissions=("gateway.overview.read",))
    await tell(database, orgtree.HANDLERS, role)
    headers = issuer.headers(ME, [("officer", orgtree.ROOT_ID)])
    for path in ("/v1/home", f"/v1/overview/{orgtree.ROOT_ID}", "/v1/me/access-log/gateway"):
        assert (await gateway.client.get(path, headers=headers)).status_code == 200
    assert await recorded(database) == []


async def test_the_audit_is_read_by_its_administrator_alone_and_that_is_recorded(
    gateway: InProcess, database: Database, issuer: TokenIssuer
) -> None:
    role = RoleDefinedV1(role_id=new_id(), role="audit_administrator", permissions=("gateway.audit.read",))
    await tell(database, orgtree.HANDLERS, role)
    await help_at_home(gateway, issuer)
    auditor = issuer.headers(new_id(), [("audit_administrator", orgtree.ROOT_ID)])
    found = await gateway.client.get("/v1/audit/gateway/entries", headers=auditor)
    assert [each["action"] for each in found.json()["items"]] == ["gateway.assisted.home"]
    assert [row[0] for row in await recorded(database)] == ["gateway.assisted.home", "gateway.audit.read"]
    refused = await gateway.client.get("/v1/audit/gateway/entries", headers=issuer.headers(ME))
    assert refused.status_code == 403


async def test_what_a_person_takes_away_tells_who_read_their_home(
    gateway: InProcess, database: Database, issuer: TokenIssuer
) -> None:
    export, parts = new_id(), privacy.Parts("gateway", OWN_DATA)
    await help_at_home(gateway, issuer)
    await tell(database, privacy.handlers(OWN_DATA), ExportRequestedV1(export_id=export, person_id=ME))
    await parts.compose_all(database)
    async with database.read() as session:
        part = await parts.part_of(session, export, ME, now=utc_now()) or b""
    assert [each["action"] for each in orjson.loads(part)["access_log"]] == ["gateway.assisted.home"]
    assert str(HELPER) not in part.decode()


async def test_the_worker_seals_and_tells_how_far_the_audit_is(
    gateway: InProcess, database: Database, database_url: str, issuer: TokenIssuer, nats_url: str
) -> None:
    await help_at_home(gateway, issuer)
    await chaining.chain(database)
    here = settings_of(database_url, issuer, nats_url=nats_url)
    nats = await messaging.connect(nats_url, name="tests")
    async with SERVICE.worker(here, database) as worker, working(worker):
        [told] = await streamed(nats, "gateway", 1)
    await nats.close()
    assert told["type"] == "xiangqiao.gateway.audit_chain.checkpointed.v1"
    assert told["data"]["count"] == 1
    connection = await database.connect()
    report = await verify_database(connection, None, now=utc_now())
    await connection.close()
    assert (report.service, report.entries, report.findings) == ("gateway", 1, [])
