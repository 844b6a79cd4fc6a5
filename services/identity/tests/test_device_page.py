"""The page on which a person types a device's code: nothing happens without a click of theirs on a page of ours."""

import pytest_asyncio

from .front_end import PASSWORD
from .provider import Provider
from .terminals import Device, Phone, register


@pytest_asyncio.fixture
async def device(provider: Provider) -> Device:
    return Device(provider, await register(provider, "village-screen"), device_label="石桥村 <便民中心>")


@pytest_asyncio.fixture
async def phone(provider: Provider) -> Phone:
    _, username = await provider.open_person()
    return Phone(provider, username)


async def test_the_page_asks_for_the_sign_in_first_and_keeps_the_code(device: Device, phone: Phone) -> None:
    codes = await device.begin()
    sent = await phone.http.get(codes["verification_uri_complete"])
    assert sent.headers["location"] == f"/sign-in?next=device&user_code={codes['user_code']}"
    shown = await phone.page(user_code=codes["user_code"])
    assert shown.url.path == "/oauth2/device"
    assert f'value="{codes["user_code"]}"' in shown.text


async def test_a_link_with_the_code_decides_nothing_without_two_clicks(device: Device, phone: Phone) -> None:
    codes = await device.begin()
    await phone.page(user_code=codes["user_code"])
    await phone.page(user_code=codes["user_code"], decision="approve")
    assert (await device.poll()).json()["error"] == "authorization_pending"


async def test_the_page_names_the_client_and_the_place_and_warns_of_strangers(device: Device, phone: Phone) -> None:
    codes = await device.begin()
    confirm = await phone.type(codes["user_code"])
    assert "Village screen" in confirm.text
    assert "石桥村 &lt;便民中心&gt;" in confirm.text
    assert "swindler" in confirm.text
    assert "see your user name" in confirm.text
    policy = confirm.headers["content-security-policy"]
    assert "form-action 'self';" in policy
    assert "script" not in policy
    chinese = await phone.http.get("/oauth2/device", params={"ui_locales": "zh-CN"})
    assert "骗子" in chinese.text


async def test_another_site_cannot_send_the_form(device: Device, phone: Phone) -> None:
    codes = await device.begin()
    await phone.page()
    forged = {"user_code": codes["user_code"], "decision": "approve"}
    without_token = await phone.http.post("/oauth2/device", data=forged)
    assert without_token.status_code == 403
    token = {"form_token": phone.http.cookies["form"]}
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    from_elsewhere = await phone.http.post("/oauth2/device", data={**forged, **token}, headers=elsewhere)
    assert from_elsewhere.status_code == 403
    assert (await device.poll()).json()["error"] == "authorization_pending"


async def test_nobody_decides_without_being_signed_in(provider: Provider, device: Device) -> None:
    codes = await device.begin()
    stranger = provider.front_end().http
    sent = await stranger.post("/oauth2/device", data={"user_code": codes["user_code"], "decision": "approve"})
    assert sent.headers["location"].startswith("/sign-in?next=device")


async def test_a_wrong_code_is_refused_in_words_and_guessing_ends(device: Device, phone: Phone) -> None:
    codes = await device.begin()
    for wrong in ("BBBB-BBBB", "1234", "x" * 200, "ABCD-EFGH"):
        refused = await phone.type(wrong)
        assert refused.status_code == 400
        assert "no such code" in refused.text
    answers = [(await phone.type("BBBB-BBBB")).status_code for _ in range(17)]
    assert answers == [400] * 16 + [429]
    guessed = await phone.type(codes["user_code"])
    assert guessed.status_code == 429
    assert int(guessed.headers["retry-after"]) > 0


async def test_the_sign_in_leads_on_to_no_address_of_the_request(provider: Provider, phone: Phone) -> None:
    page = await phone.http.get("/sign-in", params={"next": "https://example.org/"})
    signed_in = await phone.browser.submit(page, username=phone.username, password=PASSWORD)
    assert signed_in.headers["location"] == "/sign-in"
