"""The table of assisted sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class AssistedSession(Table):
    """A helper acts for a person, in the `actions` that the person agreed to, until `expires_at` and no longer.

    The ticket that consent gives is kept as its SHA-256 alone. The family of the token has the session's own id.
    """

    __table_args__ = (
        CheckConstraint("evidence in ('one_time_code', 'witness')", name="evidence"),
        CheckConstraint("subject_id <> helper_id", name="two_people"),
        CheckConstraint("witness_id not in (subject_id, helper_id)", name="a_third_person"),
        CheckConstraint("cardinality(actions) between 1 and 50", name="actions"),
        CheckConstraint("(consented_at is null) = (expires_at is null)", name="consent"),
        CheckConstraint("expires_at <= consented_at + interval '30 minutes'", name="half_an_hour"),
        CheckConstraint(
            "(ticket_hash is null) = (ticket_expires_at is null) and (ticket_hash is null or consented_at is not null)",
            name="ticket",
        ),
        CheckConstraint("exchanged_at is null or ticket_hash is not null", name="exchanged"),
        Index("ix_assisted_session_subject_id", "subject_id", "asked_at", "assist_id"),
        Index("ix_assisted_session_helper_id", "helper_id", "asked_at", "assist_id"),
        Index("ix_assisted_session_open", "expires_at", postgresql_where=text("ended_at is null")),
    )

    assist_id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    helper_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"))
    organisation_id: Mapped[UUID]
    """The organisation for which the helper helps."""
    actions: Mapped[list[str]]
    evidence: Mapped[str]
    challenge_id: Mapped[UUID | None]
    witness_id: Mapped[UUID | None]
    asked_at: Mapped[datetime]
    consented_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    ticket_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    ticket_expires_at: Mapped[datetime | None]
    exchanged_at: Mapped[datetime | None]
    helper_session_id: Mapped[UUID | None]
    """The helper's own sign-in (the `sid` of the actor token): when it ends, the help ends."""
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    """Who ended it before its time; nobody, when its time was over or the helper lost what it rested on."""
