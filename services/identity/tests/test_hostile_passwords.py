"""Check 34: no password, however it was made up, keeps the event loop from its work, or a thread from its for long."""

import ast
import asyncio
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from zxcvbn import matching, zxcvbn  # type: ignore[import-untyped]

import identity
from identity.credentials import rules
from identity.credentials.passwords import MOST_OF_ONE, Passwords, TooManySignIns
from identity.credentials.rules import PasswordUnusable, require_password

from .front_end import PASSWORD
from .provider import QUICK, Provider

SOURCES = Path(identity.__file__).parent
LOOK_ALIKE = "".join(dict.fromkeys(sign for signs in matching.L33T_TABLE.values() for sign in signs))
MOST_WORK = 60_000
"""Squares of the lengths that are held against the words, together: what zxcvbn takes grows with it."""


def work_for(password: str) -> int:
    """Give how much zxcvbn has to hold against its words to estimate a password."""
    work, match = 0, matching.dictionary_match

    def counted(text: str, *arguments: Any, **more: Any) -> Any:
        nonlocal work
        work += len(text) ** 2
        return match(text, *arguments, **more) if work <= MOST_WORK else []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "dictionary_match", counted)
        with suppress(PasswordUnusable):
            require_password(password, username="a.person")
    return work


@given(st.text(st.sampled_from([*LOOK_ALIKE, *"aeiosltbcgxz"]), min_size=8, max_size=128))
@example((LOOK_ALIKE * 4)[:64])
@example(LOOK_ALIKE[:10] * 6)
@example("5t4l7{0t%3!4|3@$7{4+t<%78!!<95l0{{+%|t@+(1430<6|$4![888{6|8t85|")
@example("0123456789" * 12)
@example("aab" * 42)
@example("1!|" * 21)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_to_estimate_a_password_takes_no_more_than_so_much(password: str) -> None:
    assert work_for(password) <= MOST_WORK


def test_only_the_thread_for_it_estimates_a_password() -> None:
    used = {
        (str(path.relative_to(SOURCES)), node.id)
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name) and node.id in {"zxcvbn", "require_password"}
    }
    assert used == {("credentials/rules.py", "zxcvbn"), ("credentials/passwords.py", "require_password")}


async def test_a_password_is_estimated_on_a_thread_and_after_the_guess(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimate, threads = zxcvbn, []

    def seen(*arguments: Any, **more: Any) -> Any:
        threads.append(threading.current_thread().name)
        return estimate(*arguments, **more)

    monkeypatch.setattr(rules, "zxcvbn", seen)
    _, tokens = await provider.signed_in()
    passwords = {"old_password": "not the old one", "new_password": LOOK_ALIKE * 4}
    answers = [await provider.http.post("/v1/me/password", json=passwords, headers=tokens.headers) for _ in range(6)]
    assert [answer.json()["type"].rpartition("/")[2] for answer in answers] == ["password_wrong"] * 5 + ["too_often"]
    assert threads == []
    _, tokens = await provider.signed_in()
    right = {**passwords, "old_password": PASSWORD}
    assert (await provider.http.post("/v1/me/password", json=right, headers=tokens.headers)).status_code == 204
    assert [name.partition("_")[0] for name in threads] == ["estimate"]


def test_an_account_without_a_user_name_may_have_any_good_password() -> None:
    assert require_password("correct horse!", username=None) == "correct horse!"


async def test_what_is_too_long_for_a_password_is_neither_normalised_nor_hashed() -> None:
    hashed: list[int] = []

    class Hasher(PasswordHasher):
        def verify(self, encoded: str | bytes, password: str | bytes) -> Any:
            hashed.append(len(password))
            return super().verify(encoded, password)

    passwords = Passwords(threads=1, hasher=Hasher(time_cost=1, memory_cost=8, parallelism=1))
    beginning = "a" + "\u0327" * 127
    assert (await passwords.verify(QUICK.hash(beginning), beginning)).matches
    assert not (await passwords.verify(QUICK.hash(beginning), beginning + "\u0300\u0327" * 8_000)).matches
    assert max(hashed) <= 128
    passwords.close()


def test_every_new_password_is_chosen_within_the_bound_of_one_person() -> None:
    """Nobody estimates or hashes one by another way, but the first start, which nobody can ask for."""
    used = {
        str(path.relative_to(SOURCES))
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in {"require", "hash"}
        and ast.unparse(node.value).endswith("passwords")
    }
    assert used == {"roles/administrators.py"}


async def test_who_chooses_many_passwords_at_once_takes_no_more_places_than_one_may() -> None:
    hashing, let_go = threading.Semaphore(0), threading.Event()

    class Slow(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            if password == PASSWORD:
                hashing.release()
                let_go.wait(20)
            return super().hash(password, salt=salt)

    passwords = Passwords(threads=2, waiting=8, hasher=Slow(time_cost=1, memory_cost=8, parallelism=1))
    one, another = uuid4(), uuid4()
    many = [asyncio.create_task(passwords.choose(one, PASSWORD, username=None)) for _ in range(40)]
    await asyncio.to_thread(hashing.acquire)
    refused = [task for task in many if task.done()]
    assert len(refused) == 40 - MOST_OF_ONE
    waiting = asyncio.create_task(passwords.choose(another, PASSWORD, username=None))
    await asyncio.sleep(0)
    assert not waiting.done()
    let_go.set()
    answers = await asyncio.gather(*many, waiting, return_exceptions=True)
    assert [type(answer) for answer in answers].count(str) == MOST_OF_ONE + 1
    assert {type(answer) for answer in answers} == {str, TooManySignIns}
    assert await passwords.choose(one, PASSWORD, username=None)
    passwords.close()
