"""Hashing passwords: never on the event loop, never without bound, never weaker than today's choice."""

import asyncio
import subprocess
import sys
import time

import pytest
from argon2 import PasswordHasher
from sqlalchemy import delete, select, update

from identity.accounts.tables import Account, Credential
from identity.credentials.passwords import HASHER, Passwords, TooManySignIns

from .front_end import PASSWORD, FrontEnd
from .provider import QUICK, Provider

WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


async def test_the_event_loop_goes_on_while_passwords_are_hashed() -> None:
    passwords = Passwords(threads=2, hasher=HASHER)
    hashing = asyncio.gather(*(passwords.hash("a password") for _ in range(8)))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0.002)
        turns += 1
    assert turns > 40  # on the loop itself, eight hashes leave it fewer than ten turns
    assert len(set(await hashing)) == 8
    passwords.close()


async def test_more_than_can_wait_are_turned_away_at_once() -> None:
    passwords = Passwords(threads=1, waiting=2, hasher=WEAK)
    tries = await asyncio.gather(*(passwords.hash("a password") for _ in range(6)), return_exceptions=True)
    assert [isinstance(each, TooManySignIns) for each in tries] == [False] * 3 + [True] * 3
    assert await passwords.hash("a password")  # places are free again
    passwords.close()


async def test_one_address_takes_a_quarter_of_the_places_and_another_one_is_served() -> None:
    passwords = Passwords(threads=2, waiting=14, hasher=WEAK)
    encoded = await passwords.hash("a password")
    flood = [passwords.verify(encoded, "guess", at="192.0.2.1") for _ in range(16)]
    tries = await asyncio.gather(
        *flood, passwords.verify(encoded, "a password", at="192.0.2.2"), return_exceptions=True
    )
    assert [isinstance(each, TooManySignIns) for each in tries] == [False] * 4 + [True] * 12 + [False]
    assert (await passwords.verify(encoded, "a password", at="192.0.2.1")).matches
    passwords.close()


NICE_ALREADY = """
import os
from identity.credentials.passwords import Passwords
os.nice(17)
print(Passwords(threads=1)._hashing.submit(os.getpriority, os.PRIO_PROCESS, 0).result())
"""


def test_in_a_process_that_is_nice_already_the_threads_are_nicer_still() -> None:
    command = [sys.executable, "-c", NICE_ALREADY]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    assert (ran.stdout.strip(), ran.returncode) == ("19", 0), ran.stderr


async def test_a_weak_encoding_is_replaced_at_the_next_sign_in(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    mine = Credential.account_id == person_id
    async with provider.database.transaction() as session:
        await session.execute(update(Credential).where(mine).values(secret=WEAK.hash(PASSWORD)))
    await front_end.sign_in(username)
    async with provider.database.read() as session:
        secret = await session.scalar(select(Credential.secret).where(mine))
    assert secret is not None
    assert not QUICK.check_needs_rehash(secret)
    assert QUICK.verify(secret, PASSWORD)


async def test_when_too_many_sign_in_the_page_says_so(
    provider: Provider, front_end: FrontEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await front_end.http.get("/sign-in", params=front_end.request())

    async def full(*_: object, **__: object) -> None:
        raise TooManySignIns

    monkeypatch.setattr(Passwords, "verify", full)
    busy = await front_end.submit(page, username="anybody", password=PASSWORD)
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "30")
    assert "Please try again in half a minute." in busy.text


@pytest.mark.parametrize("encoded", ["", "not an encoding", "$argon2id$v=19$m=8,t=1,p=1$broken"])
async def test_a_broken_encoding_never_matches(encoded: str) -> None:
    passwords = Passwords(threads=1, hasher=WEAK)
    assert not (await passwords.verify(encoded, PASSWORD)).matches
    passwords.close()


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(
    provider: Provider, front_end: FrontEnd
) -> None:
    _, username = await provider.open_person()
    deactivated, name_of_deactivated = await provider.open_person()
    without, name_without = await provider.open_person()
    async with provider.database.transaction() as session:
        out_of_use = Account.account_id == deactivated
        await session.execute(update(Account).where(out_of_use).values(status="deactivated"))
        await session.execute(delete(Credential).where(Credential.account_id == without))
    page = await front_end.http.get("/sign-in", params=front_end.request())
    names = ("nobody", "", "no such name!", "x" * 300, name_of_deactivated, name_without)
    answers = [await front_end.submit(page, username=name, password=PASSWORD) for name in names]
    wrong = await front_end.submit(page, username=username, password="wrong password")
    assert {(answer.status_code, answer.text) for answer in answers} == {(400, wrong.text)}
    assert "The user name or the password is not right." in wrong.text


async def test_an_unknown_name_takes_as_long_as_a_wrong_password() -> None:
    passwords = Passwords(threads=1, hasher=HASHER)
    encoded = HASHER.hash(PASSWORD)

    async def seconds(stored: str | None) -> float:
        tries = []
        for _ in range(3):
            began = time.process_time()
            assert not (await passwords.verify(stored, "wrong password")).matches
            tries.append(time.process_time() - began)
        return min(tries)

    assert 1 / 3 < await seconds(None) / await seconds(encoded) < 3
    assert not (await passwords.verify(None, PASSWORD)).matches
    passwords.close()
