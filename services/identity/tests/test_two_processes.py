"""Guesses, codes and refreshes count at all processes of identity together; a process that was killed forgets none."""

import asyncio
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select

from database import Database
from identity.challenges.rules import MOST_TRIES
from identity.sessions.tables import TokenFamily
from identity.throttling.rules import OF_ACCOUNT
from standalone import processes
from testkit.databases import Template, TestDatabases
from testkit.service_process import ServiceProcess

from .front_end import PASSWORD, tokens_of
from .phones import new_number, phones_of
from .provider import PHONE_KEY, SEALING_KEY, Provider
from .proving import BoundFrontEnd, Prover
from .test_refresh import all_at_once

START_SECONDS = 60
WRONG = "not the password"
BY_CODE = "/sign-in/code"
ANSWER = "/sign-in/code/answer"


class Both(NamedTuple):
    """Two processes on one database, in the order of their addresses; `provider` stands for the first."""

    provider: Provider
    addresses: tuple[str, str]
    members: tuple[ServiceProcess, ServiceProcess]

    async def kill_and_start(self, position: int) -> None:
        self.members[position].kill()
        await self.members[position].start(timeout_seconds=START_SECONDS)


@pytest_asyncio.fixture(scope="module")
async def both(
    databases: TestDatabases,
    database_template: Template,
    nats_account_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Both]:
    ports = processes.free_port(), processes.free_port()
    first, second = (f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}")
    async with databases.database(database_template) as url:
        told = {
            "XIANGQIAO_DATABASE_URL": url,
            "XIANGQIAO_NATS_URL": nats_account_url,
            "XIANGQIAO_ISSUER": first,
            "XIANGQIAO_JWKS_URL": f"{first}/oauth2/jwks",
            "XIANGQIAO_SEALING_KEY": SEALING_KEY,
            "XIANGQIAO_PHONE_KEY": PHONE_KEY,
        }
        folder: Path = tmp_path_factory.mktemp("identity")
        members = tuple(
            ServiceProcess(
                [sys.executable, "-P", "-m", "identity", "api"],
                log=folder / f"{port}.log",
                environment={**told, "XIANGQIAO_PORT": str(port)},
                ready_url=f"http://127.0.0.1:{port}/health/live",
            )
            for port in ports
        )
        provider = Provider(first, Database(url, application_name="tests"), url)
        try:
            await asyncio.gather(*(member.start(timeout_seconds=START_SECONDS) for member in members))
            yield Both(provider, (first, second), (members[0], members[1]))
        finally:
            await asyncio.gather(*(member.stop() for member in members))
            await provider.close()


async def send(both: Both, browser: httpx.AsyncClient, position: int, path: str, **fields: str) -> httpx.Response:
    """Send a form to one of the two, as behind a gateway that chooses by turns."""
    if "form" not in browser.cookies:
        await browser.get(f"{both.addresses[position]}/sign-in")
    data = {"form_token": browser.cookies["form"], **fields}
    return await browser.post(f"{both.addresses[position]}{path}", data=data)


async def test_a_guess_counts_at_both_and_outlives_a_process(both: Both) -> None:
    _, username = await both.provider.open_person()
    browser = both.provider.front_end().http

    async def guess(position: int, password: str) -> httpx.Response:
        return await send(both, browser, position, "/sign-in", username=username, password=password)

    free = [(await guess(number % 2, WRONG)).status_code for number in range(OF_ACCOUNT.free)]
    assert free == [400] * OF_ACCOUNT.free
    assert [(await guess(position, WRONG)).status_code for position in (0, 1)] == [429, 429]
    for position, waits in ((0, 2), (1, 4)):  # each failure doubles the wait, wherever the one before it was
        await both.kill_and_start(position)
        while (answer := await guess(position, WRONG)).status_code == 429:
            await asyncio.sleep(0.1)
        assert answer.status_code == 400
        told = [await guess(each, PASSWORD) for each in (0, 1)]
        assert [each.status_code for each in told] == [429, 429]
        assert {waits - 1, waits} >= {int(each.headers["retry-after"]) for each in told}


async def test_two_tabs_that_refresh_at_once_at_both_go_on(both: Both) -> None:
    person_id, username = await both.provider.open_person()
    tabs = [both.provider.front_end() for _ in both.addresses]
    tabs[1].http.base_url = both.addresses[1]
    tokens = await tabs[0].tokens(username)
    family = select(TokenFamily).where(TokenFamily.account_id == person_id)
    for _ in range(2):
        answers = await all_at_once(both.provider, family, *[partial(tab.refresh, tokens.refresh) for tab in tabs])
        renewed = [tokens_of(answer) for answer in answers]
        assert len({each.refresh for each in renewed}) == 1
        assert len({each.access for each in renewed}) == len(tabs)
        tokens = renewed[0]


@pytest.mark.parametrize("families", [1, 2], ids=["with one token", "with two tokens of one key"])
async def test_a_proof_works_once_at_both_together(both: Both, families: int) -> None:
    person_id, username = await both.provider.open_person()
    prover = Prover(both.provider.issuer)
    ends = [BoundFrontEnd(both.provider.front_end(), prover) for _ in both.addresses]
    tokens = [(await ends[0].tokens(username)).refresh for _ in range(families)]
    ends[1].front_end.http.base_url = both.addresses[1]
    proof = [prover.proof()]
    sends = [partial(end.refresh, tokens[number % families], proof) for number, end in enumerate(ends)]
    family = select(TokenFamily).where(TokenFamily.account_id == person_id)
    answers = await all_at_once(both.provider, family, *sends)
    assert sorted(answer.status_code for answer in answers) == [200, 400]
    assert {"invalid_dpop_proof"} == {answer.json().get("error") for answer in answers} - {None}
    assert [(await end.refresh(token)).status_code for end in ends for token in tokens] == [200] * 2 * families


async def test_codes_asked_for_count_at_both_and_outlive_a_process(both: Both) -> None:
    number = new_number()
    asked = [
        (await send(both, both.provider.front_end().http, position, BY_CODE, phone=number)).status_code
        for position in (0, 1, 0)
    ]
    assert asked == [303, 429, 429]
    await both.kill_and_start(0)
    again = await send(both, both.provider.front_end().http, 0, BY_CODE, phone=number)
    assert again.status_code == 429


async def test_tries_at_a_code_count_at_both_and_outlive_a_process(both: Both) -> None:
    person_id, _ = await both.provider.open_person()
    browser = both.provider.front_end().http
    async with phones_of(both.provider) as phones:
        number = await phones.give(person_id)
        assert (await send(both, browser, 0, BY_CODE, phone=number)).status_code == 303
        code = await phones.code_to(number)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for number_of_try in range(MOST_TRIES):
        if number_of_try == MOST_TRIES - 1:
            await both.kill_and_start(1)
        assert (await send(both, browser, number_of_try % 2, ANSWER, code=wrong)).status_code == 400
    for position in (0, 1):
        locked = await send(both, browser, position, ANSWER, code=code)
        assert locked.status_code == 400
        assert "not valid any more" in locked.text
