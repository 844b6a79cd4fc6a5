"""Check 40: wherever something can be guessed, no more are checked at the same moment than one after the other."""

import ast
import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import pytest

import identity
from database import utc_now
from identity.challenges import commands as challenges
from identity.credentials.passwords import Passwords
from identity.devices import commands as devices
from identity.factors.totp import rules as totp
from identity.objections import pages as objections
from identity.phone_proofs import commands as proofs
from identity.throttling import guesses
from identity.throttling.rules import LONGEST_WAIT, OF_ADDRESS

from .authenticator import set_up
from .phone_proofs import ask_for_own
from .phones import Phones
from .provider import Provider
from .terminals import Phone
from .test_guessing import guess, somewhere

SOURCES = Path(identity.__file__).parent
AT_ONCE = 40
Guesser = Callable[[], Awaitable[httpx.Response]]


async def password(provider: Provider, phones: Phones) -> Guesser:
    _, username = await provider.open_person()
    front_end = provider.front_end()
    await front_end.http.get("/sign-in")
    return lambda: guess(front_end, username, "wrong")


async def own_password(provider: Provider, phones: Phones) -> Guesser:
    _, tokens = await provider.signed_in()
    body = {"old_password": "not the old one", "new_password": "correct horse"}
    return lambda: provider.http.post("/v1/me/password", json=body, headers=tokens.headers)


async def app_code(provider: Provider, phones: Phones, code: str = "000000") -> Guesser:
    _, username = await provider.open_person()
    front_end = provider.front_end()
    await set_up(provider, await front_end.tokens(username))
    page = await front_end.second_page(username, prompt="login")
    return lambda: front_end.submit(page, code=code)


async def recovery_code(provider: Provider, phones: Phones) -> Guesser:
    return await app_code(provider, phones, "aaaa-bbbb-cccc-dddd")


async def first_app_code(provider: Provider, phones: Phones) -> Guesser:
    _, tokens = await provider.signed_in()
    await provider.http.post("/v1/me/totp", headers=tokens.headers)
    return lambda: provider.http.post("/v1/me/totp/confirm", json={"code": "000000"}, headers=tokens.headers)


async def phone_code(provider: Provider, phones: Phones) -> Guesser:
    person_id, _ = await provider.open_person()
    front_end, number = provider.front_end(), await phones.give(person_id)
    sent = await front_end.submit(await front_end.http.get("/sign-in/code"), phone=number)
    page = await front_end.http.get(sent.headers["location"])
    return lambda: front_end.submit(page, code="wrong!")


async def file_phone_code(provider: Provider, phones: Phones) -> Guesser:
    front_end = provider.front_end()
    sent = await ask_for_own(front_end, "张三", "52273119900101123X")
    page = await front_end.http.get(sent.headers["location"])
    return lambda: front_end.submit(page, code="wrong!")


async def user_code(provider: Provider, phones: Phones) -> Guesser:
    _, username = await provider.open_person()
    phone = Phone(provider, username)
    page = await phone.page()
    return lambda: phone.browser.submit(page, user_code="BCDF-GHJK")


async def notice_code(provider: Provider, phones: Phones) -> Guesser:
    person_id, _ = await provider.open_person()
    front_end, number = provider.front_end(), await phones.give(person_id)
    front_end.http.headers.update(somewhere())
    page = await front_end.http.get("/sign-in/objection")
    return lambda: front_end.submit(page, phone=number, notice_code="0123456789")


class Place(NamedTuple):
    """Where a guess is checked: the function that does, how many may be, and who guesses there."""

    owner: Any
    name: str
    most: int
    guesser: Callable[[Provider, Phones], Awaitable[Guesser]]


