"""Tables of OAuth: clients, codes, families of refresh tokens, signing keys, assertions that were used.

Codes and refresh tokens are kept as SHA-256 alone. Rows answer the questions authlib asks of such objects
(`check_…`, `get_…`), each by one line or by a rule.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table
from identity.sessions.tables import CodeForAuthlib


class AuthorizationCode(CodeForAuthlib, Table):
    """A code given to a client, and its tombstone after use: whoever brings it again ends the family it gave."""

    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    session_id: Mapped[UUID]
    family_id: Mapped[UUID]
    """The family of tokens this code gives when it is redeemed."""
    redirect_uri: Mapped[str]
    scope: Mapped[str]
    resources: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    """The resources the tokens are for (RFC 8707); none named means the API of all services."""
    nonce: Mapped[str | None]
    code_challenge: Mapped[str]
    bound_to: Mapped[str | None]
    """The thumbprint of the key that whoever redeems it has to prove (RFC 9449, `dpop_jkt`)."""
    acr: Mapped[str]
    amr: Mapped[list[str]]
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

    def get_nonce(self) -> str | None:
        """Give the client's nonce, for the ID token."""
        return self.nonce


class ClientConsent(Table):
    """What a person lets a client of somebody else have; a withdrawn row stays, and counts for nothing."""

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), primary_key=True)
    scopes: Mapped[list[str]]
    granted_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class UsedAssertion(Table):
    """An assertion by which a client proved itself, kept until it expires, so that it works once."""

    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), primary_key=True)
    jti_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class UsedProof(Table):
    """A proof of a key that gave tokens, as a hash of the key and the proof's id, kept so that it works once."""

    proof_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class RevokedClientToken(Table):
    """A client's own token that it gave up, by its `sid`, kept until it expires; such tokens have no family."""

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
