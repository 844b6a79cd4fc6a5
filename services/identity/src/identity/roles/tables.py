"""Tables of roles: what a role permits, who holds it where and when, and which one administration an account has."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table
from identity.roles.rules import ADMINISTRATIONS

_LISTED = ", ".join(f"'{role}'" for role in ADMINISTRATIONS)
# As PostgreSQL writes it back: Alembic compares the text.
_ADMINISTRATION = (
    "case when status = 'granted'::text and role = any (array["
    + ", ".join(f"'{role}'::text" for role in ADMINISTRATIONS)
    + "]) then role else null::text end"
)


class RoleDefinition(Table):
    """A role is a word for a set of permissions; `version` counts the sets it has stood for.

    `granted_by` are the roles whose holders may grant it; a `privileged` one takes a second person's approval; holders
    of a `delegable` one may delegate it.
    """

    role_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(unique=True)
    title_zh: Mapped[str]
    title_en: Mapped[str]
    permissions: Mapped[list[str]]
    privileged: Mapped[bool]
    delegable: Mapped[bool]
    granted_by: Mapped[list[str]]
    version: Mapped[int]
    defined_at: Mapped[datetime]


class Administrator(Table):
    """The one administration an account has or had; it changes only when no assignment of the former is left.

    System, security and audit administration are three roles that no account combines. The database sees to it: an
    assignment that holds, or will hold, refers to this row by the role it is of.
    """

    __table_args__ = (
        CheckConstraint(f"role in ({_LISTED})", name="role"),
        UniqueConstraint("person_id", "role", name="uq_administrator_person_id_role"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), primary_key=True)
    role: Mapped[str]


class RoleAssignment(Table):
    """A person holds a role on an organisation and all below it, from the first to the last day, both included.

    Only what is `granted` holds. What is `proposed` waits for a second person until `proposed_until`, who approves or
    refuses it (`decided_by`); it may lapse or be withdrawn. An assignment that was ended holds no more from `ended_at`
    on, whatever its days say; one that is `delegated_from` another ends with it. `version` counts what was told of it.
    """

    __table_args__ = (
        CheckConstraint("valid_until >= valid_from", name="days_in_order"),
        CheckConstraint("status in ('proposed', 'granted', 'refused', 'lapsed', 'withdrawn', 'ended')", name="status"),
        CheckConstraint("(status = 'ended') = (version = 2)", name="version_counts_the_ending"),
        CheckConstraint("(status in ('ended', 'withdrawn')) = (ended_at is not null)", name="ended_at"),
        CheckConstraint("(proposed_until is not null) or status in ('granted', 'ended')", name="proposed_until"),
        CheckConstraint("decided_by <> granted_by and decided_by <> person_id", name="decided_by_another"),
        CheckConstraint(
            f"role not in ({_LISTED}) or status <> 'granted' or granted_by is null or decided_by is not null",
            name="administrations_take_two",
        ),
        ForeignKeyConstraint(
            ["person_id", "administration"],
            ["administrator.person_id", "administrator.role"],
            name="fk_role_assignment_administration_administrator",
        ),
        Index(
            "ix_role_assignment_delegated_from", "delegated_from", postgresql_where=text("delegated_from is not null")
        ),
        Index("ix_role_assignment_proposed_until", "proposed_until", postgresql_where=text("status = 'proposed'")),
        Index("ix_role_assignment_valid_until", "valid_until", postgresql_where=text("status = 'granted'")),
    )

    assignment_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id"), index=True)
    role: Mapped[str] = mapped_column(ForeignKey("role_definition.role"))
    organisation_id: Mapped[UUID] = mapped_column(index=True)
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    status: Mapped[str] = mapped_column(server_default="granted")
    delegated_from: Mapped[UUID | None] = mapped_column(ForeignKey("role_assignment.assignment_id"))
    granted_by: Mapped[UUID | None]
    granted_at: Mapped[datetime]
    proposed_until: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")
    administration: Mapped[str | None] = mapped_column(Computed(_ADMINISTRATION, persisted=True))

    @property
    def changes(self) -> int:
        """Count how it has come to stand as it does: made, decided on or over before that, ended."""
        proposal_is_over = self.proposed_until is not None and self.status != "proposed"
        return 1 + proposal_is_over + (self.status == "ended")
