"""Reads of member files, one's own or those in the caller's remit, now or as on a day; nothing is opened here."""

from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from china_time import first_moment_after
from database import KeyRing, page_of
from members.files.schemas import Version
from members.files.tables import Member, MemberKey, MemberVersion
from webapi import PageRequest

FileRow = Row[*tuple[Any, ...]]
"""A version of a file as it is stored, with its wrapped key."""


class Own(NamedTuple):
    """Who asks for the own file, and sees no other; others see files by the organisations in their remit."""

    person_id: UUID


Reader = Own | Collection[UUID]


def _files() -> Select[*tuple[Any, ...]]:
    """Select versions of files with the key of each; the affiliation is that of the version.

    A file whose key was destroyed is gone for everybody.
    """
    return (
        select(
            Member.person_id,
            MemberVersion.organisation_id,
            MemberVersion.version,
            MemberVersion.recorded_at,
            MemberVersion.recorded_by,
            MemberVersion.stage,
            MemberVersion.away,
            MemberVersion.smartphone,
            MemberVersion.name,
            MemberVersion.id_number,
            MemberVersion.phone,
            MemberKey.wrapped,
        )
        .join(MemberVersion, MemberVersion.person_id == Member.person_id)
        .join(MemberKey, MemberKey.person_id == Member.person_id)
        .where(MemberKey.wrapped.is_not(None))
    )


async def one_file(
    session: AsyncSession, person_id: UUID, *, day: date | None = None, reader: Reader
) -> FileRow | None:
    """Find a file as it is, or as it was at the end of `day`; nothing when it was not there or is not for the reader.

    Who may see a file is decided by the present affiliation.
    """
    held = MemberVersion.version == Member.version
    if day is not None:
        then = select(func.max(MemberVersion.version)).where(
            MemberVersion.person_id == person_id, MemberVersion.recorded_at < first_moment_after(day)
        )
        held = MemberVersion.version == then.scalar_subquery()
    wanted = _files().where(Member.person_id == person_id, held, _shown_to(reader))
    return (await session.execute(wanted)).one_or_none()


async def file_by_id_number(
    session: AsyncSession, id_number: str, *, ring: KeyRing, remit: Collection[UUID]
) -> FileRow:
    """Give the file of an identity number that is on file within the remit."""
    wanted = _files().where(
        Member.id_number_index == ring.blind_index("id_number", id_number),
        MemberVersion.version == Member.version,
        orgtree.within(Member.organisation_id, remit),
    )
    return (await session.execute(wanted)).one()


async def list_files(
    session: AsyncSession, *, organisation_id: UUID, remit: Collection[UUID], page: PageRequest
) -> list[FileRow]:
    """List the files of an organisation and everything below it, in the order of their ids."""
    wanted = _files().where(
        MemberVersion.version == Member.version,
        orgtree.within(Member.organisation_id, [organisation_id]),
        orgtree.within(Member.organisation_id, remit),
    )
    wanted = page_of(wanted, Member.person_id, after=page.after(UUID), limit=page.fetch)
    return list((await session.execute(wanted)).all())


async def list_versions(session: AsyncSession, person_id: UUID, *, reader: Reader, page: PageRequest) -> list[FileRow]:
    """List the versions of a file, the latest first."""
    wanted = _files().where(Member.person_id == person_id, _shown_to(reader))
    wanted = page_of(wanted, MemberVersion.version, after=page.after(Version), limit=page.fetch, latest_first=True)
    return list((await session.execute(wanted)).all())


def _shown_to(reader: Reader) -> ColumnElement[bool]:
    if isinstance(reader, Own):
        return Member.person_id == reader.person_id
    return orgtree.within(Member.organisation_id, reader)
