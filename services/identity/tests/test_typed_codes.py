"""Codes are taken however people write them: in the width of a Chinese keyboard, in groups, with a blank behind."""

import pyotp
import pytest

from .front_end import FrontEnd, answer_of
from .phones import Phones
from .provider import Provider
from .test_own_account_page import a_member, a_number, asked

WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


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
