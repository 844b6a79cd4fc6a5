"""What identity forgets of an erased person, once or again: everything but that there was an account."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from database import raw, utc_now
from identity.account_lists.tables import AccountListRow
from identity.accounts.tables import Account, Credential, Identifier
from identity.challenges.tables import Challenge
from identity.factors.tables import FederatedIdentity, Passkey, PasskeyCeremony, RecoveryCode, Totp
from identity.messages.tables import MessageToSend
from identity.oauth.tables import AuthorizationCode, ClientConsent
from identity.phone_proofs.tables import PhoneProof
from identity.phone_replacement.tables import PhoneReplacement
from identity.privacy.tables import Erasure, ExportRequest
from identity.purposes.tables import Consent
from identity.recovery.tables import Recovery
from identity.sessions.revocation import end_all_sessions
from identity.sessions.tables import BrowserSession, DeviceCode, KnownBrowser, TokenFamily

FORGOTTEN: Final[tuple[tuple[type[Any], Any], ...]] = (
    (Identifier, Identifier.account_id),
    (Credential, Credential.account_id),
    (Passkey, Passkey.account_id),
    (PasskeyCeremony, PasskeyCeremony.account_id),
    (Totp, Totp.account_id),
    (RecoveryCode, RecoveryCode.account_id),
    (FederatedIdentity, FederatedIdentity.account_id),
    (KnownBrowser, KnownBrowser.account_id),
    (Challenge, Challenge.account_id),
    (PhoneProof, PhoneProof.person_id),
    (MessageToSend, MessageToSend.account_id),
    (Recovery, Recovery.account_id),
    (PhoneReplacement, PhoneReplacement.account_id),
    (ClientConsent, ClientConsent.account_id),
    (DeviceCode, DeviceCode.account_id),
    (AuthorizationCode, AuthorizationCode.account_id),
    (TokenFamily, TokenFamily.account_id),
    (BrowserSession, BrowserSession.account_id),
    (Consent, Consent.person_id),
    (ExportRequest, ExportRequest.person_id),
    (AccountListRow, AccountListRow.person_id),
)
"""The tables whose rows about a person go, in an order that references allow."""

KEPT: Final = {
    "account": "the tombstone: an id, and the organisation that opened it",
    "role_assignment": "who held which office is the organisation's record",
    "administrator": "a role that takes two to give is never reused for another",
    "assisted_session": "that somebody acted for another is on record for both",
    "legal_hold": "what was held, and why, is the record of whoever held it",
    "recovery_approval": "goes with its recovery",
    "erasure": "what this is about",
}
"""The other tables that name a person by id, and why their rows stay: an id alone leads to nobody any more."""


async def forget(session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Sign these people out everywhere, delete how they are known, and leave a tombstone; again changes nothing."""
    now = utc_now()
    living = select(Account.account_id).where(Account.account_id.in_(person_ids), Account.status != "erased")
    for person_id in (await session.scalars(living.order_by(Account.account_id))).all():
        await end_all_sessions(session, person_id, reason="erased", now=now)
    for table, column in FORGOTTEN:
        await session.execute(delete(table).where(column.in_(person_ids)))
    await session.execute(
        update(Account).where(Account.account_id.in_(person_ids)).values(status="erased", opened_within=None)
    )
    await _keep_telling(session, person_ids)


async def _keep_telling(session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Note an erasure that a restored database no longer knew of, so that it goes on being told."""
    buried = await (await raw(session)).fetch(
        "select person_id, erased_at from erased_person where person_id = any($1::uuid[])", list(person_ids)
    )
    for row in buried:
        known = insert(Erasure).values(
            person_id=row["person_id"], decided_at=row["erased_at"], times_told=1, told_at=row["erased_at"]
        )
        await session.execute(known.on_conflict_do_nothing())
