"""[command] and [hot-command]: an ordinary and a hot POST of activities, beside a bare route doing two inserts."""

import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from uuid import UUID

import httpx

import orgtree
from contracts import members
from contracts.identity import RoleDefinedV1
from database import Database, new_id, utc_now
from messaging import Publication
from standalone import processes
from testkit.service_process import ServiceProcess
from testkit.tokens import TokenIssuer
from tests.bench.load import answered_per_second, http_request
from tests.bench.results import Result
from tests.bench.stage import Stage, median_pair

ROUNDS = 3
SECONDS = 4.0
PEOPLE = 2_000
ACTIVITIES = 12
MOST_SCHEDULED = 20_000
FIRST_PERSON = 0x1000
BRANCH, SECRETARY = UUID(int=0x10), UUID(int=0x20)


async def measure(stage: Stage) -> list[Result]:
    """Serve activities and the bare route beside each other, and load them in turn."""
    async with AsyncExitStack() as stack:
        issuer = stack.enter_context(TokenIssuer())
        port = await stack.enter_async_context(opened_activities(stage, issuer))
        bare = await stack.enter_async_context(_bare(stage))
        secretary = issuer.headers(SECRETARY, [("branch_secretary", BRANCH)])
        seconds, all_rounds = stage.seconds(SECONDS), stage.of(ROUNDS)
        schedules = [_schedule(secretary, stage.of(MOST_SCHEDULED, least=2_000)) for _ in range(all_rounds)]
        value, most = await median_pair(
            all_rounds,
            lambda: answered_per_second(port, schedules.pop(), seconds=seconds),
            lambda: answered_per_second(bare, _bare_request, seconds=seconds),
        )
        ordinary = Result("command", value, "requests/s", most, 0.5, note="POST /v1/activities; session, outbox, audit")
        people = [issuer.headers(UUID(int=FIRST_PERSON + number)) for number in range(stage.of(PEOPLE, least=200))]
        rounds = [await scheduled(port, secretary, ACTIVITIES) for _ in range(all_rounds)]
        value, most = await median_pair(
            all_rounds,
            lambda: answered_per_second(port, _check_ins(rounds.pop(), people), seconds=seconds),
            lambda: answered_per_second(bare, _bare_request, seconds=seconds),
        )
        hot = Result("hot-command", value, "requests/s", most, 0.8, note="POST …/attendances on the driver, gathered")
        return [ordinary, hot]


_BARE_BODY = json.dumps({"organisation_id": str(BRANCH), "title": "第四季度支部党员大会"}).encode()
_BARE_REQUEST = http_request("POST", "/things", {}, _BARE_BODY)


def _bare_request(_: int) -> bytes:
    return _BARE_REQUEST


def _activity() -> dict[str, object]:
    now = utc_now()
    return {
        "activity_id": str(new_id()),
        "organisation_id": str(BRANCH),
        "kind": "branch_meeting",
        "title": "第四季度支部党员大会",
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(hours=2)).isoformat(),
    }


def _schedule(headers: dict[str, str], count: int) -> Callable[[int], bytes]:
    """Write the requests before they are sent: what that costs is no part of what is measured."""
    made = [http_request("POST", "/v1/activities", headers, json.dumps(_activity()).encode()) for _ in range(count)]
    return made.__getitem__


def _check_ins(activities: list[UUID], people: list[dict[str, str]]) -> Callable[[int], bytes]:
    """Let each person check in to one activity after the other, so that every request writes."""

    def request(number: int) -> bytes:
        activity = activities[number // len(people) % len(activities)]
        path = f"/v1/activities/{activity}/attendances"
        return http_request("POST", path, people[number % len(people)], b'{"mode":"remote"}')

    return request


async def scheduled(port: int, headers: dict[str, str], count: int) -> list[UUID]:
    """Schedule so many activities of the branch."""
    made: list[UUID] = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        for _ in range(count):
            answer = await client.post("/v1/activities", json=_activity(), headers=headers)
            made.append(UUID(answer.raise_for_status().json()["activity_id"]))
    return made


@asynccontextmanager
async def opened_activities(stage: Stage, issuer: TokenIssuer) -> AsyncIterator[int]:
    """Serve activities, with a branch and its members; give the port."""
    url, port = await stage.migrated("activities"), processes.free_port()
    async with stage.database(url) as database:
        await _plant(database)
    environment = {
        "XIANGQIAO_DATABASE_URL": url,
        "XIANGQIAO_NATS_URL": stage.nats_url,
        "XIANGQIAO_ISSUER": issuer.issuer,
        "XIANGQIAO_JWKS_URL": issuer.jwks_url,
        "XIANGQIAO_PORT": str(port),
        "XIANGQIAO_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "activities", "api"]
    ready = f"http://127.0.0.1:{port}/health/ready"
    log = stage.folder / "activities.log"
    async with ServiceProcess(command, log=log, environment=environment, ready_url=ready):
        yield port


@asynccontextmanager
async def _bare(stage: Stage) -> AsyncIterator[int]:
    port = processes.free_port()
    environment = {"BARE_DATABASE_URL": await stage.database_url("bare"), "BARE_PORT": str(port)}
    command = [sys.executable, "-m", "tests.bench.bare"]
    ready = f"http://127.0.0.1:{port}/things"
    async with ServiceProcess(command, log=stage.folder / "bare.log", environment=environment, ready_url=ready):
        yield port


async def _plant(database: Database) -> None:
    """Bring in a branch, its secretary's role and its members, as their events would."""
    branch = members.OrganisationEstablishedV1(
        organisation_id=BRANCH, parent_id=orgtree.ROOT_ID, kind="branch", level="branch", name="某村支部"
    )
    role = RoleDefinedV1(role_id=new_id(), role="branch_secretary", permissions=("activities.activity.schedule",))
    belonging = [
        members.MemberAffiliatedV1(person_id=UUID(int=FIRST_PERSON + number), organisation_id=BRANCH)
        for number in range(PEOPLE)
    ]
    async with database.transaction() as session:
        await orgtree.HANDLERS[type(branch)](session, [Publication(branch, 1)])
        await orgtree.HANDLERS[RoleDefinedV1](session, [Publication(role, 1)])
        await orgtree.HANDLERS[members.MemberAffiliatedV1](session, [Publication(one, 1) for one in belonging])
