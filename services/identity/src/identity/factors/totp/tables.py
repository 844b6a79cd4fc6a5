"""Tables of one-time passwords: the sealed secret an authenticator app shares with us, and recovery codes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Sealed, Table


class Totp(Table):
    """A secret shared with an authenticator app: pending until a code of it was given, one of each an account."""

    __tablename__ = "totp"
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

    __tablename__ = "recovery_code"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id", ondelete="cascade"), index=True)
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
