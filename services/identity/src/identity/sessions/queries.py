"""The sessions that a person has."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, null, or_, select, union_all

from china_time import Moment
from database import page_of
from identity.accounts.tables import Account
from identity.clients.tables import Client
from identity.sessions.browser import is_complete
from identity.sessions.tables import BrowserSession, RefreshToken, TokenFamily
from webapi import PageRequest


def living(now: datetime) -> ColumnElement[bool]:
    """Give the predicate of the families that have not ended."""
    not_idle = or_(TokenFamily.idle_until.is_(None), TokenFamily.idle_until > now)
    return and_(TokenFamily.revoked_at.is_(None), TokenFamily.expires_at > now, not_idle)


def sessions_after(page: PageRequest, person_id: UUID, *, now: datetime) -> Select[Any]:
    """Select a page of a person's living sessions with their clients' names, the latest sign-in first.

    A sign-in that no client has living tokens of is one too, without a client: it opens the pages of identity itself,
    and any client's door.
    """
    listed = union_all(_families(person_id, now), _sign_ins(person_id, now)).subquery("listed")
    key, after = (listed.c.signed_in_at, listed.c.session_id), page.after(Moment, UUID)
    return page_of(select(listed), *key, after=after, limit=page.fetch, latest_first=True)


def _families(person_id: UUID, now: datetime) -> Select[Any]:
    refreshed_at = (
        select(func.max(RefreshToken.issued_at))
        .where(RefreshToken.family_id == TokenFamily.family_id)
        .scalar_subquery()
    )
    last_seen_at = func.date_trunc("minute", func.coalesce(refreshed_at, TokenFamily.signed_in_at))
    return (
        select(
            TokenFamily.family_id.label("session_id"),
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


def _sign_ins(person_id: UUID, now: datetime) -> Select[Any]:
    """Select, in the same columns, the browser sessions that count and that no living family came of."""
    came_of_it = exists().where(TokenFamily.session_id == BrowserSession.session_id, living(now))
    return (
        select(
            BrowserSession.session_id,
            BrowserSession.session_id.label("browser_session_id"),
            null().label("client_id"),
            null().label("name_zh"),
            null().label("name_en"),
            BrowserSession.device,
            BrowserSession.acr,
            BrowserSession.signed_in_at,
            func.date_trunc("minute", BrowserSession.signed_in_at).label("last_seen_at"),
        )
        .join(Account, Account.account_id == BrowserSession.account_id)
        .where(BrowserSession.account_id == person_id, BrowserSession.ended_at.is_(None))
        .where(BrowserSession.expires_at > now, is_complete(), ~came_of_it)
    )
