"""What the routes of passkeys take and give."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from webapi.bodies import ONE_LINE, Body
from webapi.validation import worded

LONGEST_NAME = 60
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), ONE_LINE]
_BASE64URL = worded(
    r"^[A-Za-z0-9_-]*$", en="This must be base64url without padding.", zh="应为不带填充的 base64url 编码。"
)
_TRANSPORT = worded(
    r"^[a-z-]{1,20}$",
    en="This must be a way to a device, such as usb or internal (WebAuthn).",
    zh="应为 WebAuthn 的传输方式，例如 usb 或 internal。",
)
Encoded = Annotated[str, Field(max_length=4_000, pattern=_BASE64URL)]
"""Bytes in base64url without padding."""


class RegistrationBegun(BaseModel):
    """What `navigator.credentials.create` takes as `publicKey`, its bytes in base64url; good for five minutes."""

    registration_id: UUID
    public_key: dict[str, Any]


class AttestationIn(BaseModel):
    """What a device answered."""

    model_config = ConfigDict(extra="ignore")  # browsers send along what they derived from these, and will add to it

    clientDataJSON: Encoded  # noqa: N815 - WebAuthn's own name
    attestationObject: Annotated[str, Field(max_length=16_000, pattern=_BASE64URL)]  # noqa: N815 - as above
    transports: Annotated[list[Annotated[str, Field(pattern=_TRANSPORT)]], Field(max_length=10)] = []


class CredentialIn(BaseModel):
    """A new credential as `PublicKeyCredential.toJSON()` gives it (WebAuthn Level 3)."""

    model_config = ConfigDict(extra="ignore")  # as above

    id: Encoded
    rawId: Encoded  # noqa: N815 - WebAuthn's own name
    type: Literal["public-key"]
    response: AttestationIn


class AddPasskey(Body):
    """A passkey that a device made for a registration, and the name its owner gives it."""

    registration_id: UUID
    name: Name
    credential: CredentialIn


class RenamePasskey(Body):
    """Another name."""

    name: Name


class PasskeyOut(BaseModel):
    """A passkey: `synced` may be copied to other devices by its maker, `suspected` was refused for being a copy."""

    passkey_id: UUID
    name: str
    synced: bool
    backed_up: bool
    suspected: bool
    added_at: datetime
    last_used_at: datetime | None
