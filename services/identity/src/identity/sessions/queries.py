"""The sessions that a person has."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_

from identity.oauth.tables import Client, RefreshToken, TokenFamily
from identity.roles.rules import Moment
from webapi import PageRequest


def living(now: datetime) -> ColumnElement[bool]:
    """Give the predicate of the families that have not ended."""
    not_idle = or_(TokenFamily.idle_until.is_(None), TokenFamily.idle_until > now)
    return and_(TokenFamily.revoked_at.is_(None), TokenFamily.expires_at > now, not_idle)


def sessions_after(page: PageRequest, person_id: UUID, *, now: datetime) -> Select[Any]:
    """Select a page of a person's living sessions with their clients' names, the latest sign-in first."""
    refreshed_at = (
        select(func.max(RefreshToken.issued_at))
        .where(RefreshToken.family_id == TokenFamily.family_id)
        .scalar_subquery()
    )
    last_seen_at = func.date_trunc("minute", func.coalesce(refreshed_at, TokenFamily.signed_in_at))
    chosen = (
        select(
            TokenFamily.family_id,
            TokenFamily.session_id.label("browser_session_id"),
            TokenFamily.client_id,
            Client.name_zh,
            Client.name_en,
            TokenFamily.device,
            TokenFamily.acr,
            TokenFamily.signed_in_at,
            last_seen_at.label("last_seen_at"),
        )
        .join(Client, Client.client_id == TokenFamily.client_id)
        .where(TokenFamily.account_id == person_id, living(now))
    )
    after = page.after(Moment, UUID)
    if after is not None:
        chosen = chosen.where(tuple_(TokenFamily.signed_in_at, TokenFamily.family_id) < after)
    return chosen.order_by(TokenFamily.signed_in_at.desc(), TokenFamily.family_id.desc()).limit(page.fetch)
