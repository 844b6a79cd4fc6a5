"""Tables of accounts: the account, the names it is known by, and what proves a person is its owner."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class Account(Table):
    """A person who may sign in; the id is the person's id everywhere and the `sub` of every token.

    `authorization_version` rises with every change of what the person may do.
    """

    __table_args__ = (
        CheckConstraint("status in ('active', 'deactivated', 'erased')", name="status"),
        Index("ix_account_unchecked", "account_id", postgresql_where=text("opened_within is not null")),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(server_default="active")
    authorization_version: Mapped[int] = mapped_column(server_default="1")
    authorization_changes: Mapped[int] = mapped_column(server_default="0")
    """How many of those changes were told to the other services: the version of the account's own events."""
    authorization_changed_at: Mapped[datetime | None]
    organisation_id: Mapped[UUID]
    """The organisation that opened the account."""
    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID | None]
    opened_within: Mapped[list[UUID] | None]
    """Where the opener may open accounts, until it is known whether the person was affiliated within that."""
    proven_at: Mapped[datetime | None] = mapped_column(server_default=text("now()"))
    """When its person proved that it is theirs: null until they have, and have chosen its password."""
    proven_by: Mapped[UUID | None]
    """The officer who saw them; null where a code to the phone on the member file, or nobody else, proved it."""


class Identifier(Table):
    """A name an account is found by: in the clear (a username), or sealed with a blind index (a phone number)."""

    __table_args__ = (
        CheckConstraint("kind in ('username', 'phone')", name="kind"),
        CheckConstraint("num_nonnulls(plain, blind_index) = 1", name="plain_or_sealed"),
        CheckConstraint("(blind_index is null) = (sealed is null)", name="sealed_with_index"),
        CheckConstraint("(kind = 'username') = (plain is not null)", name="only_usernames_are_plain"),
        Index("uq_identifier_kind_plain", "kind", "plain", unique=True),
        Index("uq_identifier_kind_blind_index", "kind", "blind_index", unique=True),
        Index("uq_identifier_phone", "account_id", unique=True, postgresql_where=text("kind = 'phone'")),
    )

    identifier_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), index=True)
    kind: Mapped[str]
    plain: Mapped[str | None]
    blind_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    added_at: Mapped[datetime]


class Credential(Table):
    """One way in for an account; `secret` is what the kind needs to check it: for a password, its argon2id string."""

    __table_args__ = (
        CheckConstraint("kind in ('password')", name="kind"),
        Index("uq_credential_password", "account_id", unique=True, postgresql_where=text("kind = 'password'")),
    )

    credential_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), index=True)
    kind: Mapped[str]
    secret: Mapped[str]
    set_at: Mapped[datetime]
    first_until: Mapped[datetime | None]
    """Until when a password works that somebody else gave the account; null once its owner has chosen one."""
    phone_alone_until: Mapped[datetime | None]
    """Until when it proves no more than a phone does, for who set it gave a code to one and nothing else; or null."""
