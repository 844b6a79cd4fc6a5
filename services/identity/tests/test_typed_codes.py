"""Codes are taken however people write them: in the width of a Chinese keyboard, in groups, with a blank behind."""

import pyotp
import pytest

from .authenticator import set_up
from .front_end import FrontEnd, answer_of
from .phones import Phones, new_number
from .provider import Provider
from .test_first_sign_in import confirm, first_page, number_on, opened_for_a_member, second_officer
from .test_own_account_page import a_member, a_number, asked
from .test_phone_replacement import an_office
from .test_replacements_that_end import code_of_notice, object_by

WIDE = {narrow: narrow + 0xFEE0 for narrow in range(0x21, 0x7F)}


def written(code: str, way: str) -> str:
    return {"wide": code.translate(WIDE), "in groups": f"{code[:3]} {code[3:]}", "with a blank": f"{code}\u3000"}[way]


@pytest.fixture(params=["wide", "in groups", "with a blank"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_code_of_an_app(provider: Provider, way: str) -> None:
    _, tokens = await provider.signed_in()
    begun = (await provider.http.post("/v1/me/totp", headers=tokens.headers)).json()
    code = {"code": written(pyotp.TOTP(begun["secret"]).now(), way)}
    assert (await provider.http.post("/v1/me/totp/confirm", json=code, headers=tokens.headers)).status_code == 200


async def test_a_code_to_ones_own_phone(provider: Provider, phones: Phones, front_end: FrontEnd, way: str) -> None:
    number = await phones.give((await provider.open_person())[0])
    sent = await front_end.authorize()
    page = await front_end.http.get(sent.headers["location"].replace("/sign-in?", "/sign-in/code?"))
    entering = await front_end.http.get((await front_end.submit(page, phone=number)).headers["location"])
    code = written(await phones.code_to(number), way)
    assert "code" in answer_of(await front_end.submit(entering, code=code)).parameters


async def test_a_code_to_the_phone_on_the_file(provider: Provider, front_end: FrontEnd, way: str) -> None:
    page, code = await asked(provider, front_end, await a_member(provider), a_number())
    assert (await front_end.submit(page, code=written(code, way))).status_code == 303


async def test_a_code_of_paper(provider: Provider, front_end: FrontEnd, way: str) -> None:
    _, username = await provider.open_person()
    _, codes = await set_up(provider, await provider.front_end().tokens(username))
    page = await front_end.second_page(username)
    assert "code" in answer_of(await front_end.submit(page, code=written(codes[0], way))).parameters


async def test_a_code_that_makes_a_phone_ones_own(provider: Provider, phones: Phones, way: str) -> None:
    (_, tokens), number = await provider.signed_in(), new_number()
    sent = await provider.http.post("/v1/me/phone", json={"phone": number}, headers=tokens.headers)
    body = {"challenge_id": sent.json()["challenge_id"], "code": written(await phones.code_to(number), way)}
    done = await provider.http.post("/v1/me/phone/confirmation", json=body, headers=tokens.headers)
    assert done.status_code == 200, done.text


async def test_the_codes_of_a_new_phone_and_of_the_notice_that_stops_it(
    provider: Provider, phones: Phones, way: str
) -> None:
    office = await an_office(provider, phones)
    proposed = (await office.propose()).json()
    confirmed = await office.confirm(proposed["replacement_id"], written(await office.code(), way))
    assert confirmed.json()["status"] == "confirmed", confirmed.text
    assert "It is stopped" in (await object_by(office, written(await code_of_notice(office), way))).text


async def test_the_number_that_a_person_reads_to_an_officer(provider: Provider, front_end: FrontEnd, way: str) -> None:
    member, username, county, _ = await opened_for_a_member(provider)
    _, officer = await second_officer(provider, county)
    number = number_on(await first_page(front_end, username)).replace(" ", "")
    done = await confirm(provider, officer, member, written(number, way))
    assert done.status_code == 201, done.text
