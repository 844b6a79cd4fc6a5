"""The device authorization grant: a device asks for codes, and asks again until the person has decided elsewhere."""

import secrets
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc6749.errors import AccessDeniedError
from authlib.oauth2.rfc8628 import (
    AuthorizationPendingError,
    DeviceAuthorizationEndpoint,
    DeviceCodeGrant,
    ExpiredTokenError,
    SlowDownError,
)
from sqlalchemy import func, select

from database import KeyRing, new_id
from identity.clients.rules import TERMINAL
from identity.clients.tables import Client
from identity.devices import rules
from identity.devices.commands import hash_of_user_code
from identity.oauth.client_authentication import METHODS
from identity.oauth.grants import subject_of
from identity.oauth.provider import Provider, Subject
from identity.oauth.requests import ProviderRequest
from identity.secrets import hash_of, new_secret
from identity.sessions.revocation import revoke_families_in_sync
from identity.sessions.tables import DeviceCode, TokenFamily

PAGE = "/oauth2/device"
_HEADERS = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Pragma", "no-cache")]


class DeviceAuthorization(DeviceAuthorizationEndpoint):  # type: ignore[misc]  # authlib has no types
    """Gives a device its two codes: one to ask with, one for a person to type.

    Beside what RFC 8628 names, a device may say where it stands (`device_label`), and a shared terminal says which of
    its client's terminals it is (`device_id`, a value of its own that stays the same).
    """

    CLIENT_AUTH_METHODS = METHODS
    server: Provider

    def __init__(self, server: Provider, ring: KeyRing) -> None:
        super().__init__(server)
        self._ring = ring

    def create_endpoint_response(self, request: ProviderRequest) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Make the codes and keep their hashes. Raises authlib's errors, which become the answer."""
        client: Client = self.authenticate_client(request)
        if not client.check_grant_type(DeviceCodeGrant.GRANT_TYPE):
            raise UnauthorizedClientError("The client is not registered for device codes.")
        scope = client.get_allowed_scope(request.payload.scope)
        if scope is None:
            raise InvalidScopeError
        place, terminal = _bounded(request, "device_label"), _bounded(request, "device_id")
        if client.application_type == TERMINAL and terminal is None:
            raise InvalidRequestError("A shared terminal names itself by a device_id.")
        code, user_code, now = new_secret(), self._free_user_code(), self.server.now
        asked = DeviceCode(
            code_hash=hash_of(code),
            user_code_hash=hash_of_user_code(self._ring, user_code),
            client_id=client.client_id,
            scope=scope,
            place=place,
            terminal_hash=hash_of(terminal) if terminal and client.application_type == TERMINAL else None,
            interval_seconds=rules.FIRST_INTERVAL_SECONDS,
            family_id=new_id(),
            issued_at=now,
            expires_at=now + rules.CODE_LIFETIME,
        )
        self.server.session.add(asked)
        self.server.session.flush()
        address, shown = f"{self.server.parties.issuer}{PAGE}", rules.shown(user_code)
        answer = {
            "device_code": code,
            "user_code": shown,
            "verification_uri": address,
            "verification_uri_complete": f"{address}?user_code={shown}",
            "expires_in": int(rules.CODE_LIFETIME.total_seconds()),
            "interval": rules.FIRST_INTERVAL_SECONDS,
        }
        return 200, answer, _HEADERS

    def _free_user_code(self) -> str:
        while True:
            user_code = rules.new_user_code(secrets.choice)
            kept = hash_of_user_code(self._ring, user_code)
            taken = select(DeviceCode.code_hash).where(DeviceCode.user_code_hash == kept)
            if self.server.session.scalar(taken) is None:
                return user_code


class DeviceGrant(DeviceCodeGrant):  # type: ignore[misc]  # authlib has no types
    """Device code: one use, and a tombstone that ends the family when it comes again; authlib lets it come again."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    request: ProviderRequest
    server: Provider

    def validate_token_request(self) -> None:
        """Find what the person decided, or say how long to wait. Raises authlib's errors, which become the answer."""
        code = self.request.payload.data.get("device_code")
        if not code:
            raise InvalidRequestError("A device_code is required.")
        client: Client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("The client is not registered for device codes.")
        asked = self._unused(code, client)
        self.request.client = client
        self.request.user = self._approved_by(asked)
        # What the family and the ID token are made of: here as with a code that a browser brought.
        self.request.credential = self.request.authorization_code = asked
        asked.used_at = self.server.now
        if asked.terminal_hash is not None:
            self._end_former(client, asked.terminal_hash)
        self.server.session.flush()

    def _unused(self, code: str, client: Client) -> DeviceCode:
        """Lock the code and give it; one that was redeemed before ends what it gave."""
        session = self.server.session
        mine = (DeviceCode.code_hash == hash_of(code), DeviceCode.client_id == client.client_id)
        asked = session.scalar(select(DeviceCode).where(*mine).with_for_update())
        if asked is None:
            raise InvalidGrantError("The device_code is unknown.")
        if asked.used_at is not None:
            ended = TokenFamily.family_id == asked.family_id
            revoke_families_in_sync(session, ended, reason="device_code_replayed", now=self.server.now)
            raise InvalidGrantError("The device_code was used before.")
        return asked

    def _approved_by(self, asked: DeviceCode) -> Subject:
        now, early = self.server.now, rules.too_fast(asked.polled_at, asked.interval_seconds, self.server.now)
        asked.polled_at = now
        if asked.expires_at <= now:
            raise ExpiredTokenError
        if asked.decision == "denied":
            raise AccessDeniedError
        if asked.decision == "approved":
            return subject_of(self.server, self.request, asked)
        if early:
            asked.interval_seconds += rules.INTERVAL_GROWS_BY_SECONDS
            raise SlowDownError
        raise AuthorizationPendingError

    def _end_former(self, client: Client, terminal: bytes) -> None:
        """Let whoever was signed in at this terminal be signed out; two sign-ins at once come one after the other."""
        session = self.server.session
        session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(terminal[:8], "big", signed=True))))
        there = (TokenFamily.client_id == client.client_id, TokenFamily.terminal_hash == terminal)
        revoke_families_in_sync(session, *there, reason="superseded", now=self.server.now)


def _bounded(request: ProviderRequest, name: str) -> str | None:
    """Give a parameter of the device's own. Raises `InvalidRequestError` when it is too long."""
    longest = {"device_label": rules.LONGEST_PLACE, "device_id": rules.LONGEST_TERMINAL_ID}[name]
    value: str | None = request.payload.data.get(name)
    if value is not None and (len(value) > longest or not value.isprintable()):
        raise InvalidRequestError(f"The {name} is too long or cannot be shown.")
    return value
