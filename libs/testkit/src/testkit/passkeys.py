"""A browser with a passkey device in tests: what `navigator.credentials` would answer, and what it should not."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from soft_webauthn import SoftWebauthnDevice  # type: ignore[import-untyped]

USER_VERIFIED = 0x04
BACKUP_ELIGIBLE = 0x08
_FLAGS = 32
_BYTES = ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle")


class Device:
    """A device that holds one passkey. `flags` are set beside "user present"."""

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
