"""Client credentials: a system that acts by itself gets a token of its own, for ten minutes and with no roles."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidScopeError, UnauthorizedClientError, grants

from database import new_id
from identity.clients.rules import SCOPES_OF_PEOPLE
from identity.oauth.client_authentication import CONFIDENTIAL
from identity.oauth.provider import Provider, Subject
from identity.oauth.requests import ProviderRequest
from identity.oauth.resources import narrowed_resources


class ClientCredentialsGrant(grants.ClientCredentialsGrant):  # type: ignore[misc]  # authlib has no types
    """For services that proved themselves; authlib's tokens of this grant would live ten days."""

    TOKEN_ENDPOINT_AUTH_METHODS = CONFIDENTIAL
    request: ProviderRequest
    server: Provider

    def validate_token_request(self) -> None:
        """Refuse a client that is no service, and a scope that only a person can have."""
        super().validate_token_request()
        if self.request.client.application_type != "service":
            raise UnauthorizedClientError("Only a service acts by itself.")

    def validate_requested_scope(self) -> None:
        """Refuse scopes of people, and those the client is not registered for."""
        wanted = set((self.request.payload.scope or "").split())
        if not wanted <= set(self.request.client.scopes) - set(SCOPES_OF_PEOPLE):
            raise InvalidScopeError

    def generate_token(self, **asked: Any) -> dict[str, Any]:
        """Make the token: its subject is the client, and its `sid` is its own, so that it can be revoked alone."""
        client = self.request.client
        resources = narrowed_resources(self.request.payload.data.get("resource"), (), self.server.parties)
        subject = Subject(client.principal_id, None, new_id(), None, (), None, None, (), resources=resources)
        scope = asked.pop("scope", None)
        if scope is None:
            scope = " ".join(name for name in client.scopes if name not in SCOPES_OF_PEOPLE)
        token: dict[str, Any] = super().generate_token(user=subject, scope=scope, **asked)
        return token
