"""A client of others goes over its quota, is suspended and let in again, while everybody else goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest

from tests.flows.conftest import DEMO_PASSWORD, URL, System
from tests.flows.people import within
from tests.flows.ways_in import agree_to_client, registered

pytestmark = pytest.mark.skipif(URL is not None, reason="it registers clients, which a system in use keeps")

REQUESTS = 5
TOLD_SECONDS = 5.0
OWN = "/v1/members/me"


@asynccontextmanager
async def signed_in(system: System, client_id: str) -> AsyncIterator[httpx.AsyncClient]:
    """Have a person agree to a client; give its connection, with that person's token."""
    given = await agree_to_client(system.url, client_id, "member.demo", DEMO_PASSWORD, scope="openid members.read")
    async with httpx.AsyncClient(base_url=system.url, trust_env=False, timeout=20) as http:
        answer = await http.post("/oauth2/token", data={**given, "client_id": client_id})
        http.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"
        yield http


async def asked(http: httpx.AsyncClient, path: str = OWN) -> str | None:
    """Ask once; give the type of the problem, None when there is none."""
    answer = await http.get(path)
    return None if answer.status_code == 200 else answer.json()["type"]


async def test_a_client_over_its_quota_waits_and_another_is_untouched(system: System) -> None:
    scopes = ["openid", "members.read"]
    async with system.person("administrator") as proposer, system.person("security") as reviewer:
        greedy = await registered(proposer, reviewer, scopes=scopes, requests_per_minute=REQUESTS)
        modest = await registered(proposer, reviewer, scopes=scopes)
    async with (
        signed_in(system, greedy["client_id"]) as http,
        signed_in(system, modest["client_id"]) as other,
    ):

        async def is_over() -> bool:
            return await asked(http) is not None

        await within(TOLD_SECONDS, is_over)
        over = await http.get(OWN)
        assert (over.status_code, over.json()["type"]) == (429, "/problems/too_many_requests")  # one person's half
        assert 1 <= int(over.headers["retry-after"]) <= 1.5 * 60 / (REQUESTS // 2) + 1
        assert await asked(http, "/oauth2/userinfo") == "/problems/too_many_requests"
        assert [await asked(other) for _ in range(2 * REQUESTS)] == [None] * 2 * REQUESTS


async def test_a_suspended_client_is_refused_within_seconds_and_let_in_again(system: System) -> None:
    async with system.person("administrator") as proposer, system.person("security") as reviewer:
        client_id = (await registered(proposer, reviewer, scopes=["openid", "members.read"]))["client_id"]
        modest = (await registered(proposer, reviewer, scopes=["openid", "members.read"]))["client_id"]
        async with signed_in(system, client_id) as http, signed_in(system, modest) as other:
            assert await asked(http) is None
            for path, said in (("suspension", "/problems/client_suspended"), ("resumption", None)):
                await reviewer.post(f"/v1/clients/{client_id}/{path}", status=200)

                async def holds(said: str | None = said) -> bool:
                    return await asked(http) == said

                await within(TOLD_SECONDS, holds)
                assert await asked(http, "/oauth2/userinfo") == said
                assert await asked(other) is None


async def test_pages_at_a_clients_address_may_ask_once_it_is_approved_and_no_longer_while_it_is_suspended(
    system: System,
) -> None:
    origin = f"https://{uuid4().hex}.example"
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    async with (
        system.person("administrator") as proposer,
        system.person("security") as reviewer,
        httpx.AsyncClient(base_url=system.url, trust_env=False, timeout=20) as browser,
    ):
        assert (await browser.options(OWN, headers=asked)).status_code == 403
        client = await registered(proposer, reviewer, scopes=["openid"], redirect_uris=[f"{origin}/callback"])
        for path, said in ((None, 204), ("suspension", 403), ("resumption", 204)):
            if path is not None:
                await reviewer.post(f"/v1/clients/{client['client_id']}/{path}", status=200)

            async def holds(said: int = said) -> bool:
                return (await browser.options(OWN, headers=asked)).status_code == said

            await within(TOLD_SECONDS, holds)
