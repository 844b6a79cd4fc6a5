"""Opens sealed fields for a stated purpose, and keeps who opened whose file; without one they are masked."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

import audit
from database import KeyRing
from members.files.queries import FileRow
from members.files.rules.personal_fields import masked
from members.files.schemas import MemberOut, VersionOut
from members.files.sealing import FIELDS, SealedFile
from members.files.tables import FileAccess


async def record_openings(
    session: AsyncSession,
    rows: Sequence[FileRow],
    *,
    purpose: str,
    fields: Collection[str],
    now: datetime,
    by: audit.Actor,
) -> None:
    """Keep and record that these files were opened, by whom and for what, before anything of them is shown."""
    opening = {
        "reader_id": by.actor,
        "on_behalf_of": by.on_behalf_of,
        "purpose": purpose,
        "fields": sorted(fields),
        "opened_at": now,
    }
    if rows:
        await session.execute(insert(FileAccess), [{**opening, "person_id": row.person_id} for row in rows])
    entries = [
        by.entry("members.file.read", subject=row.person_id, organisation_id=row.organisation_id, purpose=purpose)
        for row in rows
    ]
    await audit.record_all(session, entries, now=now)


def shown(row: FileRow, ring: KeyRing, *, opened: Collection[str] = (), clear_from: str | None = None) -> MemberOut:
    """Shape a file for an answer, with the `opened` fields in clear and the other sealed ones masked."""
    return MemberOut.model_validate({**_shown(row, ring, opened), "clear_from": clear_from})


def shown_version(row: FileRow, ring: KeyRing) -> VersionOut:
    """Shape a version of a file for an answer, masked."""
    return VersionOut.model_validate(_shown(row, ring, ()))


def _shown(row: FileRow, ring: KeyRing, opened: Collection[str]) -> dict[str, Any]:
    stored: dict[str, Any] = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way to the row as a mapping
    file = SealedFile(ring, stored)
    plain = {field: file.open(field) for field in FIELDS}
    told = {name: text if text is None or name in opened else masked(name, text) for name, text in plain.items()}
    return stored | told | {"opened": sorted(opened)}
