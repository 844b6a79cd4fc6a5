"""Reads of assisted sessions: those in which one was helped, and those in which one helps."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select

import orgtree
from database import page_of
from identity.assistance.rules import Times, status_at
from identity.assistance.schemas import AssistedSessionOut
from identity.assistance.tables import AssistedSession
from identity.sessions.tables import TokenFamily


def sessions(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Select assisted sessions with the name of the helper's organisation, and when their token was ended."""
    tree = orgtree.organisation
    return (
        select(AssistedSession, tree.c.name.label("organisation_name"), TokenFamily.revoked_at)
        .outerjoin(tree, tree.c.organisation_id == AssistedSession.organisation_id)
        .outerjoin(TokenFamily, TokenFamily.family_id == AssistedSession.assist_id)
        .where(*conditions)
    )


def latest_first(
    chosen: Select[*tuple[Any, ...]], after: tuple[datetime, UUID] | None, limit: int
) -> Select[*tuple[Any, ...]]:
    """Select a page, the latest first."""
    key = (AssistedSession.asked_at, AssistedSession.assist_id)
    return page_of(chosen, *key, after=after, limit=limit, latest_first=True)


def shown(row: Any, now: datetime) -> AssistedSessionOut:
    """Shape a row of `sessions`."""
    held: AssistedSession = row.AssistedSession
    ended_at = held.ended_at or row.revoked_at
    times = Times(held.asked_at, held.consented_at, held.expires_at, held.exchanged_at, ended_at)
    status = status_at(times, now)
    over = ended_at if ended_at is not None or status != "ended" else held.expires_at
    names = ("assist_id", "subject_id", "helper_id", "organisation_id", "actions", "evidence")
    moments = ("asked_at", "consented_at", "expires_at")
    fields = {name: getattr(held, name) for name in (*names, *moments)}
    return AssistedSessionOut(**fields, organisation_name=row.organisation_name, status=status, ended_at=over)
