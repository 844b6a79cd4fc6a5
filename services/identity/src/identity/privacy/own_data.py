"""What identity holds about a person, for their own file: no secret that opens the account, and nobody else's data."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

import orgtree
from database import KeyRing
from identity.account_lists.tables import AccountListRow
from identity.accounts.credentials import username_of
from identity.accounts.phones import phone_of
from identity.accounts.tables import Account, Credential
from identity.assistance.tables import AssistedSession
from identity.factors.passkeys.commands import name_of
from identity.factors.tables import FederatedIdentity, Passkey, RecoveryCode, Totp
from identity.oauth.tables import ClientConsent
from identity.phone_replacement.tables import PhoneReplacement
from identity.privacy.removal import forget
from identity.privacy.tables import ExportRequest, LegalHold
from identity.purposes.tables import Consent
from identity.recovery.tables import Recovery
from identity.roles.tables import RoleAssignment
from identity.sessions.tables import BrowserSession, KnownBrowser, TokenFamily
from privacy import Asked

__all__ = ["compose", "forget"]

Column: TypeAlias = InstrumentedAttribute[Any]
_ASSISTED = "assist_id organisation_id actions evidence asked_at consented_at expires_at ended_at"
"""Of a session in which one helped or was helped: nobody else who had a part in it."""

_WAYS_IN: Final[dict[str, tuple[str, Column]]] = {
    "passwords": ("kind set_at first_until phone_alone_until", Credential.account_id),
    "authenticator_apps": ("made_at confirmed_at", Totp.account_id),
    "recovery_codes": ("made_at used_at", RecoveryCode.account_id),
    "linked_accounts": ("provider linked_at last_used_at", FederatedIdentity.account_id),
}
"""The columns that are told of each row, and which of its columns names the person."""

_SESSIONS: Final[dict[str, tuple[str, Column]]] = {
    "browsers": ("acr amr signed_in_at expires_at ended_at", BrowserSession.account_id),
    "front_ends": (
        "client_id device scope resources acr amr bound_to signed_in_at idle_until expires_at revoked_at revoked_for",
        TokenFamily.account_id,
    ),
}
_FURTHER: Final[dict[str, tuple[str, Column] | tuple[str, Column, Column]]] = {
    "roles": (
        (
            "assignment_id role organisation_id administration valid_from valid_until status proposed_until granted_at "
            "decided_at ended_at"
        ),
        RoleAssignment.person_id,
    ),
    "consents": ("purpose text_version given_at withdrawn_at", Consent.person_id),
    "front_ends_allowed": ("client_id scopes granted_at withdrawn_at", ClientConsent.account_id),
    "assisted_sessions": (_ASSISTED, AssistedSession.subject_id),
    "assistance_given": (_ASSISTED, AssistedSession.helper_id, AssistedSession.witness_id),
    "browsers_known": ("known_since beyond_password expires_at", KnownBrowser.account_id),
    "recoveries": ("status lost_device needs_approval requested_at ready_at completed_at", Recovery.account_id),
    "phone_replacements": (
        "status proposed_at confirmed_at approved_at ready_at objected_at completed_at",
        PhoneReplacement.account_id,
    ),
    "legal_holds": ("basis placed_at holds_until lifted_at", LegalHold.person_id),
    "accounts_listed": ("organisation_id username outcome done_at", AccountListRow.person_id),
    "exports": ("export_id asked_at expires_at", ExportRequest.person_id),
}


async def compose(asked: Asked) -> dict[str, Any]:
    """Give a person's part, with names in clear that are sealed."""
    session, person_id = asked.session, asked.person_id
    return {
        "account": await _account(session, asked.ring, person_id),
        "ways_in": {
            **await _rows(session, _WAYS_IN, person_id),
            "passkeys": await _passkeys(session, asked.ring, person_id),
        },
        "sessions": await _rows(session, _SESSIONS, person_id),
        **await _rows(session, _FURTHER, person_id),
    }


async def _account(session: AsyncSession, ring: KeyRing, person_id: UUID) -> dict[str, Any]:
    account = await session.get_one(Account, person_id)
    return {
        "person_id": person_id,
        "status": account.status,
        "username": await username_of(session, person_id),
        "phone": await phone_of(session, ring, person_id),
        "opened_at": account.opened_at,
        "proven_at": account.proven_at,
        "organisation_id": account.organisation_id,
        "branch_id": await orgtree.affiliation_of(session, person_id),
    }


async def _passkeys(session: AsyncSession, ring: KeyRing, person_id: UUID) -> list[dict[str, Any]]:
    keys = await session.scalars(select(Passkey).where(Passkey.account_id == person_id).order_by(Passkey.added_at))
    told = ("added_at", "last_used_at", "suspected_at", "transports", "backup_eligible", "backed_up")
    return [{"name": name_of(ring, key), **{column: getattr(key, column) for column in told}} for key in keys]


async def _rows(session: AsyncSession, told: Mapping[str, tuple[Any, ...]], person_id: UUID) -> dict[str, Any]:
    """Give by its name what is told of each table, in the order of its key."""
    found = {}
    for name, (columns, *whose) in told.items():
        table = whose[0].class_
        chosen = select(*(getattr(table, column) for column in columns.split()))
        mine = chosen.where(or_(*(column == person_id for column in whose)))
        rows = await session.execute(mine.order_by(*table.__table__.primary_key))
        found[name] = [dict(row) for row in rows.mappings()]
    return found
