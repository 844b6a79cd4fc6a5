"""Tables of linked accounts, and of the visits to WeChat that have not come back yet."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class FederatedIdentity(Table):
    """Somebody's account elsewhere, by a keyed hash of its id there; nothing else is known of it."""

    __tablename__ = "federated_identity"
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

    __tablename__ = "wechat_visit"
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
