"""What identity holds about a person, for their own file: no secret that opens the account, and nobody else's data."""

from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import KeyRing
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

_ASSISTED = "assist_id organisation_id actions evidence asked_at consented_at expires_at ended_at"
"""Of a session in which one helped or was helped: nobody else who had a part in it."""


async def compose(asked: Asked) -> dict[str, Any]:
    """Give a person's part, with names in clear that are sealed."""
    session, person_id, ring = asked.session, asked.person_id, asked.ring
    return {
        "account": await _account(session, ring, person_id),
        "ways_in": await _ways_in(session, ring, person_id),
        "sessions": await _sessions(session, person_id),
        "roles": await _rows(
            session,
            RoleAssignment,
            "assignment_id role organisation_id administration valid_from valid_until status proposed_until granted_at "
            "decided_at ended_at",
            RoleAssignment.person_id == person_id,
        ),
        "consents": await _rows(
            session, Consent, "purpose text_version given_at withdrawn_at", Consent.person_id == person_id
        ),
        "front_ends_allowed": await _rows(
            session, ClientConsent, "client_id scopes granted_at withdrawn_at", ClientConsent.account_id == person_id
        ),
        "assisted_sessions": await _rows(session, AssistedSession, _ASSISTED, AssistedSession.subject_id == person_id),
        "assistance_given": await _rows(
            session,
            AssistedSession,
            _ASSISTED,
            or_(AssistedSession.helper_id == person_id, AssistedSession.witness_id == person_id),
        ),
        "browsers_known": await _rows(
            session, KnownBrowser, "known_since expires_at", KnownBrowser.account_id == person_id
        ),
        "recoveries": await _rows(
            session,
            Recovery,
            "status lost_device needs_approval requested_at ready_at completed_at",
            Recovery.account_id == person_id,
        ),
        "phone_replacements": await _rows(
            session,
            PhoneReplacement,
            "status proposed_at confirmed_at approved_at ready_at objected_at completed_at",
            PhoneReplacement.account_id == person_id,
        ),
        "legal_holds": await _rows(
            session, LegalHold, "basis placed_at holds_until lifted_at", LegalHold.person_id == person_id
        ),
        "exports": await _rows(
            session, ExportRequest, "export_id asked_at expires_at", ExportRequest.person_id == person_id
        ),
    }


async def _account(session: AsyncSession, ring: KeyRing, person_id: UUID) -> dict[str, Any]:
    account = await session.get_one(Account, person_id)
    username = await username_of(session, person_id)
    return {
        "person_id": person_id,
        "status": account.status,
        "username": username,
        "phone": await phone_of(session, ring, person_id),
        "opened_at": account.opened_at,
        "organisation_id": account.organisation_id,
        "branch_id": await orgtree.affiliation_of(session, person_id),
    }


async def _ways_in(session: AsyncSession, ring: KeyRing, person_id: UUID) -> dict[str, Any]:
    keys = await session.scalars(select(Passkey).where(Passkey.account_id == person_id).order_by(Passkey.added_at))
    told = ["added_at", "last_used_at", "suspected_at", "transports", "backup_eligible", "backed_up"]
    return {
        "passwords": await _rows(session, Credential, "kind set_at first_until", Credential.account_id == person_id),
        "passkeys": [{"name": name_of(ring, key), **{column: getattr(key, column) for column in told}} for key in keys],
        "authenticator_apps": await _rows(session, Totp, "made_at confirmed_at", Totp.account_id == person_id),
        "recovery_codes": await _rows(session, RecoveryCode, "made_at used_at", RecoveryCode.account_id == person_id),
        "linked_accounts": await _rows(
            session, FederatedIdentity, "provider linked_at last_used_at", FederatedIdentity.account_id == person_id
        ),
    }


async def _sessions(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    return {
        "browsers": await _rows(
            session, BrowserSession, "acr amr signed_in_at expires_at ended_at", BrowserSession.account_id == person_id
        ),
        "front_ends": await _rows(
            session,
            TokenFamily,
            "client_id device scope resources acr amr signed_in_at idle_until expires_at revoked_at revoked_for",
            TokenFamily.account_id == person_id,
        ),
    }


async def _rows(session: AsyncSession, table: Any, columns: str, mine: Any) -> list[dict[str, Any]]:
    chosen = (
        select(*(getattr(table, column) for column in columns.split()))
        .where(mine)
        .order_by(*table.__table__.primary_key)
    )
    return [dict(row) for row in (await session.execute(chosen)).mappings()]
