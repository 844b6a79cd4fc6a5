"""Signing keys are rotated while everybody is at work, and nobody with a good token is turned away anywhere."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest
from joserfc import jws

from identity.signing.rotation import ROTATION_EVERY
from standalone.data_directory import DataDirectory
from standalone.running import open_servers
from standalone.settings import Settings
from tests.flows.conftest import System
from tests.flows.doors import Doors
from tests.flows.front_end import Tokens, refresh, sign_in
from tests.flows.people import Person, open_account

PASSWORD = "一个换钥匙时的口令-2026"
PAUSE_SECONDS = 0.2  # at each of the doors: the rotation itself needs the processor too
ROUNDS = 3
LONG_AGO = "update signing_key set made_at = made_at - interval '2 hours' where state = 'next'"
"""As if the next key had been published for long: else it may not sign yet."""


class Crowd:
    """Everybody who is signed in, asking at every door all the time with every token there is."""

    def __init__(self, doors: Doors) -> None:
        self.doors = doors
        self.tokens: list[Tokens] = []
        self.seen: Counter[tuple[str, int]] = Counter()

    @property
    def rounds(self) -> int:
        """How often the door that was asked least was asked."""
        asked = Counter[str]()
        for (door, _), times in self.seen.items():
            asked[door] += times
        return min((asked[door] for door in self.doors.urls), default=0)

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Ask as long as the block lasts."""
        async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
            tasks = [asyncio.create_task(self._ask(http, *door)) for door in self.doors.urls.items()]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended

    async def _ask(self, http: httpx.AsyncClient, door: str, url: str) -> None:
        while True:
            for tokens in tuple(self.tokens):
                answer = await http.get(url, headers=tokens.headers)
                self.seen[door, answer.status_code] += 1
                await asyncio.sleep(PAUSE_SECONDS)

    async def was_asked(self) -> None:
        """Wait until every token there is now was brought to every door."""
        enough = self.rounds + 2 * len(self.tokens)
        async with asyncio.timeout(60):
            while self.rounds < enough:
                await asyncio.sleep(PAUSE_SECONDS)


def kid_of(tokens: Tokens) -> str:
    return str(jws.extract_compact(tokens.access.encode()).headers()["kid"])


async def key_signs_until(operator: Person) -> datetime:
    """Wait until those who run the system are told how long the key that signs does so, and give it."""
    async with asyncio.timeout(60):
        while True:
            for each in (await operator.get("/v1/operations/status"))["processes"]:
                if each["service"] == "identity" and (each["ends"] or {}).get("signing_key"):
                    return datetime.fromisoformat(each["ends"]["signing_key"])
            await asyncio.sleep(PAUSE_SECONDS)


async def rotated(home: DataDirectory) -> str:
    """Run `python -m identity rotate-keys` in the environment of the running identity; give what it said."""
    with open_servers(home, Settings()) as (servers, supervisor):
        connection = await asyncpg.connect(servers.addresses.database_urls["identity"])
        try:
            assert await connection.execute(LONG_AGO) == "UPDATE 1"
        finally:
            await connection.close()
        return await asyncio.to_thread(supervisor.perform, "identity", "rotate-keys")


async def test_two_rotations_turn_nobody_away_at_any_door(system: System) -> None:
    """Check 19: every door, while it is asked all the time."""
    if system.data is None:
        pytest.skip("the system runs elsewhere")
    home = DataDirectory(system.data)
    username = f"rotating.{secrets.token_hex(4)}"
    async with system.person("administrator") as opener:
        county = system.seeded.county_id
        await open_account(opener, system.url, username=username, password=PASSWORD, organisation_id=county)
        assert timedelta(days=28) < await key_signs_until(opener) - datetime.now(UTC) <= ROTATION_EVERY
    crowd = Crowd(Doors(system.url, home))
    crowd.tokens.append(await sign_in(system.url, username, PASSWORD))
    kids = [kid_of(crowd.tokens[0])]
    async with crowd.asking():
        await crowd.was_asked()
        for _ in range(2):
            entering = asyncio.gather(*(sign_in(system.url, username, PASSWORD) for _ in range(ROUNDS)))
            said = await rotated(home)
            assert "signs now" in said
            crowd.tokens += await entering
            crowd.tokens.append(await sign_in(system.url, username, PASSWORD))
            kids.append(kid_of(crowd.tokens[-1]))
            renewed = await refresh(system.url, crowd.tokens[0])
            assert renewed is not None
            crowd.tokens[0] = renewed
            await crowd.was_asked()
    assert len(set(kids)) == 3, "each rotation has another key sign"
    assert {status for _, status in crowd.seen} == {200}, crowd.seen
