"""Signing in with the phone number and the password, as people write it, and forms into which something was pasted."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from identity.app import SERVICE
from identity.credentials.rules import UsernameUnusable, require_username
from identity.pages.visits import PageRoute
from identity.throttling.rules import OF_ACCOUNT

from .front_end import PASSWORD, FrontEnd
from .phones import Phones, new_number
from .provider import Provider, settings_for
from .test_guessing import guess, let_pass
from .test_sign_in_by_code import statements_of_all

FULL_WIDTH = {ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}
WRITTEN: dict[str, Callable[[str], str]] = {
    "bare": lambda number: number,
    "country": lambda number: f"+86 {number}",
    "country after zeros": lambda number: f"0086-{number}",
    "parts": lambda number: f"{number[:3]}-{number[3:7]} {number[7:]}",
    "full width": lambda number: number.translate(FULL_WIDTH),
    "pasted": lambda number: f"\u202a{number}\u202c\t",
}


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
async def test_the_number_on_file_signs_in_with_the_password_however_it_is_written(
    provider: Provider, front_end: FrontEnd, phones: Phones, write: Callable[[str], str]
) -> None:
    person_id, _ = await provider.open_person()
    typed = write(await phones.give(person_id))
    tokens = await front_end.tokens(typed)
    me = await provider.http.get("/v1/me", headers=tokens.headers)
    assert me.json()["person_id"] == str(person_id)


async def test_nobody_learns_from_a_number_whether_it_is_on_file(provider: Provider, phones: Phones) -> None:
    """How long it takes is what the statements and one hashing take, and those are the same."""
    known, unknown = await phones.give((await provider.open_person())[0]), new_number()
    work, bodies, front_end = [], set(), provider.front_end()
    await front_end.http.get("/sign-in")
    with statements_of_all() as statements:
        for number in (new_number(), known, unknown):  # the first has the driver look up the types it meets
            statements.clear()
            answers = [await guess(front_end, number, "wrong") for _ in range(OF_ACCOUNT.free + 2)]
            bodies.add(tuple((answer.status_code, answer.text) for answer in answers))
            work.append([each for each in statements if each.split()[0] not in {"BEGIN", "BEGIN;", "COMMIT;"}])
    assert len(bodies) == 1
    assert len(work[1]) > 5
    assert work[1] == work[2]


async def test_guesses_at_a_number_do_not_tell_of_the_username_of_whoever_has_it(
    provider: Provider, phones: Phones
) -> None:
    person_id, username = await provider.open_person()
    number, attacker, answers = await phones.give(person_id), provider.front_end(), []
    while (await guess(attacker, number, "wrong")).status_code != 429:
        pass
    assert (await guess(attacker, f"+86 {number}", PASSWORD)).status_code == 429  # one name, however it is written
    nobodys = f"nobody.{number}"
    for name, password in ((username, PASSWORD), (username, "wrong"), (nobodys, "wrong")):
        answers.append(await guess(attacker, name, password))
    assert {(answer.status_code, answer.text) for answer in answers} == {(400, answers[-1].text)}


async def test_guesses_at_a_number_and_at_a_username_of_one_account_are_counted_together(
    provider: Provider, phones: Phones
) -> None:
    person_id, username = await provider.open_person()
    number = await phones.give(person_id)
    for name in (number, username, number, username, number):
        assert (await guess(provider.front_end(), name, "wrong")).status_code == 400
    assert (await guess(provider.front_end(), username, PASSWORD)).status_code == 400  # as if it were wrong
    await let_pass(provider, timedelta(seconds=2))
    assert (await guess(provider.front_end(), username, PASSWORD)).status_code == 303
    for name in (number, username):
        for _ in range(3):
            await guess(provider.front_end(), name, "wrong")
    nobody = provider.front_end()
    assert (await guess(nobody, f"nobody.{number}", "wrong")).status_code == 400


async def test_a_browser_that_is_known_for_the_username_is_known_for_the_number(
    provider: Provider, phones: Phones
) -> None:
    person_id, username = await provider.open_person()
    number, owner, attacker = await phones.give(person_id), provider.front_end(), provider.front_end()
    assert (await guess(owner, username, PASSWORD)).status_code == 303
    while (await guess(attacker, number, "wrong")).status_code != 429:
        pass
    assert (await guess(owner, number, PASSWORD)).status_code == 303


async def test_a_username_that_is_a_number_of_somebody_is_refused_and_an_old_one_goes_first(
    provider: Provider, phones: Phones
) -> None:
    for typed in ("13800138000", "１３８-００１３-８０００", "34052419800101001x"):
        with pytest.raises(UsernameUnusable):
            require_username(typed)
    number = await phones.give((await provider.open_person())[0])
    earlier, _ = await provider.open_person(username=number)
    tokens = await provider.front_end().tokens(number)
    assert (await provider.http.get("/v1/me", headers=tokens.headers)).json()["person_id"] == str(earlier)


async def test_a_tab_in_a_form_leads_to_no_dead_end_on_any_page(provider: Provider, front_end: FrontEnd) -> None:
    routes = SERVICE.application(settings_for(provider.url)).routes
    pages = {route.path for route in routes if isinstance(route, PageRoute) and "POST" in (route.methods or ())}
    assert len(pages) > 15
    await front_end.http.get("/sign-in")
    typed = dict.fromkeys(("username", "password", "phone", "code", "user_code", "notice_code", "name"), "a\tb\t")
    form = {"form_token": front_end.http.cookies["form"], **typed}
    dead_ends = [path for path in pages if "invalid_request" in (await front_end.http.post(path, data=form)).text]
    assert dead_ends == []


async def test_a_username_with_a_tab_signs_in(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    assert await front_end.tokens(f"{username}\t", f"{PASSWORD}\n")
