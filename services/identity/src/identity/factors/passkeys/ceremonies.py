"""What WebAuthn asks of a browser and what counts as a good answer: our host, our origin, the person verified."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

PRODUCT = "乡桥 Xiangqiao"
TIMEOUT_MILLISECONDS = 300_000
JSON = dict[str, Any]


class PasskeyRefused(Exception):
    """What the browser sent proves nothing: another challenge, origin or host, no person verified, a bad signature."""


class NewKey(NamedTuple):
    """A passkey that a device has just made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backup_eligible: bool
    backed_up: bool


class Use(NamedTuple):
    """What a device says of itself when a passkey is used."""

    sign_count: int
    backed_up: bool


def host_of(issuer: str) -> str:
    """Give the relying party's id: the host under which people sign in."""
    return urlsplit(issuer).hostname or ""


def registration_options(
    issuer: str, *, challenge: bytes, account_id: UUID, account_name: str, existing: Sequence[bytes]
) -> JSON:
    """Give the options for `navigator.credentials.create`: a key the device finds and asks its person for."""
    options = webauthn.generate_registration_options(
        rp_id=host_of(issuer),
        rp_name=PRODUCT,
        user_id=account_id.bytes,
        user_name=account_name,
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in existing],
    )
    made: JSON = json.loads(webauthn.options_to_json(options))
    return made


def sign_in_options(issuer: str, *, challenge: bytes) -> JSON:
    """Give the options for `navigator.credentials.get`: any passkey of ours that the device has."""
    options = webauthn.generate_authentication_options(
        rp_id=host_of(issuer),
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    made: JSON = json.loads(webauthn.options_to_json(options))
    return made


def verified_registration(issuer: str, credential: JSON, *, challenge: bytes) -> NewKey:
    """Give the new key of a good answer to `registration_options`. Raises `PasskeyRefused`."""
    try:
        done = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=host_of(issuer),
            expected_origin=issuer,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    return NewKey(
        done.credential_id,
        done.credential_public_key,
        done.sign_count,
        done.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        done.credential_backed_up,
    )


def verified_use(issuer: str, credential: JSON, *, challenge: bytes, public_key: bytes) -> Use:
    """Give what a good answer to `sign_in_options` says. Raises `PasskeyRefused`.

    The counter is for the caller to compare: only here is it known that the key itself said it.
    """
    try:
        done = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=host_of(issuer),
            expected_origin=issuer,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    return Use(done.new_sign_count, done.credential_backed_up)


def credential_id_of(credential: JSON) -> bytes:
    """Read which key a browser's answer is of. Raises `PasskeyRefused`."""
    try:
        return base64url_to_bytes(credential["rawId"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PasskeyRefused from error


def user_handle_of(credential: JSON) -> bytes | None:
    """Read whose key the device says it is, if it says so. Raises `PasskeyRefused`."""
    try:
        handle = credential["response"].get("userHandle")
        return base64url_to_bytes(handle) if handle else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PasskeyRefused from error
