"""Tables of roles: what a role permits, and who holds it where and when."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from database import Table


class RoleDefinition(Table):
    """A role is a word for a set of permissions; `version` counts the sets it has stood for."""

    __tablename__ = "role_definition"

    role_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(unique=True)
    title_zh: Mapped[str]
    title_en: Mapped[str]
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    version: Mapped[int]
    defined_at: Mapped[datetime]


class RoleAssignment(Table):
    """A person holds a role on an organisation and all below it, from the first to the last day, both included.

    An assignment that was ended holds no more from `ended_at` on, whatever its days say.
    """

    __tablename__ = "role_assignment"
    __table_args__ = (
        CheckConstraint("valid_until >= valid_from", name="days_in_order"),
        CheckConstraint("(ended_at is null) = (version = 1)", name="version_counts_the_ending"),
    )

    assignment_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), index=True)
    role: Mapped[str] = mapped_column(ForeignKey("role_definition.role"))
    organisation_id: Mapped[UUID] = mapped_column(index=True)
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    granted_by: Mapped[UUID | None]
    granted_at: Mapped[datetime]
    ended_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")
