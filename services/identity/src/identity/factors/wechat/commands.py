"""Visits to WeChat and the accounts linked to what came back."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from sqlalchemy import Select, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing, insert_new, known
from identity.accounts.tables import Account
from identity.factors.ownership import Owner, tell_owner
from identity.factors.tables import FederatedIdentity, WechatVisit
from identity.pages.requests import Parameters
from identity.secrets import hash_of, new_secret
from identity.wechat import WechatSubject

VISIT_LIFETIME: Final = timedelta(minutes=10)
CONSENT = "wechat"
"""The purpose of purposes/consents.toml that a link rests on."""
PROVIDER: Final = "wechat"
Purpose = Literal["sign_in", "link"]


class WechatTaken(Exception):
    """This WeChat account is linked to another account, or this account to another WeChat account."""


class WechatNotLinked(Exception):
    """The account is linked to no WeChat account."""


class Returned(NamedTuple):
    """What a `state` stood for."""

    purpose: str
    session_id: UUID | None
    parameters: Parameters


class Linked(NamedTuple):
    """The link by which somebody at WeChat is known, and whose account it is."""

    link_id: UUID
    account_id: UUID


async def begin_visit(
    session: AsyncSession,
    *,
    purpose: Purpose,
    form_cookie: str,
    session_id: UUID | None,
    parameters: Parameters,
    now: datetime,
) -> str:
    """Make a `state`, good once and for ten minutes, in the browser that has this form cookie."""
    state = new_secret()
    row = {
        "state_hash": hash_of(state),
        "purpose": purpose,
        "bound_to": hash_of(form_cookie),
        "session_id": session_id,
        "parameters": urlencode(parameters),
        "expires_at": now + VISIT_LIFETIME,
    }
    await insert_new(session, WechatVisit, row)
    return state


async def end_visit(session: AsyncSession, *, state: str, form_cookie: str | None, now: datetime) -> Returned | None:
    """Spend a `state`; None when it was never given, given to another browser, used, or is too old.

    Another browser does not spend it: it was never told it, and whoever was can still come back.
    """
    found = select(WechatVisit).where(WechatVisit.state_hash == hash_of(state)).with_for_update()
    visit = await session.scalar(found)
    if visit is None or form_cookie is None or not secrets.compare_digest(visit.bound_to, hash_of(form_cookie)):
        return None
    await session.execute(delete(WechatVisit).where(WechatVisit.state_hash == visit.state_hash))
    if visit.expires_at <= now:
        return None
    return Returned(visit.purpose, visit.session_id, dict(parse_qsl(visit.parameters, keep_blank_values=True)))


async def account_linked_to(
    session: AsyncSession, ring: KeyRing, subject: WechatSubject, *, app_id: str, now: datetime
) -> Linked | None:
    """Give the active account that is linked to somebody at WeChat, if any.

    Somebody known by their id for this application is known by the one for all of its owner's from then on.
    """
    indexes = _indexes(ring, subject, app_id)
    found = (
        select(FederatedIdentity.federated_identity_id, FederatedIdentity.account_id)
        .join(Account, Account.account_id == FederatedIdentity.account_id)
        .where(FederatedIdentity.provider == PROVIDER, FederatedIdentity.subject_index.in_(indexes))
        .where(Account.status == "active")
    )
    rows = (await session.execute(found)).all()
    if len(rows) != 1:
        return None  # none, or two ids of one person linked to two accounts: then neither says who it is
    await session.execute(
        update(FederatedIdentity)
        .where(FederatedIdentity.federated_identity_id == rows[0].federated_identity_id)
        .values(subject_index=indexes[0], last_used_at=now)
    )
    return Linked(*rows[0])


def lasting_link(linked: Linked) -> Select[UUID]:
    """Select the id of a link, unless it was removed."""
    found = FederatedIdentity.federated_identity_id == linked.link_id
    return select(FederatedIdentity.federated_identity_id).where(found)


async def link(
    session: AsyncSession,
    ring: KeyRing,
    owner: Owner,
    subject: WechatSubject,
    *,
    app_id: str,
    new_id: Callable[[], UUID],
    now: datetime,
) -> None:
    """Link an account whose owner is at the browser. Raises `WechatTaken`."""
    indexes = _indexes(ring, subject, app_id)
    taken = select(FederatedIdentity.account_id).where(
        FederatedIdentity.provider == PROVIDER, FederatedIdentity.subject_index.in_(indexes)
    )
    if await session.scalar(taken.limit(1)) is not None:
        raise WechatTaken
    row = {
        "federated_identity_id": new_id(),
        "account_id": owner.account_id,
        "provider": PROVIDER,
        "subject_index": indexes[0],
        "linked_at": now,
    }
    if not await insert_new(session, FederatedIdentity, row):
        raise WechatTaken
    await tell_owner(session, ring, owner, "wechat.linked", now=now)


async def unlink(session: AsyncSession, ring: KeyRing, owner: Owner, *, now: datetime) -> None:
    """Forget the link of an account. Raises `WechatNotLinked`."""
    mine = (FederatedIdentity.account_id == owner.account_id, FederatedIdentity.provider == PROVIDER)
    removed = delete(FederatedIdentity).where(*mine).returning(FederatedIdentity.account_id)
    known(await session.scalar(removed), WechatNotLinked)
    await tell_owner(session, ring, owner, "wechat.unlinked", now=now)


def _indexes(ring: KeyRing, subject: WechatSubject, app_id: str) -> list[bytes]:
    """Give the indexes of somebody's ids, the one that is kept first; hashed, since an index folds letters."""
    keys = [f"unionid|{subject.unionid}"] if subject.unionid else []
    keys.append(f"openid|{app_id}|{subject.openid}")
    return [ring.blind_index("federated_identity.wechat", hashlib.sha256(key.encode()).hexdigest()) for key in keys]
