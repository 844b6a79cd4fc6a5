"""The table of signing keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class SigningKey(Table):
    """An ES256 key pair; the private part is sealed under the key ring, bound to this row, and gone at retirement."""

    __table_args__ = (
        CheckConstraint("state in ('next', 'active', 'retired')", name="state"),
        Index("uq_signing_key_active", "state", unique=True, postgresql_where=text("state = 'active'")),
        Index("uq_signing_key_next", "state", unique=True, postgresql_where=text("state = 'next'")),
        CheckConstraint("(state = 'next') = (activated_at is null)", name="activated_at"),
        CheckConstraint("(state = 'retired') = (retired_at is not null)", name="retired_at"),
        CheckConstraint("(state = 'retired') = (sealed_private is null)", name="only_living_keys_sign"),
    )

    kid: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    public_jwk: Mapped[dict[str, Any]]
    sealed_private: Mapped[bytes | None] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
