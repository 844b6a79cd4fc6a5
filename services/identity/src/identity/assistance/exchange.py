"""Token exchange (RFC 8693): the ticket of a consent and the helper's own token become a token that names both."""

import math
from datetime import timedelta
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin
from sqlalchemy import select

from identity.accounts.tables import Account
from identity.assistance.rules import ASSISTED_ACR
from identity.assistance.tables import AssistedSession
from identity.clients.tables import Client
from identity.oauth.client_authentication import METHODS
from identity.oauth.provider import Provider, Subject
from identity.oauth.requests import ProviderRequest
from identity.oauth.resources import narrowed_resources
from identity.oauth.tokens import ACCESS_TOKEN, read_jwt
from identity.secrets import hash_of
from identity.sessions.tables import TokenFamily

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
TICKET_TYPE = "urn:xiangqiao:params:oauth:token-type:assist-ticket"
ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the name of a kind of token
_LEEWAY = timedelta(seconds=5)
"""How much longer than it says services take a token, for clocks that differ: an assisted one says it ends so early."""


class TokenExchangeGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]  # authlib has no types
    """For assisted sessions alone: no other token is exchanged for any other.

    Refusals are `invalid_request`, as RFC 8693 (2.2.2) says of tokens that are invalid or unacceptable.
    """

    GRANT_TYPE = GRANT_TYPE
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    request: ProviderRequest
    server: Provider

    def validate_token_request(self) -> None:
        """Check the client, both tokens and what is asked for; raises the errors of RFC 6749 and RFC 8693."""
        client: Client = self.authenticate_token_endpoint_client()
        self.request.client = client
        if not client.first_party or not client.check_grant_type(GRANT_TYPE):
            raise UnauthorizedClientError("The client may not exchange tokens.")
        form = self.request.form
        if form.get("subject_token_type") != TICKET_TYPE or "subject_token" not in form:
            raise InvalidRequestError("The subject_token is the ticket of an assisted session.")
        if form.get("actor_token_type") != ACCESS_TOKEN_TYPE or "actor_token" not in form:
            raise InvalidRequestError("The actor_token is the helper's access token.")
        if form.get("requested_token_type", ACCESS_TOKEN_TYPE) != ACCESS_TOKEN_TYPE:
            raise InvalidRequestError("Only an access token is given.")
        if form.get("audience", self.server.parties.audience) != self.server.parties.audience:
            raise InvalidRequestError("The audience is unknown.")
        actor = self._actor(form["actor_token"])
        if actor["client_id"] != client.client_id:
            raise InvalidRequestError("The actor_token was given to another client.")
        self._granted = set(str(actor.get("scope", "")).split())
        if not set((form.get("scope") or "").split()) <= self._granted:
            raise InvalidScopeError("The scope goes beyond that of the actor_token.")
        self._consent = self._consent_of(form["subject_token"], UUID(actor["sub"]))
        self._consent.helper_session_id = UUID(actor["sid"])

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Spend the ticket and give the token: for the person, by the helper, until the consent's half hour is over."""
        now, consent, client = self.server.now, self._consent, self.request.client
        account = self.server.session.get_one(Account, consent.subject_id)
        asked = self.request.form.get("scope")
        scope = asked if asked is not None else " ".join(sorted(self._granted))
        resources = narrowed_resources(self.request.form.get("resource"), (), self.server.parties)
        consented_at, expires_at = consent.consented_at, consent.expires_at
        if consented_at is None or expires_at is None:
            raise InvalidRequestError("The ticket stands for no consent.")
        consent.exchanged_at = now
        self.server.session.add(
            TokenFamily(
                family_id=consent.assist_id,
                client_id=client.client_id,
                account_id=consent.subject_id,
                session_id=consent.assist_id,
                scope=scope,
                resources=resources,
                acr=ASSISTED_ACR,
                amr=["sms"] if consent.evidence == "one_time_code" else ["user"],
                signed_in_at=consented_at,
                expires_at=expires_at,
            )
        )
        self.server.session.flush()
        subject = Subject(
            account.account_id,
            None,
            consent.assist_id,
            ASSISTED_ACR,
            (),
            consented_at,
            account.authorization_version,
            (),
            resources=resources,
            lifetime=timedelta(seconds=math.floor((expires_at - _LEEWAY).timestamp()) - math.floor(now.timestamp())),
            claims={
                "act": {"sub": str(consent.helper_id)},
                "assist": {"id": str(consent.assist_id), "actions": list(consent.actions)},
            },
        )
        token: dict[str, Any] = self.generate_token(user=subject, scope=scope, include_refresh_token=False)
        return 200, {**token, "issued_token_type": ACCESS_TOKEN_TYPE}, self.TOKEN_RESPONSE_HEADER

    def _actor(self, token: str) -> dict[str, Any]:
        """Give the claims of the helper's token, which must be one of ours that still holds, and no assisted one."""
        refused = InvalidRequestError("The actor_token is not a valid access token.")
        claims = self._verified(token)
        if claims is None:
            raise refused
        if "act" in claims or "may_act" in claims or "assist" in claims:
            raise InvalidRequestError("A helper's helper is not taken.")
        try:
            # Shared until this commits: whoever ends the helper's sign-in now ends what this exchange gave, too.
            family = self.server.session.get(
                TokenFamily, UUID(claims["sid"]), populate_existing=True, with_for_update={"read": True}
            )
            account = self.server.session.get(Account, UUID(claims["sub"]), populate_existing=True)
        except (KeyError, ValueError, TypeError) as error:
            raise refused from error
        if family is None or family.revoked_at is not None or account is None or account.status != "active":
            raise refused
        if (
            family.account_id != account.account_id
            or claims.get("authorization_version") != account.authorization_version
        ):
            raise refused
        return claims

    def _verified(self, token: str) -> dict[str, Any] | None:
        now, parties = self.server.now, self.server.parties
        claims = read_jwt(self.server.session, token, types=ACCESS_TOKEN, parties=parties, now=now)
        if claims is None:
            return None
        audience, second = claims["aud"], now.timestamp()
        for_us = parties.audience in (audience if isinstance(audience, list) else [audience])
        holds = claims["exp"] > second and claims["iat"] <= second + _LEEWAY.total_seconds()
        return claims if for_us and holds else None

    def _consent_of(self, ticket: str, helper_id: UUID) -> AssistedSession:
        """Find and lock the consent a ticket stands for: of many that bring it at once, one wins."""
        now = self.server.now
        found = select(AssistedSession).where(AssistedSession.ticket_hash == hash_of(ticket))
        locked = found.with_for_update().execution_options(populate_existing=True)
        consent = self.server.session.scalar(locked)
        if consent is None or consent.ticket_expires_at is None or consent.expires_at is None:
            raise InvalidRequestError("The ticket is unknown.")
        last_use = consent.expires_at - _LEEWAY - timedelta(seconds=1)  # a token lasts a second at least
        over = consent.ended_at is not None or min(consent.ticket_expires_at, last_use) <= now
        if over or consent.exchanged_at is not None:
            raise InvalidRequestError("The ticket is spent or its time is over.")
        if consent.helper_id != helper_id:  # what the ticket's `may_act` would say
            raise InvalidRequestError("The ticket was given to another helper.")
        person = self.server.session.get(Account, consent.subject_id, populate_existing=True)
        if person is None or person.status != "active":
            raise InvalidRequestError("The account is not active.")
        return consent
