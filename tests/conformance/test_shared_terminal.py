"""Two people in turn on one village terminal, through the gateway: the second never sees what is the first one's."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from tests.conformance.conftest import DEVICE_CODE
from tests.outside.letting_in import let_in
from tests.outside.system import PASSWORD, OutsideSystem

pytestmark = pytest.mark.xdist_group("conformance")  # on one worker: they share one running system

FELT_WITHIN_SECONDS = 5
TERMINAL = {"client_id": "terminal", "device_id": "hall-of-stone-bridge", "device_label": "石桥村"}


async def sign_in_at(terminal: httpx.AsyncClient, system: OutsideSystem, username: str) -> dict[str, Any]:
    codes = (await terminal.post("/oauth2/device_authorization", data=TERMINAL)).json()
    await let_in(system.url, username, PASSWORD, codes["user_code"])
    asked = {"grant_type": DEVICE_CODE, "client_id": "terminal", "device_code": codes["device_code"]}
    answer = await terminal.post("/oauth2/token", data=asked)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


async def test_two_people_in_turn_on_one_terminal_do_not_see_each_others_things(system: OutsideSystem) -> None:
    grants = [DEVICE_CODE, "refresh_token"]
    scopes = ["openid", "identity.read"]
    await system.register("terminal", application_type="terminal", first_party=True, grant_types=grants, scopes=scopes)
    people = [(await system.open_person())[1] for _ in range(3)]
    async with httpx.AsyncClient(base_url=system.url, trust_env=False, timeout=20) as terminal:

        async def who(tokens: dict[str, Any]) -> httpx.Response:
            return await terminal.get("/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})

        async def is_forgotten(tokens: dict[str, Any]) -> None:
            """Refuses to refresh at once, and the access token in every service within five seconds."""
            refresh = {"grant_type": "refresh_token", "client_id": "terminal", "refresh_token": tokens["refresh_token"]}
            assert (await terminal.post("/oauth2/token", data=refresh)).json()["error"] == "invalid_grant"
            began = time.monotonic()
            while (await who(tokens)).status_code != 401:
                assert time.monotonic() - began < FELT_WITHIN_SECONDS
                await asyncio.sleep(0.05)

        first = await sign_in_at(terminal, system, people[0])
        assert (await who(first)).json()["username"] == people[0]
        given_up = {"client_id": "terminal", "token": first["refresh_token"]}
        assert (await terminal.post("/oauth2/revoke", data=given_up)).status_code == 200
        await is_forgotten(first)

        second = await sign_in_at(terminal, system, people[1])
        assert (await who(second)).json()["username"] == people[1]
        third = await sign_in_at(terminal, system, people[2])  # nobody signed the second one out
        assert (await who(third)).json()["username"] == people[2]
        await is_forgotten(second)
        assert (await who(third)).status_code == 200
