"""What people do about their ways in over the whole system: phones, passkeys, WeChat, devices, clients of others."""

import base64
import hashlib
import re
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from testkit.passkeys import Device
from testkit.sms import SmsGateway
from testkit.wechat import Somebody
from tests.flows.browser import Browser
from tests.flows.conftest import System
from tests.flows.people import Person, within

FRONT = "https://front.example/callback"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
SMS_SECONDS = 15.0


def a_number() -> str:
    """Give a mainland number of a range that the demonstration does not use."""
    return f"157{secrets.randbelow(10**8):08}"


def a_client(**changed: Any) -> dict[str, Any]:
    """Give the terms of a client of somebody else."""
    return {
        "name_zh": "试用前端",
        "name_en": "Front end on trial",
        "application_type": "web",
        "redirect_uris": [FRONT],
        "grant_types": ["authorization_code"],
        "scopes": ["openid"],
        "token_endpoint_auth_method": "none",
        "requests_per_minute": 100,
        **changed,
    }


async def registered(proposer: Person, reviewer: Person, **changed: Any) -> dict[str, Any]:
    """Have a client proposed and approved; give what the approval answers, with the secret if it made one."""
    proposed = await proposer.post("/v1/clients", a_client(**changed))
    path = f"/v1/clients/{proposed['client_id']}/approval"
    approved: dict[str, Any] = await reviewer.post(
        path, {"proposal_id": proposed["proposal"]["proposal_id"]}, status=200
    )
    return approved


def codes_to(phones: SmsGateway, phone: str) -> list[str]:
    """Give the codes that have come to a phone, the last one last; messages without one are none."""
    messages = phones.messages_to(f"+86{phone}")
    return [word for each in messages for word in each.parameters if re.fullmatch(r"\d{6}", word)]


async def code_to(phones: SmsGateway, phone: str) -> str:
    """Wait for a message with a code and give that of the last one."""

    async def there() -> bool:
        return bool(codes_to(phones, phone))

    await within(SMS_SECONDS, there)
    return codes_to(phones, phone)[-1]


async def made_passkey(person: Person, issuer: str) -> tuple[Device, dict[str, Any]]:
    """Begin to add a passkey and have a device make it; give the device and what is to be sent."""
    begun = await person.post("/v1/me/passkeys/registrations")
    device = Device()
    credential = device.create(begun["public_key"], issuer)
    return device, {"registration_id": begun["registration_id"], "name": "我的手机", "credential": credential}


async def link_wechat(system: System, username: str, password: str) -> None:
    """Link somebody's own WeChat account on the page of their ways in; its ids are secret."""
    assert system.outside is not None
    ids = [f"{kind}{secrets.token_urlsafe(20)}" for kind in ("o", "u")]
    system.overheard.secrets.update(ids)
    system.outside.wechat.visitor = Somebody(*ids)
    async with Browser(system.url) as browser:
        page = await browser.sign_in("/sign-in/security", username, password)
        done = await browser.send(page, to="/sign-in/wechat/start")
    assert (done.status_code, done.url.path) == (200, "/sign-in/security"), done.text


async def sign_in_by_wechat(url: str) -> httpx.Response:
    """Sign in as whoever is at WeChat; give the page one comes to."""
    async with Browser(url) as browser:
        return await browser.open("/sign-in/wechat/start")


async def propose_phone(officer: Person, phones: SmsGateway, person_id: str) -> tuple[str, dict[str, str]]:
    """Propose a new phone for a person; give the replacement's id, and the body that confirms it."""
    phone = a_number()
    proposed = await officer.post("/v1/phone-replacements", {"person_id": person_id, "phone": phone})
    return proposed["replacement_id"], {"code": await code_to(phones, phone)}


async def ask_for_recovery(url: str, phones: SmsGateway, phone: str) -> httpx.Response:
    """Ask to recover an account whose second factors are lost; give the page that tells what is missing."""
    async with Browser(url) as browser:
        asked = await browser.send(await browser.open("/sign-in/recovery"), phone=phone)
        return await browser.send(asked, code=await code_to(phones, phone), lost_device="yes")


async def agree_to_client(
    url: str, client_id: str, username: str, password: str, *, scope: str = "openid"
) -> dict[str, str]:
    """Let a client of somebody else have what it asks for; give the code it gets, with the verifier."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": client_id,
        "redirect_uri": FRONT,
        "response_type": "code",
        "scope": scope,
        "state": "state",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    async with Browser(url) as browser:
        question = await browser.sign_in("/oauth2/authorize", username, password, **asked)
        sent = await browser.send(question, decision="approve")
    [code] = parse_qs(urlsplit(sent.headers["location"]).query)["code"]
    return {"code": code, "code_verifier": verifier, "redirect_uri": FRONT, "grant_type": "authorization_code"}


async def let_device_in(url: str, client_id: str, username: str, password: str) -> dict[str, Any]:
    """Type a device's code on a person's phone and agree; give the tokens the device gets."""
    async with Browser(url) as browser:
        begun = await browser.http.post(
            "/oauth2/device_authorization", data={"client_id": client_id, "scope": "openid", "device_label": "大厅"}
        )
        codes = begun.raise_for_status().json()
        page = await browser.sign_in("/oauth2/device", username, password)
        await browser.send(await browser.send(page, user_code=codes["user_code"]), decision="approve")
        given = {"grant_type": DEVICE_CODE, "client_id": client_id, "device_code": codes["device_code"]}
        tokens: dict[str, Any] = (await browser.http.post("/oauth2/token", data=given)).raise_for_status().json()
    return tokens
