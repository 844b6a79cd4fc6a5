"""Tables of sessions: browsers, families of tokens with their links, devices that ask to be let in, known browsers."""

from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table

RevokedFor = Literal[
    "code_replayed",
    "token_replayed",
    "device_code_replayed",
    "signed_out",
    "signed_out_elsewhere",
    "signed_out_everywhere",
    "revoked_by_client",
    "revoked_by_officer",
    "consent_withdrawn",
    "deactivated",
    "recovered",
    "password_changed",
    "idle",
    "superseded",
    "erased",
    "assistance_ended",
    "phone_replaced",
    "restored",
]


class BrowserSession(Table):
    """One sign-in of one person on one browser; the cookie's value is kept as its SHA-256 alone."""

    __tablename__ = "session"

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    cookie_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), index=True)
    acr: Mapped[str]
    amr: Mapped[list[str]]
    """The ways in which the person proved who they are (RFC 8176)."""
    device: Mapped[str | None]
    """The kind of device, in a few words such as "chrome android"; what the browser sent is not kept."""
    signed_in_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    waiting_request: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Which authorization request this sign-in was made for and has not answered yet (its SHA-256)."""


class TokenFamily(Table):
    """All tokens that descend from one code: one sign-in of one front end. Its id is the `sid` of its tokens."""

    __table_args__ = (
        CheckConstraint("(revoked_at is null) = (revoked_for is null)", name="revoked_for_a_reason"),
        CheckConstraint(f"revoked_for in {get_args(RevokedFor)}", name="revoked_for"),
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
    resources: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    """The resources its tokens are for (RFC 8707)."""
    acr: Mapped[str]
    amr: Mapped[list[str]]
    """The ways in which the person proved who they are (RFC 8176)."""
    signed_in_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """After this no token of the family is refreshed, however often it rotated."""
    idle_until: Mapped[datetime | None]
    """On a shared terminal: when the family ends unless a token of it is refreshed before."""
    terminal_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The shared terminal this sign-in stands on: it has one at a time."""
    bound_to: Mapped[str | None]
    """The thumbprint of the key without which its refresh token is worth nothing; bound, the token never rotates."""
    device: Mapped[str | None]
    """The kind of device the person signed in on, in a few words such as "chrome android", for them to recognise it."""
    revoked_at: Mapped[datetime | None]
    revoked_for: Mapped[str | None]


class RefreshToken(Table):
    """One link in a family's chain: used once, then only a sign that somebody has a copy; the one of a bound family."""

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    family_id: Mapped[UUID] = mapped_column(ForeignKey("token_family.family_id", ondelete="cascade"), index=True)
    parent_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    issued_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class CodeForAuthlib:
    """What authlib asks of the row of any code: its scopes, and when, how strongly and how its person was proved."""

    scope: Any
    signed_in_at: Any
    acr: Any
    amr: Any

    def get_scope(self) -> Any:
        """Give the scopes the code stands for, separated by spaces."""
        return self.scope

    def get_auth_time(self) -> int | None:
        """Give the second in which the person proved who they are."""
        return int(self.signed_in_at.timestamp()) if self.signed_in_at else None

    def get_acr(self) -> Any:
        """Give how strongly they proved it."""
        return self.acr

    def get_amr(self) -> Any:
        """Give the ways in which they proved it (RFC 8176)."""
        return self.amr


class DeviceCode(CodeForAuthlib, Table):
    """One request of a device; its own code is kept as SHA-256, the one to type as a keyed hash."""

    __table_args__ = (
        CheckConstraint("decision in ('approved', 'denied')", name="decision"),
        CheckConstraint(
            "(decision = 'approved') is not true or num_nulls(account_id, acr, amr, signed_in_at) = 0",
            name="approved_by_somebody",
        ),
        CheckConstraint("used_at is null or (decision = 'approved') is true", name="used_when_approved"),
    )

    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_code_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    """What the person types, which can be guessed: a keyed hash, and gone once they have decided."""
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    scope: Mapped[str]
    place: Mapped[str | None]
    """Where the device says that it stands."""
    terminal_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Which of a client's shared terminals this is."""
    interval_seconds: Mapped[int]
    """How long the device waits between two questions; grows whenever it does not."""
    polled_at: Mapped[datetime | None]
    decision: Mapped[str | None]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.account_id"))
    acr: Mapped[str | None]
    amr: Mapped[list[str] | None]
    signed_in_at: Mapped[datetime | None]
    family_id: Mapped[UUID]
    """The family of tokens this code gives when it is redeemed."""
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]

    @property
    def session_id(self) -> UUID:
        """Give the session the tokens belong to: one of the device's own, never that of the browser that approved."""
        return self.family_id

    @property
    def bound_to(self) -> None:
        """Give none: no key is named before the device brings its code."""

    @property
    def resources(self) -> list[str]:
        """Give none: a device's tokens are for the API of all services."""
        return []

    def get_nonce(self) -> None:
        """Give none: a device brings no nonce."""


class KnownBrowser(Table):
    """A browser on which the owner of an account has signed in; its cookie is kept as its SHA-256 alone.

    `beyond_password` says that it took more than the password, which somebody else may know, or another way in.
    """

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(
        ForeignKey("account.account_id", ondelete="cascade"), primary_key=True, index=True
    )
    known_since: Mapped[datetime]
    beyond_password: Mapped[bool] = mapped_column(server_default="false")
    expires_at: Mapped[datetime] = mapped_column(index=True)
