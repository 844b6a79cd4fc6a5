"""Passkeys in tests of identity: made, and used on the page."""

import json
import re
from html import unescape
from typing import Any

import httpx

from testkit.passkeys import Device

from .front_end import FrontEnd, Tokens, answer_of, tokens_of
from .provider import Provider


async def begin(provider: Provider, tokens: Tokens) -> dict[str, Any]:
    """Begin to add a passkey."""
    begun = await provider.http.post("/v1/me/passkeys/registrations", headers=tokens.headers)
    assert begun.status_code == 201, begun.text
    found: dict[str, Any] = begun.json()
    return found


async def add(provider: Provider, tokens: Tokens, begun: dict[str, Any], credential: dict[str, Any]) -> httpx.Response:
    """Send what the device made."""
    body = {"registration_id": begun["registration_id"], "name": "我的手机", "credential": credential}
    return await provider.http.post("/v1/me/passkeys", json=body, headers=tokens.headers)


async def registered(provider: Provider, tokens: Tokens, device: Device | None = None) -> Device:
    """Add a passkey and give its device."""
    device = device or Device()
    begun = await begin(provider, tokens)
    added = await add(provider, tokens, begun, device.create(begun["public_key"], provider.issuer))
    assert added.status_code == 201, added.text
    return device


async def tokens_by(provider: Provider, device: Device) -> Tokens:
    """Sign in by a passkey in a new browser."""
    front_end = provider.front_end()
    page = await passkey_page(front_end)
    answer = answer_of(await send(front_end, page, device.get(options_on(page), provider.issuer)))
    return tokens_of(await front_end.redeem(answer.parameters["code"]))


async def passkey_page(front_end: FrontEnd, **changed: str | None) -> httpx.Response:
    """Go from the client's request to the page for passkeys, by the link on the first page."""
    first = await front_end.http.get((await front_end.authorize(**changed)).headers["location"])
    link = re.search(r'href="(/sign-in/passkey[^"]*)"', first.text)
    assert link is not None, first.text
    return await front_end.http.get(unescape(link[1]))


def options_on(page: httpx.Response) -> dict[str, Any]:
    """Read the options of a page for the device."""
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found is not None, page.text
    options: dict[str, Any] = json.loads(unescape(found[1]))
    return options


async def send(front_end: FrontEnd, page: httpx.Response, credential: dict[str, Any]) -> httpx.Response:
    """Send the page's form as its script would."""
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))
    data = {**{name: unescape(value) for name, value in fields.items()}, "credential": json.dumps(credential)}
    return await front_end.http.post(str(page.url), data=data)
