"""Reads of assisted sessions: those in which one was helped, and those in which one helps."""

from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from identity.assistance.rules import Times, status_at
from identity.assistance.schemas import AssistedSessionOut
from identity.assistance.tables import AssistedSession
from identity.sessions.tables import TokenFamily
from webapi import Page, PageRequest


def sessions(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Select assisted sessions with the name of the helper's organisation, and when their token was ended."""
    tree = orgtree.organisation
    return (
        select(AssistedSession, tree.c.name.label("organisation_name"), TokenFamily.revoked_at)
        .outerjoin(tree, tree.c.organisation_id == AssistedSession.organisation_id)
        .outerjoin(TokenFamily, TokenFamily.family_id == AssistedSession.assist_id)
        .where(*conditions)
    )


async def list_sessions(
    session: AsyncSession, page: PageRequest, mine: ColumnElement[bool], now: datetime
) -> Page[AssistedSessionOut]:
    """List those of the caller's, the latest first."""
    key = (AssistedSession.asked_at, AssistedSession.assist_id)
    return await page.select(session, sessions(mine), *key, shape=partial(shown, now=now), latest_first=True)


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
