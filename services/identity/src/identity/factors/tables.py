"""Tables of second factors: authenticator apps with their recovery codes, passkeys, links to accounts elsewhere."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Sealed, Table


class Totp(Table):
    """A secret shared with an authenticator app: pending until a code of it was given, one of each an account."""

    __table_args__ = (
        Index("uq_totp_pending", "account_id", unique=True, postgresql_where=text("confirmed_at is null")),
        Index("uq_totp_confirmed", "account_id", unique=True, postgresql_where=text("confirmed_at is not null")),
        CheckConstraint("(confirmed_at is null) = (last_used_step is null)", name="confirmed_by_a_code"),
    )

    totp_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id", ondelete="cascade"))
    sealed: Mapped[Sealed]
    made_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_used_step: Mapped[int | None]
    """The time step (30 s since 1970) of the last code that was taken; no code of it or of an earlier one is again."""


class RecoveryCode(Table):
    """One of the codes that stand in for a lost authenticator; used once. 80 random bits need no slow hash."""

    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id", ondelete="cascade"), index=True)
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Passkey(Table):
    """A public key whose private half a person's device holds; the name they gave it is sealed."""

    __table_args__ = (CheckConstraint("backup_eligible or not backed_up", name="backed_up"),)

    passkey_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id", ondelete="cascade"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[list[str]]
    backup_eligible: Mapped[bool]
    """Whether the device may copy the key to others (a synced passkey)."""
    backed_up: Mapped[bool]
    sealed_name: Mapped[Sealed]
    added_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    suspected_at: Mapped[datetime | None]
    """When its counter went backwards, as that of a copy would: it signs nobody in any more."""


class PasskeyCeremony(Table):
    """A challenge a browser was given, for one registration or one sign-in, bound to who asked for it."""

    __table_args__ = (
        CheckConstraint("purpose in ('registration', 'sign_in')", name="purpose"),
        CheckConstraint("(purpose = 'registration') = (account_id is not null)", name="registers_for_an_account"),
    )

    ceremony_id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.account_id", ondelete="cascade"), index=True)
    challenge: Mapped[bytes] = mapped_column(LargeBinary)
    bound_to: Mapped[bytes] = mapped_column(LargeBinary)
    """The hash of the browser's form cookie, or of the session whose token asked."""
    expires_at: Mapped[datetime] = mapped_column(index=True)


class FederatedIdentity(Table):
    """Somebody's account elsewhere, by a keyed hash of its id there; nothing else is known of it."""

    __table_args__ = (
        CheckConstraint("provider in ('wechat')", name="provider"),
        UniqueConstraint("provider", "subject_index", name="uq_federated_identity_provider_subject_index"),
        UniqueConstraint("provider", "account_id", name="uq_federated_identity_provider_account_id"),
    )

    federated_identity_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id", ondelete="cascade"), index=True)
    provider: Mapped[str]
    subject_index: Mapped[bytes] = mapped_column(LargeBinary)
    linked_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class WechatVisit(Table):
    """A browser that was sent to WeChat: what its `state` stands for when it comes back, once."""

    __table_args__ = (CheckConstraint("purpose in ('sign_in', 'link')", name="purpose"),)

    state_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    purpose: Mapped[str]
    bound_to: Mapped[bytes] = mapped_column(LargeBinary)
    """The hash of the browser's form cookie."""
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("session.session_id", ondelete="cascade"), index=True)
    """The session in which an account is to be linked."""
    parameters: Mapped[str]
    """The authorization request to go on with, as the query it came in."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
