"""Check 40: nothing that is nested deeply, in a form or in what a device signs, is an error of ours."""

import base64
import re
from html import unescape

import pytest

from testkit.passkeys import Device

from .device import add, begin, options_on, passkey_page, registered, send
from .front_end import FrontEnd
from .provider import Provider


def encoded(deep: bytes) -> str:
    return base64.urlsafe_b64encode(deep).rstrip(b"=").decode()


JSON = "[" * 2_900
CLIENT_DATA = {"clientDataJSON": encoded(JSON.encode())}
WITHIN = {"clientDataJSON": encoded(b'{"type":' + JSON.encode())}
CBOR = encoded(b"\x81" * 2_900 + b"\x00")


@pytest.mark.parametrize("nested", [JSON, '{"id":' + JSON])
async def test_a_form_that_is_nested_deeply_is_refused(front_end: FrontEnd, nested: str) -> None:
    page = await passkey_page(front_end)
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
    data = {**{name: unescape(value) for name, value in hidden}, "credential": nested}
    assert (await front_end.http.post(str(page.url), data=data)).status_code == 400


@pytest.mark.parametrize("part", [CLIENT_DATA, WITHIN, {"authenticatorData": CBOR}])
async def test_the_use_of_a_passkey_that_is_nested_deeply_is_refused(
    provider: Provider, front_end: FrontEnd, part: dict[str, str]
) -> None:
    _, tokens = await provider.signed_in()
    device = await registered(provider, tokens)
    page = await passkey_page(front_end)
    used = device.get(options_on(page), provider.issuer)
    used["response"].update(part)
    assert (await send(front_end, page, used)).status_code == 400


@pytest.mark.parametrize("part", [CLIENT_DATA, WITHIN, {"attestationObject": CBOR}])
async def test_a_passkey_that_is_nested_deeply_is_refused(provider: Provider, part: dict[str, str]) -> None:
    _, tokens = await provider.signed_in()
    begun = await begin(provider, tokens)
    made = Device().create(begun["public_key"], provider.issuer)
    made["response"].update(part)
    refused = await add(provider, tokens, begun, made)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/passkey_refused")
