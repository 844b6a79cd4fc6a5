"""What opens an account is changed by who proved all the factors the account has, and by nobody with one of them."""

from uuid import uuid4

import httpx
import pytest

from .authenticator import set_up, tokens_by_two_factors
from .device import registered, tokens_by
from .front_end import PASSWORD, Tokens, answer_of, tokens_of
from .phones import Phones, new_number
from .provider import Provider
from .step_up import by_code_too

CHANGES = (
    ("POST", "/v1/me/phone", {"phone": "13900009999"}),
    ("POST", "/v1/me/phone/confirmation", {"challenge_id": str(uuid4()), "code": "123456"}),
    ("POST", "/v1/me/password", {"old_password": PASSWORD, "new_password": "a better password"}),
    ("POST", "/v1/me/totp", None),
    ("POST", "/v1/me/totp/confirm", {"code": "123456"}),
    ("POST", "/v1/me/passkeys/registrations", None),
    ("DELETE", f"/v1/me/passkeys/{uuid4()}", None),
    ("DELETE", "/v1/me/wechat", None),
)


async def tries(provider: Provider, tokens: Tokens) -> list[httpx.Response]:
    return [
        await provider.http.request(method, path, json=body, headers=tokens.headers) for method, path, body in CHANGES
    ]


async def by_code_alone(provider: Provider, phones: Phones, number: str) -> Tokens:
    front_end = provider.front_end()
    sent = await front_end.authorize()
    page = await front_end.http.get(sent.headers["location"].replace("/sign-in?", "/sign-in/code?"))
    entering = await front_end.http.get((await front_end.submit(page, phone=number)).headers["location"])
    answer = answer_of(await front_end.submit(entering, code=await phones.code_to(number)))
    return tokens_of(await front_end.redeem(answer.parameters["code"]))


@pytest.mark.parametrize("proved", ["password", "code"])
async def test_one_factor_of_two_changes_nothing_that_opens_the_account(
    provider: Provider, phones: Phones, proved: str
) -> None:
    person_id, username = await provider.open_person()
    number = await phones.give(person_id)
    if proved == "password":
        weak = await provider.front_end().tokens(username)
    else:
        weak = await by_code_alone(provider, phones, number)
    for refused in await tries(provider, weak):
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/step_up_required"), refused.url
        assert refused.json()["acr_values"] == "2"


async def test_a_password_alone_changes_nothing_beside_an_app_or_a_passkey(provider: Provider) -> None:
    async def with_app(username: str, tokens: Tokens) -> Tokens:
        app, _ = await set_up(provider, tokens)
        return await tokens_by_two_factors(provider.front_end(), username, app)

    async def with_passkey(_: str, tokens: Tokens) -> Tokens:
        return await tokens_by(provider, await registered(provider, tokens))

    for grown in (with_app, with_passkey):
        _, username = await provider.open_person()
        weak = await provider.front_end().tokens(username)
        strong = await grown(username, weak)  # the first one needs no more than there is
        assert {each.json()["type"] for each in await tries(provider, weak)} == {"/problems/step_up_required"}
        renamed = await provider.http.post("/v1/me/passkeys/registrations", headers=strong.headers)
        assert renamed.status_code == 201


async def test_two_factors_and_a_first_factor_with_nothing_more_change_them(provider: Provider, phones: Phones) -> None:
    person_id, username = await provider.open_person()
    first = await provider.front_end().tokens(username)
    named = await provider.http.post("/v1/me/phone", json={"phone": new_number()}, headers=first.headers)
    assert named.status_code == 202, named.text
    number = await phones.give(person_id)
    both = await by_code_too(provider, phones, username, number)
    await set_up(provider, both)
