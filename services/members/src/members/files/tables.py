"""Member files in versions, the key that seals each, who opened one, and the counts per branch."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from database import BlindIndex, Sealed, Table


class Member(Table):
    """One member's file as it now is, without what is sealed: that stands in `member_version` of the same version.

    `birth_month` is the first day of the month of birth: enough to count ages without opening a file.
    `affiliation_version` counts the events of the person's one affiliation.
    """

    __table_args__ = (
        Index("ix_member_organisation_id", "organisation_id", "person_id"),
        Index("ix_member_not_indexed", "person_id", postgresql_where=text("indexed_version is distinct from version")),
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("registered_organisation.organisation_id"))
    stage: Mapped[str]
    away: Mapped[bool]
    smartphone: Mapped[bool]
    birth_month: Mapped[date]
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary(16), unique=True)
    phone_index: Mapped[BlindIndex | None]
    version: Mapped[int] = mapped_column(BigInteger)
    affiliation_version: Mapped[int] = mapped_column(BigInteger)
    person_index: Mapped[BlindIndex | None]
    """Name and identity number, hashed by the key that identity has as well (`files.indexing`)."""
    indexed_version: Mapped[int | None] = mapped_column(BigInteger)
    """Of which version that is."""


class MemberKey(Table):
    """The data key that seals one member's file, wrapped under the service's key ring; nothing once it is destroyed."""

    __table_args__ = (CheckConstraint("(wrapped is null) = (destroyed_at is not null)", name="destroyed"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("member.person_id"), primary_key=True)
    wrapped: Mapped[Sealed | None]
    made_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]


class MemberVersion(Table):
    """One version of a member's file, never changed afterwards; it held from `recorded_at` until the next.

    A sealed value is bound to its column, person and version, so that it opens nowhere else.
    """

    person_id: Mapped[UUID] = mapped_column(ForeignKey("member.person_id"), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[UUID]
    organisation_id: Mapped[UUID]
    stage: Mapped[str]
    away: Mapped[bool]
    smartphone: Mapped[bool]
    name: Mapped[Sealed]
    id_number: Mapped[Sealed]
    phone: Mapped[Sealed | None]
    phone_proves_from: Mapped[datetime | None]
    """From when on a code to that phone proves who the person is (`files.phones`), `infinity` for never."""


class FileAccess(Table):
    """Who opened which fields of whose file, for what purpose."""

    __table_args__ = (Index("ix_file_access_person_id", "person_id", "opened_at"),)

    access_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    person_id: Mapped[UUID]
    reader_id: Mapped[UUID]
    on_behalf_of: Mapped[UUID | None]
    purpose: Mapped[str]
    fields: Mapped[list[str]]
    opened_at: Mapped[datetime]


class Composition(Table):
    """How a branch is composed, as counted on `counted_on`; `version` counts its events from 1."""

    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("registered_organisation.organisation_id"), primary_key=True
    )
    members: Mapped[int]
    away: Mapped[int]
    without_smartphone: Mapped[int]
    stages: Mapped[dict[str, Any]]
    age_bands: Mapped[dict[str, Any]]
    counted_on: Mapped[date] = mapped_column(index=True)
    version: Mapped[int] = mapped_column(BigInteger)
