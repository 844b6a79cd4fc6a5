"""Who stops, hangs or ends is told of within fifteen seconds, and who is back as well, without a restart of others."""

import asyncio
from typing import Any

import httpx

from database import new_id
from orgtree import ROOT_ID
from tests.faults.town import Town, started
from tests.faults.tree import OPERATOR

SECONDS = 15.0


async def shown(client: httpx.AsyncClient, condition: str) -> dict[str, Any]:
    """Wait until people are told this of reporting a problem, for fifteen seconds at most."""
    async with asyncio.timeout(SECONDS):
        while True:
            told = (await client.get("/v1/status")).raise_for_status().json()
            cases: dict[str, Any] = next(each for each in told["capabilities"] if each["capability"] == "cases")
            if cases["condition"] == condition:
                assert condition == "fine" or not told["fine"]
                return cases
            await asyncio.sleep(0.25)


async def heard(client: httpx.AsyncClient, operator: dict[str, str], half: tuple[str, str]) -> None:
    """Wait until this half of a service was heard of."""
    async with asyncio.timeout(SECONDS):
        while True:
            listed = (await client.get("/v1/operations/status", headers=operator)).raise_for_status().json()
            if half in {(each["service"], each["role"]) for each in listed["processes"]}:
                return
            await asyncio.sleep(0.25)


async def test_a_stopped_worker_shows_within_15_s(town: Town) -> None:
    api, worker = town.process("feedback", "api"), town.process("feedback", "worker")
    behind = town.process("gateway", "worker")
    door = town.process("gateway", "api", XIANGQIAO_UPSTREAM_FEEDBACK=api.url)
    operator = town.issuer.headers(new_id(), [(OPERATOR, ROOT_ID)])
    everybody = town.issuer.headers(new_id())
    async with (
        started(api, worker, behind, door),
        httpx.AsyncClient(base_url=door.url, headers=everybody, trust_env=False) as client,
    ):
        assert (await shown(client, "fine"))["instead"] is None
        for half in ("api", "worker"):
            await heard(client, operator, ("feedback", half))
        worker.freeze()
        api.kill()
        down = await shown(client, "down")
        assert down["since"] is not None
        assert down["instead"]["zh"]
        await api.start()
        await shown(client, "behind")
        worker.thaw()
        await shown(client, "fine")

        listed = (await client.get("/v1/operations/status", headers=operator)).raise_for_status().json()
        halves = [(each["service"], each["role"], each["state"]) for each in listed["processes"]]
        assert ("feedback", "worker", "up") in halves
        assert ("feedback", "api", "away") in halves, "who was killed is told of for a while"
        assert ("gateway", "api", "up") in halves
        told = next(each for each in listed["processes"] if (each["service"], each["role"]) == ("feedback", "worker"))
        assert told["lags"] is not None
        await worker.stop()
        await asyncio.sleep(1)
        listed = (await client.get("/v1/operations/status", headers=operator)).raise_for_status().json()
        assert ("feedback", "worker") not in {(each["service"], each["role"]) for each in listed["processes"]}
        changes = (await client.get("/v1/operations/state-changes", headers=operator)).raise_for_status().json()
        mine = [each["state"] for each in changes["items"] if (each["service"], each["role"]) == ("feedback", "worker")]
        assert [state for state in mine if state != "slow"] == ["gone", "up", "away", "up"], mine
        refused = await client.get("/v1/operations/status")
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/permission_missing")
