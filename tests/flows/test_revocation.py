"""What ends a token is felt in every service within five seconds, whatever happens to the bus and to the services."""

import asyncio
import logging
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from standalone.data_directory import DataDirectory
from standalone.demonstration import access_token
from standalone.services import NAMES
from tests.flows.conftest import System
from tests.flows.doors import Doors
from tests.flows.front_end import Tokens, refresh, sign_in
from tests.flows.people import Person, open_account

_log = logging.getLogger(__name__)

PASSWORD = "一个会被收回的口令-2026"
BAR_SECONDS = 5.0


class Everywhere:
    """All doors there are, as somebody with a token finds them."""

    def __init__(self, doors: Doors) -> None:
        self.doors = doors
        self.url = doors.url
        self.home = doors.home
        self.http = httpx.AsyncClient(trust_env=False, timeout=20)

    async def statuses(self, tokens: Tokens) -> dict[str, int]:
        """Ask at every door; 0 is no answer."""

        async def ask(url: str) -> int:
            try:
                answer = await self.http.get(url, headers=tokens.headers)
            except httpx.TransportError:
                return 0
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                assert answer.json()["type"] == "/problems/token_invalid"
            return answer.status_code

        doors = self.doors.urls
        return dict(zip(doors, await asyncio.gather(*map(ask, doors.values())), strict=True))

    async def require_open(self, tokens: Tokens) -> None:
        """See to it that the token is good, and remembered, at every door."""
        for _ in range(2):
            statuses = await self.statuses(tokens)
            assert set(statuses.values()) == {httpx.codes.OK}, statuses

    async def closed_after(self, tokens: Tokens, began: float) -> None:
        """Wait until every door refuses the token; fail when that takes longer than the bar allows since `began`."""
        while True:
            statuses = await self.statuses(tokens)
            took = time.monotonic() - began
            if set(statuses.values()) == {httpx.codes.UNAUTHORIZED}:
                _log.info("refused at every door after %.2f s", took)
                return
            assert took < BAR_SECONDS, statuses
            await asyncio.sleep(0.05)

    async def until_ready(self) -> None:
        """Wait until every service says that it can work."""
        async with asyncio.timeout(90):
            for url in self.doors.ready_urls.values():
                while not await self._is_ready(url):
                    await asyncio.sleep(0.1)

    async def _is_ready(self, url: str) -> bool:
        try:
            answer = await self.http.get(url)
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK


@pytest_asyncio.fixture
async def everywhere(system: System) -> AsyncIterator[Everywhere]:
    if system.data is None:
        pytest.skip("the system runs elsewhere")
    made = Everywhere(Doors(system.url, DataDirectory(system.data)))
    yield made
    await made.http.aclose()


@pytest_asyncio.fixture
async def security(system: System) -> AsyncIterator[Person]:
    async with system.person("security") as person:
        yield person


@pytest_asyncio.fixture
async def opened(system: System) -> dict[str, Any]:
    """An account of somebody new."""
    username, county = f"revoked.{secrets.token_hex(4)}", system.seeded.county_id
    async with system.person("administrator") as opener:
        person_id = await open_account(opener, system.url, username=username, password=PASSWORD, organisation_id=county)
    return {"username": username, "person_id": person_id}


async def entered(system: System, opened: dict[str, Any]) -> Tokens:
    return await sign_in(system.url, opened["username"], PASSWORD)


def modes_of(folder: Path) -> dict[str, int]:
    """Give the permissions of each file."""
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


async def sign_out(everywhere: Everywhere, tokens: Tokens) -> float:
    """End one's own session; give the moment."""
    path = f"{everywhere.url}/v1/me/sessions/{tokens.claims['sid']}"
    began = time.monotonic()
    assert (await everywhere.http.delete(path, headers=tokens.headers)).status_code == 204
    return began


