"""Tables of OAuth: clients, codes, families of refresh tokens, signing keys, assertions that were used.

Codes and refresh tokens are kept as SHA-256 alone. Rows answer the questions authlib asks of such objects
(`check_…`, `get_…`), each by one line or by a rule.
"""

import hashlib
from datetime import datetime
from hmac import compare_digest
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from database import Table
from identity.oauth import rules


class Client(Table):
    """A front end that may ask for tokens, as it was registered."""

    __tablename__ = "client"
    __table_args__ = (
        CheckConstraint("status in ('proposed', 'refused', 'active', 'suspended')", name="status"),
        CheckConstraint("application_type in ('web', 'native', 'service', 'terminal')", name="application_type"),
        CheckConstraint(
            "token_endpoint_auth_method in ('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt')",
            name="token_endpoint_auth_method",
        ),
        CheckConstraint("(jwks is not null) = (token_endpoint_auth_method = 'private_key_jwt')", name="jwks"),
        CheckConstraint("requests_per_minute > 0", name="requests_per_minute"),
        CheckConstraint(
            "application_type <> 'terminal' or not ('authorization_code' = any (grant_types))",
            name="terminals_sign_in_by_device_code",
        ),
    )

    client_id: Mapped[str] = mapped_column(primary_key=True)
    principal_id: Mapped[UUID] = mapped_column(unique=True)
    """Who the client is where it acts by itself: the `sub` of its client-credentials tokens."""
    status: Mapped[str] = mapped_column(server_default="active")
    name_zh: Mapped[str]
    name_en: Mapped[str]
    application_type: Mapped[str]
    first_party: Mapped[bool] = mapped_column(server_default=text("false"))
    """Part of the system itself: people are not asked whether it may have what it asks for."""
    token_endpoint_auth_method: Mapped[str] = mapped_column(server_default="none")
    redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(Text))
    grant_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    post_logout_redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    jwks: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The public keys of a client that proves itself by `private_key_jwt`."""
    secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    requests_per_minute: Mapped[int]
    version: Mapped[int] = mapped_column(server_default="0")
    """Counts what was told of the client's quota and status."""
    registered_at: Mapped[datetime]

    def get_client_id(self) -> str:
        """Give the client's id."""
        return self.client_id

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Say whether the client proves itself to an endpoint in this way."""
        return method == self.token_endpoint_auth_method

    def check_client_secret(self, secret: str) -> bool:
        """Say whether this is the client's secret."""
        digest = hashlib.sha256(secret.encode()).digest()
        return self.secret_hash is not None and compare_digest(self.secret_hash, digest)

    def check_grant_type(self, grant_type: str) -> bool:
        """Say whether the client was registered for this grant."""
        return grant_type in self.grant_types

    def check_response_type(self, response_type: str) -> bool:
        """Say whether the client may ask the authorization endpoint for this: codes alone."""
        return response_type == "code" and "authorization_code" in self.grant_types

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Say whether answers may be sent to this address."""
        return rules.redirect_uri_allowed(redirect_uri, self.redirect_uris, native=self.application_type == "native")

    def get_default_redirect_uri(self) -> None:
        """Give none: every request names the address it wants its answer at."""

    def get_allowed_scope(self, requested: str | None) -> str | None:
        """Give the scopes of `requested` this client may have; None when it asked and may have none of them."""
        return rules.allowed_scope(requested, self.scopes)


class AuthorizationCode(Table):
    """A code given to a client, and its tombstone after use: whoever brings it again ends the family it gave."""

    __tablename__ = "authorization_code"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    session_id: Mapped[UUID]
    family_id: Mapped[UUID]
    """The family of tokens this code gives when it is redeemed."""
    redirect_uri: Mapped[str]
    scope: Mapped[str]
    resources: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    """The resources the tokens are for (RFC 8707); none named means the API of all services."""
    nonce: Mapped[str | None]
    code_challenge: Mapped[str]
    acr: Mapped[str]
    amr: Mapped[list[str]] = mapped_column(ARRAY(Text))
    signed_in_at: Mapped[datetime]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]

    @property
    def code_challenge_method(self) -> str:
        """Give the one method of PKCE there is."""
        return "S256"

    @property
    def terminal_hash(self) -> None:
        """Give none: no shared terminal signs in by such a code."""

    def get_redirect_uri(self) -> str:
        """Give the address the code was sent to."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Give the scopes the code stands for, separated by spaces."""
        return self.scope

    def get_nonce(self) -> str | None:
        """Give the client's nonce, for the ID token."""
        return self.nonce

    def get_auth_time(self) -> int:
        """Give the second in which the person proved who they are."""
        return int(self.signed_in_at.timestamp())

    def get_acr(self) -> str:
        """Give how strongly they proved it."""
        return self.acr

    def get_amr(self) -> list[str]:
        """Give the ways in which they proved it (RFC 8176)."""
        return self.amr


class TokenFamily(Table):
    """All tokens that descend from one code: one sign-in of one front end. Its id is the `sid` of its tokens."""

    __tablename__ = "token_family"
    __table_args__ = (
        CheckConstraint("(revoked_at is null) = (revoked_for is null)", name="revoked_for_a_reason"),
        CheckConstraint(
            "revoked_for in ('code_replayed', 'token_replayed', 'device_code_replayed', 'signed_out', "
            "'signed_out_elsewhere', 'signed_out_everywhere', 'revoked_by_client', 'revoked_by_officer', "
            "'consent_withdrawn', 'deactivated', 'recovered', 'password_changed', 'idle', 'superseded', 'erased', "
            "'assistance_ended', 'phone_replaced')",
            name="revoked_for",
        ),
        Index(
            "uq_token_family_at_terminal",
            "client_id",
            "terminal_hash",
            unique=True,
            postgresql_where=text("terminal_hash is not null and revoked_at is null"),
        ),
    )

    family_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), index=True)
    session_id: Mapped[UUID] = mapped_column(index=True)
    scope: Mapped[str]
    resources: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    """The resources its tokens are for (RFC 8707)."""
    acr: Mapped[str]
    amr: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The ways in which the person proved who they are (RFC 8176)."""
    signed_in_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """After this no token of the family is refreshed, however often it rotated."""
    idle_until: Mapped[datetime | None]
    """On a shared terminal: when the family ends unless a token of it is refreshed before."""
    terminal_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The shared terminal this sign-in stands on: it has one at a time."""
    device: Mapped[str | None]
    """The kind of device the person signed in on, in a few words such as "chrome android", for them to recognise it."""
    revoked_at: Mapped[datetime | None]
    revoked_for: Mapped[str | None]


class RefreshToken(Table):
    """One link in a family's chain: used once, then only a sign that somebody has a copy."""

    __tablename__ = "refresh_token"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    family_id: Mapped[UUID] = mapped_column(ForeignKey("token_family.family_id", ondelete="cascade"), index=True)
    parent_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    issued_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ClientConsent(Table):
    """What a person lets a client of somebody else have; a withdrawn row stays, and counts for nothing."""

    __tablename__ = "client_consent"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), primary_key=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    granted_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class UsedAssertion(Table):
    """An assertion by which a client proved itself, kept until it expires, so that it works once."""

    __tablename__ = "used_assertion"

    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), primary_key=True)
    jti_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class RevokedClientToken(Table):
    """A client's own token that it gave up, by its `sid`, kept until it expires; such tokens have no family."""

    __tablename__ = "revoked_client_token"

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
