"""What WebAuthn asks of a browser and what counts as a good answer: our host, our origin, the person verified."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import webauthn
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

PRODUCT = "乡桥 Xiangqiao"
TIMEOUT_MILLISECONDS = 300_000
JSON = dict[str, Any]


class PasskeyRefused(Exception):
    """What the browser sent proves nothing: another challenge, origin or host, no person verified, a bad signature."""


def sent_answer(form: Mapping[str, str]) -> tuple[UUID, JSON]:
    """Read from a page's form which ceremony a browser answers, and how. Raises `PasskeyRefused`."""
    try:
        ceremony_id, credential = UUID(form["ceremony"]), orjson.loads(form["credential"])
    except (KeyError, ValueError) as error:
        raise PasskeyRefused from error
    if not isinstance(credential, dict):
        raise PasskeyRefused
    return ceremony_id, credential


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


def verified_registration(issuer: str, credential: JSON, *, challenge: bytes) -> VerifiedRegistration:
    """Give the new key of a good answer to `registration_options`. Raises `PasskeyRefused`."""
    with _refused_when_malformed():
        return webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=host_of(issuer),
            expected_origin=issuer,
            require_user_verification=True,
        )


def read_use(credential: JSON) -> AuthenticationCredential:
    """Read an answer to `sign_in_options`, of which nothing is proved yet. Raises `PasskeyRefused`."""
    with _refused_when_malformed():
        return parse_authentication_credential_json(credential)


def verified_use(
    issuer: str, use: AuthenticationCredential, *, challenge: bytes, public_key: bytes
) -> VerifiedAuthentication:
    """Give what a good answer to `sign_in_options` says. Raises `PasskeyRefused`.

    The counter is for the caller to compare: only here is it known that the key itself said it.
    """
    with _refused_when_malformed():
        return webauthn.verify_authentication_response(
            credential=use,
            expected_challenge=challenge,
            expected_rp_id=host_of(issuer),
            expected_origin=issuer,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )


@contextmanager
def _refused_when_malformed() -> Iterator[None]:
    try:
        yield
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PasskeyRefused from error