PLACES: Final = {
    "sign_in/password_guess.py check_password": Place(Passwords, "verify", 5, password),
    "own_account/routes.py _require_old": Place(Passwords, "verify", 5, own_password),
    "factors/totp/commands.py prove_by_totp": Place(totp, "step_of_code", 5, app_code),
    "factors/totp/commands.py confirm_totp": Place(totp, "step_of_code", 5, first_app_code),
    "factors/totp/commands.py prove_by_recovery_code": Place(totp, "hash_of_recovery_code", 5, recovery_code),
    "challenges/commands.py answer": Place(challenges, "compare_digest", 5, phone_code),
    "devices/commands.py waiting_device": Place(devices, "hash_of_user_code", 20, user_code),
    "phone_proofs/commands.py try_code": Place(proofs, "compare_digest", 5, file_phone_code),
    "objections/pages.py _noticed": Place(objections, "_noticed", 30, notice_code),
}
"""Every code that is sent to a phone, whatever for, is held against its challenge by `answer` alone."""
NOT_GUESSED: Final = {
    "factors/totp/rules.py step_of_code": "asked by the two above",
    "factors/totp/commands.py _new_recovery_codes": "makes them",
    "confirmation/commands.py confirm_account": "an officer's number for somebody else, after a count of ten an hour",
    "devices/commands.py _locked": "after the same count as waiting_device",
    "devices/grants.py create_endpoint_response": "makes one",
    "devices/grants.py _free_user_code": "makes one",
    "clients/tables.py check_client_secret": "256 random bits",
    "factors/passkeys/commands.py _end_ceremony": "256 random bits",
    "factors/wechat/commands.py end_visit": "256 random bits",
    "pages/visits.py is_ours": "256 random bits",
}
CHECKS: Final = {"compare_digest", "step_of_code", "hash_of_recovery_code", "hash_of_user_code"}


def _checks(node: ast.AST) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(called, ast.Attribute):
        return called.attr in CHECKS or (called.attr == "verify" and "passwords" in ast.unparse(called.value))
    return isinstance(called, ast.Name) and called.id in CHECKS


def test_every_place_is_named_at_which_a_guess_is_checked() -> None:
    found = {
        f"{path.relative_to(SOURCES)} {function.name}"
        for path in SOURCES.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(_checks, ast.walk(function)))
    }
    assert found == PLACES.keys() | NOT_GUESSED.keys()


@pytest.mark.parametrize("place", PLACES.values(), ids=lambda place: place.guesser.__name__)
async def test_no_more_guesses_are_checked_at_once(
    provider: Provider, phones: Phones, monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    def wait(failures: int, free: int) -> timedelta:
        return LONGEST_WAIT if failures >= free else timedelta()

    monkeypatch.setattr(guesses, "wait_after", wait)  # however slow the machine is, no wait ends meanwhile
    once = await place.guesser(provider, phones)
    check, checked = getattr(place.owner, place.name), 0

    def counting(*arguments: Any, **more: Any) -> Any:
        nonlocal checked
        checked += 1
        return check(*arguments, **more)

    monkeypatch.setattr(place.owner, place.name, counting)
    answers = await asyncio.gather(*(once() for _ in range(AT_ONCE)))
    assert checked == place.most
    assert max(answer.status_code for answer in answers) < 500


async def _nothing(*_: Any) -> None:
    """Leave the guess before as it is: it is being checked still."""


@pytest.mark.parametrize(
    ("end", "free"),
    [(_nothing, OF_ADDRESS.free), *((end, free) for end in (guesses.take_back, guesses.forgive) for free in (1, 50))],
)
async def test_who_read_the_clock_earlier_waits_for_no_guess_that_cost_nothing(
    provider: Provider, end: Callable[..., Awaitable[None]], free: int
) -> None:
    """Requests reach the row in another order than they read the clock, and two machines never read the same."""
    now, name, beside = utc_now(), secrets.token_bytes(8), {secrets.token_bytes(8): OF_ADDRESS._replace(free=free)}
    async with provider.database.transaction() as session:
        before = await guesses.begin_guess(session, name, beside=beside, now=now)
    async with provider.database.transaction() as session:
        await end(session, before)
    for behind in (timedelta(milliseconds=1), timedelta(seconds=5)):
        async with provider.database.transaction() as session:
            guess = await guesses.begin_guess(session, name, beside=beside, now=now - behind)
        async with provider.database.transaction() as session:
            await guesses.take_back(session, guess)
