"""Tables of clients: as they are registered, and the proposals that two people made them by.

A row of `Client` answers the questions authlib asks of it (`check_…`, `get_…`), each by one line or by a rule.
"""

from datetime import datetime
from hmac import compare_digest
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from database import Table
from identity.clients.rules import allowed_scope, redirect_uri_allowed
from identity.secrets import hash_of


class ClientProposal(Table):
    """A registration, new or changed, as one person proposed it and a second one decided on it."""

    __table_args__ = (
        CheckConstraint("status in ('pending', 'approved', 'refused', 'superseded')", name="status"),
        CheckConstraint("(status in ('approved', 'refused')) = (decided_by is not null)", name="decided_by_somebody"),
        CheckConstraint("(decided_at is null) = (decided_by is null)", name="decided_at"),
        CheckConstraint("decided_by <> proposed_by", name="four_eyes"),
        Index("uq_client_proposal_pending", "client_id", unique=True, postgresql_where=text("status = 'pending'")),
    )

    proposal_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), index=True)
    terms: Mapped[dict[str, Any]]
    """What was proposed, in the form of `ClientTerms`."""
    status: Mapped[str] = mapped_column(server_default="pending")
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]


class Client(Table):
    """A front end that may ask for tokens, as it was registered."""

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
    redirect_uris: Mapped[list[str]]
    grant_types: Mapped[list[str]]
    scopes: Mapped[list[str]]
    post_logout_redirect_uris: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    jwks: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The public keys of a client that proves itself by `private_key_jwt`."""
    secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    requests_per_minute: Mapped[int]
    version: Mapped[int] = mapped_column(server_default="0")
    """Counts what was told of the client's quota and status."""
    changes: Mapped[int] = mapped_column(server_default="1")
    """Counts what was proposed, decided and done about it."""
    told_in: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """The form of the event that told it last; a later release may tell more."""
    registered_at: Mapped[datetime]

    def get_client_id(self) -> str:
        """Give the client's id."""
        return self.client_id

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Say whether the client proves itself to an endpoint in this way."""
        return method == self.token_endpoint_auth_method

    def check_client_secret(self, secret: str) -> bool:
        """Say whether this is the client's secret."""
        return self.secret_hash is not None and compare_digest(self.secret_hash, hash_of(secret))

    def check_grant_type(self, grant_type: str) -> bool:
        """Say whether the client was registered for this grant."""
        return grant_type in self.grant_types

    def check_response_type(self, response_type: str) -> bool:
        """Say whether the client may ask the authorization endpoint for this: codes alone."""
        return response_type == "code" and "authorization_code" in self.grant_types

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Say whether answers may be sent to this address."""
        return redirect_uri_allowed(redirect_uri, self.redirect_uris, native=self.application_type == "native")

    def get_default_redirect_uri(self) -> None:
        """Give none: every request names the address it wants its answer at."""

    def get_allowed_scope(self, requested: str | None) -> str | None:
        """Give the scopes of `requested` this client may have; None when it asked and may have none of them."""
        return allowed_scope(requested, self.scopes)