async def test_after_signing_out_a_token_is_refused_everywhere(
    system: System, everywhere: Everywhere, opened: dict[str, Any]
) -> None:
    """Check 18: a session."""
    tokens, another = await entered(system, opened), await entered(system, opened)
    await everywhere.require_open(tokens)
    began = await sign_out(everywhere, tokens)
    assert await refresh(system.url, tokens) is None
    await everywhere.closed_after(tokens, began)
    await everywhere.require_open(another)


async def test_the_token_of_the_command_line_is_kept_and_replaced_once_it_is_revoked_or_about_to_end(
    system: System, everywhere: Everywhere, opened: dict[str, Any], tmp_path: Path
) -> None:
    home, username = DataDirectory(tmp_path), opened["username"]
    home.keep_secret("demonstration.own", PASSWORD)

    async def asked() -> Tokens:
        return Tokens(await asyncio.to_thread(access_token, home, system.url, username), "", "")

    first = await asked()
    assert await asked() == first
    assert modes_of(tmp_path)["tokens.json"] == 0o600
    await everywhere.closed_after(first, await sign_out(everywhere, first))
    second = await asked()
    assert second != first
    await everywhere.require_open(second)
    assert home.token(username, now=second.claims["exp"] - 90) == second.access
    assert home.token(username, now=second.claims["exp"] - 58) is None


async def test_after_a_role_ended_its_tokens_are_refused_everywhere_and_new_ones_lack_it(
    system: System, everywhere: Everywhere, security: Person, opened: dict[str, Any]
) -> None:
    branch = str(system.seeded.branch_id)
    body = {"person_id": opened["person_id"], "role": "officer", "organisation_id": branch}
    granted = await security.post("/v1/role-assignments", body)
    tokens = await entered(system, opened)
    assert tokens.claims["roles"] == [{"role": "officer", "organisation_id": branch}]
    await everywhere.require_open(tokens)
    began = time.monotonic()
    await security.ask("DELETE", f"/v1/role-assignments/{granted['assignment_id']}", None, status=200)
    await everywhere.closed_after(tokens, began)
    renewed = await refresh(system.url, tokens)
    assert renewed is not None
    assert renewed.claims["roles"] == []
    await everywhere.require_open(renewed)


async def test_after_a_deactivation_every_token_is_refused_everywhere(
    system: System, everywhere: Everywhere, security: Person, opened: dict[str, Any]
) -> None:
    """Check 18: all sessions of an account."""
    tokens, another = await entered(system, opened), await entered(system, opened)
    for each in (tokens, another):
        await everywhere.require_open(each)
    began = time.monotonic()
    await security.post(f"/v1/accounts/{opened['person_id']}/deactivation", status=200)
    for each in (tokens, another):
        assert await refresh(system.url, each) is None
        await everywhere.closed_after(each, began)


async def test_a_revocation_while_the_bus_is_down_is_felt_when_it_is_back(
    system: System, everywhere: Everywhere, opened: dict[str, Any]
) -> None:
    tokens = await entered(system, opened)
    await everywhere.require_open(tokens)
    os.kill(int((everywhere.home.path / "nats" / "pid").read_text()), signal.SIGKILL)
    await sign_out(everywhere, tokens)
    assert await refresh(system.url, tokens) is None
    await everywhere.until_ready()
    await everywhere.closed_after(tokens, time.monotonic())


async def test_services_that_were_killed_after_a_revocation_still_refuse_the_token(
    system: System, everywhere: Everywhere, opened: dict[str, Any]
) -> None:
    tokens, another = await entered(system, opened), await entered(system, opened)
    await everywhere.require_open(tokens)
    await everywhere.closed_after(tokens, await sign_out(everywhere, tokens))
    for name in NAMES:
        os.kill(everywhere.home.state["services"][name]["pid"], signal.SIGKILL)
    async with asyncio.timeout(90):
        while set((await everywhere.statuses(another)).values()) != {httpx.codes.OK}:
            seen = await everywhere.statuses(tokens)
            assert httpx.codes.OK not in seen.values(), seen
            await asyncio.sleep(0.05)  # they need the processor to start
    assert set((await everywhere.statuses(tokens)).values()) == {httpx.codes.UNAUTHORIZED}
