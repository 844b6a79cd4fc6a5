"""A browser with a passkey device in tests: what `navigator.credentials` would answer, and what it should not."""

import json
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from html import unescape
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from soft_webauthn import SoftWebauthnDevice  # type: ignore[import-untyped]

from .front_end import FrontEnd, Tokens, answer_of, tokens_of
from .provider import Provider

USER_VERIFIED = 0x04
BACKUP_ELIGIBLE = 0x08
_FLAGS = 32
_BYTES = ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle")


class Device:
    """A device that holds one passkey. `flags` are set beside "user present"; `counts` says that it counts its uses."""

    def __init__(self, flags: int = USER_VERIFIED) -> None:
        self.soft = SoftWebauthnDevice()
        self.flags = flags

    def create(self, options: dict[str, Any], origin: str) -> dict[str, Any]:
        """Make the passkey; the answer as `toJSON()` gives it."""
        answer = self.soft.create({"publicKey": _with_bytes(options)}, origin)
        attested: Any = cbor.decode(answer["response"]["attestationObject"])
        attested["authData"] = self._flagged(attested["authData"])
        answer["response"]["attestationObject"] = cbor.encode(attested)
        return _as_json(answer)

    def get(self, options: dict[str, Any], origin: str) -> dict[str, Any]:
        """Use the passkey."""
        answer = self.soft.get({"publicKey": _with_bytes(options)}, origin)
        response = answer["response"]
        response["authenticatorData"] = self._flagged(response["authenticatorData"])
        digest = hashes.Hash(hashes.SHA256())
        digest.update(response["clientDataJSON"])
        signed = response["authenticatorData"] + digest.finalize()
        response["signature"] = self.soft.private_key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return _as_json(answer)

    def _flagged(self, data: bytes) -> bytes:
        changed = bytearray(data)
        changed[_FLAGS] |= self.flags
        return bytes(changed[: _FLAGS + 1]) + struct.pack(">I", self.soft.sign_count) + data[_FLAGS + 5 :]


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


def _with_bytes(options: dict[str, Any]) -> dict[str, Any]:
    """Do what the page's script does before it asks the device."""
    read = {**options, "challenge": _bytes(options["challenge"])}
    if "user" in options:
        read["user"] = {**options["user"], "id": _bytes(options["user"]["id"])}
    return read


def _as_json(answer: dict[str, Any]) -> dict[str, Any]:
    response = {name: _text(answer["response"][name]) for name in _BYTES if answer["response"].get(name)}
    raw_id = _text(answer["rawId"])
    return {"id": raw_id, "rawId": raw_id, "type": "public-key", "response": response}


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(plain: bytes) -> str:
    return urlsafe_b64encode(plain).rstrip(b"=").decode()
