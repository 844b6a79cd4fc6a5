"""The authorization server of one request: authlib's rules, over the database session of that request.

authlib is synchronous, so a route runs it inside `AsyncSession.run_sync`; it is made anew for each request, which
costs less than a token and needs no state to be shared. What it leaves to defaults that are unsafe is set here and
in `grants`: lifetimes, the key's id in the header, PKCE for everybody by S256 alone, replay.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Error
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import KeyRing, new_id
from identity.clients.rules import still_registered
from identity.clients.tables import Client
from identity.oauth import client_authentication, rules
from identity.oauth.errors import explained
from identity.oauth.proofs import InvalidProofError, read_proof
from identity.oauth.requests import ProviderRequest
from identity.oauth.resources import audience_of
from identity.secrets import hash_of, new_secret
from identity.sessions.tables import BrowserSession, RefreshToken, TokenFamily
from identity.shared import TokenParties
from identity.signing.keys import Signer

JSON = dict[str, Any]


class Answer(NamedTuple):
    """What an endpoint answers: a JSON object with its headers, or an address to go to."""

    status: int
    body: JSON
    headers: dict[str, str]

    @property
    def location(self) -> str | None:
        """The address to go to, if any."""
        return self.headers.get("Location")


class Subject(NamedTuple):
    """Whom a token is for, and what it descends from; a client that acts by itself proved nothing a person would.

    `resources` is what it is for, `lifetime` another than that of the client's tokens, `claims` are further claims.
    """

    account_id: UUID
    username: str | None
    family_id: UUID
    acr: str | None
    amr: Sequence[str]
    signed_in_at: datetime | None
    authorization_version: int | None
    roles: Sequence[tuple[str, UUID]]
    resources: Sequence[str] = ()
    lifetime: timedelta | None = None
    claims: Mapping[str, Any] = {}


class Provider(AuthorizationServer):  # type: ignore[misc]  # authlib has no types
    """Answers authorization and token requests inside one transaction, at the time `now`."""

    def __init__(
        self, session: Session, *, ring: KeyRing, parties: TokenParties, signer: Signer, now: datetime
    ) -> None:
        super().__init__()
        self.session = session
        self.ring = ring
        self.parties = parties
        self.signer = signer
        self.now = now

    def query_client(self, client_id: str) -> Client | None:
        """Find a registered client that is neither waiting for its review nor suspended."""
        named = rules.identifier_of(client_id)
        client = None if named is None else self.session.get(Client, named)
        return client if client is not None and client.status == "active" else None

    def authenticate_client(self, request: ProviderRequest, methods: Sequence[str], endpoint: str = "token") -> Client:
        """Give the client that sent the request, proven in the one way it is registered for; else `invalid_client`."""
        assertion = client_authentication.Assertion(self.session, issuer=self.parties.issuer, now=self.now)
        return client_authentication.authenticate(
            request, methods, endpoint, query_client=self.query_client, assertion=assertion
        )

    def create_oauth2_request(self, request: ProviderRequest) -> ProviderRequest:
        """Take the request as it is: the route has read it."""
        return request

    def create_token_response(self, request: ProviderRequest) -> Answer:
        """Answer a token request, whose proof of a key, if it brings one, has to be good whatever the grant."""
        try:
            request.proof = read_proof(request.proofs, method=request.method, address=request.uri, now=self.now)
        except InvalidProofError as error:
            return self.refusal(error)
        answer: Answer = super().create_token_response(request)
        return answer

    def handle_response(self, status: int, body: JSON | str, headers: list[tuple[str, str]]) -> Answer:
        """Give the answer as data; the route makes the HTTP response after the transaction has committed."""
        content = explained(body, self.parties.issuer) if isinstance(body, dict) else {}
        return Answer(status, content, dict(headers))

    def send_signal(self, name: str, *_: object, **__: object) -> None:
        """Tell nobody: there is nothing to be told in process."""

    def generate_token(  # noqa: PLR0917 - authlib's signature
        self,
        grant_type: str,  # noqa: ARG002 - authlib's signature
        client: Client,
        user: Subject,
        scope: str,
        expires_in: int | None = None,  # noqa: ARG002 - the subject says how long
        include_refresh_token: bool = True,
    ) -> JSON:
        """Make the token response: a signed access token (RFC 9068) and, for a client that may refresh, its link.

        Whatever the grant, the client gets no scope that was taken from it since the scope was granted.
        """
        scope = still_registered(scope, client.scopes)
        lifetime = int((user.lifetime or rules.access_token_lifetime(client.application_type)).total_seconds())
        issued = int(self.now.timestamp())
        claims = {
            "iss": self.parties.issuer,
            "sub": str(user.account_id),
            "aud": audience_of(user.resources, self.parties),
            "client_id": client.client_id,
            "scope": scope,
            "sid": str(user.family_id),
            "acr": user.acr,
            "auth_time": None if user.signed_in_at is None else int(user.signed_in_at.timestamp()),
            "authorization_version": user.authorization_version,
            "iat": issued,
            "exp": issued + lifetime,
            "jti": str(new_id()),
            "roles": [{"role": role, "organisation_id": str(organisation)} for role, organisation in user.roles],
            **user.claims,
        }
        token: JSON = {
            "token_type": "Bearer",
            "access_token": self.signer.sign(
                {name: value for name, value in claims.items() if value is not None}, typ="at+jwt"
            ),
            "expires_in": lifetime,
            "scope": scope,
        }
        if include_refresh_token:
            token["refresh_token"] = new_secret()
        return token

    def save_token(self, token: JSON, request: ProviderRequest) -> None:
        """Keep the refresh token's hash as the next link of its family; a code's first token begins the family.

        The family is bound to the key that was proved, if the client is a public one: others prove themselves each time
        (RFC 9449, section 5). A grant that has neither code nor refresh token keeps nothing: no token of it is
        refreshed.
        """
        if code := request.authorization_code:
            application_type = request.client.application_type
            proof = request.proof if request.client.check_endpoint_auth_method("none", "token") else None
            browser = select(BrowserSession.device).where(BrowserSession.session_id == code.session_id)
            self.session.add(
                TokenFamily(
                    family_id=code.family_id,
                    client_id=code.client_id,
                    account_id=code.account_id,
                    session_id=code.session_id,
                    scope=code.scope,
                    resources=code.resources,
                    acr=code.acr,
                    amr=code.amr,
                    signed_in_at=code.signed_in_at,
                    expires_at=self.now + rules.family_lifetime(application_type),
                    idle_until=rules.idle_until(application_type, self.now),
                    terminal_hash=code.terminal_hash,
                    bound_to=proof.key if proof else None,
                    device=self.session.scalar(browser),
                )
            )
            self.session.flush()
            self._keep_link(token, code.family_id, parent=None)
        elif (used := request.refresh_token) and used.rotates and used.token.used_at is None:
            self._keep_link(token, used.family_id, parent=used.token_hash)

    def _keep_link(self, token: JSON, family_id: UUID, *, parent: bytes | None) -> None:
        if "refresh_token" in token:
            link = RefreshToken(
                token_hash=hash_of(token["refresh_token"]), family_id=family_id, parent_hash=parent, issued_at=self.now
            )
            self.session.add(link)
            self.session.flush()

    def refusal(self, error: OAuth2Error) -> Answer:
        """Give the answer for an error: a redirect when authlib has checked the address, else a JSON object."""
        return self.handle_response(*error(None))


def keep_tokens_out_of_logs() -> None:
    """Drop authlib's DEBUG records, whatever level is configured: they hold whole token responses.

    A filter of a logger does not hold for those below it, so each that exists gets it.
    """
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("authlib"):
            logging.getLogger(name).addFilter(_above_debug)


def _above_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG
