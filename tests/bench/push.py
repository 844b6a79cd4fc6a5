"""[push]: acts sent later in one envelope, beside the same commands sent one by one on one connection."""

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from uuid import UUID

from database import new_id, utc_now
from testkit.tokens import TokenIssuer
from tests.bench.command import BRANCH, FIRST_PERSON, SECRETARY, opened_activities, scheduled
from tests.bench.forward import opened_gateway
from tests.bench.load import UnexpectedAnswer, answered_per_second, http_request
from tests.bench.results import Result
from tests.bench.stage import Stage, median_pair

ROUNDS = 5
ACTS = 200
_OF_KIND = {"register": "registrations", "attend": "attendances"}
_LONG_ENOUGH = 120.0


async def measure(stage: Stage) -> list[Result]:
    """Let a person register for and attend half as many activities, another person in each round, in either way."""
    async with AsyncExitStack() as stack:
        issuer = stack.enter_context(TokenIssuer())
        service = await stack.enter_async_context(opened_activities(stage, issuer))
        door, _ = await stack.enter_async_context(opened_gateway(stage, issuer, service))
        secretary = issuer.headers(SECRETARY, [("branch_secretary", BRANCH)])
        activities = await scheduled(service, secretary, stage.of(ACTS // 2, least=5))
        people = [UUID(int=FIRST_PERSON + number) for number in range(2 * (ROUNDS + 1))]

        async def together() -> float:
            person = people.pop()
            envelope = _envelope(person, activities, issuer.headers(person))
            return len(activities) * len(_OF_KIND) * await _answered(door, [envelope])

        async def one_by_one() -> float:
            return await _answered(door, _commands(activities, issuer.headers(people.pop())))

        rounds = 1 + stage.of(ROUNDS)
        await together(), await one_by_one()  # the first of each opens connections
        value, ceiling = await median_pair(rounds - 1, together, one_by_one)
        async with stage.database(stage.postgres.url("activities")) as database, database.look() as connection:
            done = await connection.fetchval("select sum(version) from participation")
        if done != 2 * rounds * len(activities) * len(_OF_KIND):
            raise UnexpectedAnswer(f"{done} acts took effect")
    note = f"{ACTS} acts in one envelope; beside them, the same commands one by one on one connection"
    return [Result("push", value, "acts/s", ceiling, 1.5, note=note)]


async def _answered(port: int, requests: Sequence[bytes]) -> float:
    waiting = iter(requests)
    return await answered_per_second(port, lambda _: next(waiting, None), connections=1, seconds=_LONG_ENOUGH)


def _envelope(person: UUID, activities: Sequence[UUID], headers: dict[str, str]) -> bytes:
    acts = [
        {
            "op_id": str(new_id()),
            "person_id": str(person),
            "kind": kind,
            "subject_id": str(activity),
            "acted_at": utc_now().isoformat(),
            "body": {"mode": "remote"} if kind == "attend" else {},
        }
        for activity in activities
        for kind in _OF_KIND
    ]
    return http_request("POST", "/v1/sync/push", headers, json.dumps({"device_id": "phone", "ops": acts}).encode())


def _commands(activities: Sequence[UUID], headers: dict[str, str]) -> list[bytes]:
    return [
        http_request(
            "POST",
            f"/v1/activities/{activity}/{path}",
            {**headers, "idempotency-key": str(new_id())},
            json.dumps({"mode": "remote", "attended_at": utc_now().isoformat()}).encode() if kind == "attend" else b"",
        )
        for activity in activities
        for kind, path in _OF_KIND.items()
    ]
