"""Asking members to send a code to the phone on a file, and checking what comes back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from channels import code_of
from contracts.identity import PhoneMessageAskedV1
from database import KeyRing, insert_new
from identity.challenges.rules import ADDRESS_WINDOW, MOST_TRIES, PER_PHONE, PER_PHONE_AND_ADDRESS
from identity.phone_proofs.tables import PhoneProof
from identity.secrets import hash_of
from identity.throttling.addresses import counted_at
from identity.throttling.rates import count, subject_of
from identity.throttling.rules import Limit
from messaging import Publication, append
from webapi.normal_forms import bare_number

Purpose = Literal["first_sign_in", "own_account"]
LIFETIME: Final = timedelta(minutes=10)
"""How long a code is good, which goes by way of the bus; members sends none after it."""


class Whose(NamedTuple):
    """Whose phone is asked for: a person, or who is behind the keyed index of a name and an identity number."""

    person_id: UUID | None = None
    person_index: str | None = None


class Browser(NamedTuple):
    """Where a code is asked for and given: the browser's secret, its address with its limit, its language."""

    secret: str
    address: str
    most_per_address: int
    language: str


class Verdict(NamedTuple):
    """What a try came to: whose phone it was, where the code was right; and whether no further try can be right."""

    person_id: UUID | None
    over: bool


async def ask_for_code(
    session: AsyncSession,
    ring: KeyRing,
    *,
    purpose: Purpose,
    whose: Whose,
    browser: Browser,
    new_id: Callable[[], UUID],
    now: datetime,
) -> UUID:
    """Have a code sent to the phone on a file, if there is one, and give the proof's id; a former one of it ends.

    All is the same whether anybody is behind the index. Raises `TooOften` when as many were asked for as may be, of the
    person or from the address: let it undo the transaction.
    """
    asked_for = f"{purpose}|{whose.person_id or whose.person_index}"
    limits = [(subject_of(ring, "proofs.person", asked_for), limit) for limit in PER_PHONE]
    here = subject_of(ring, "proofs.person_address", f"{asked_for}|{browser.address}")
    limits += [(here, limit) for limit in PER_PHONE_AND_ADDRESS]
    limits += counted_at(ring, "codes", browser.address, Limit(browser.most_per_address, ADDRESS_WINDOW))
    await count(session, limits, now=now)
    bound_to = hash_of(browser.secret)
    former = (PhoneProof.purpose == purpose, PhoneProof.bound_to == bound_to, PhoneProof.ended_at.is_(None))
    await session.execute(update(PhoneProof).where(*former).values(ended_at=now))
    proof_id = new_id()
    row = {
        "proof_id": proof_id,
        "purpose": purpose,
        "person_id": whose.person_id,
        "bound_to": bound_to,
        "asked_at": now,
        "expires_at": now + LIFETIME,
    }
    await insert_new(session, PhoneProof, row)
    asked = PhoneMessageAskedV1(
        message_id=proof_id,
        person_id=whose.person_id,
        person_index=whose.person_index,
        text=f"code_{purpose}",
        language=browser.language,
    )
    await append(session, [Publication(asked, 1)])
    return proof_id


async def try_code(
    session: AsyncSession, phone_ring: KeyRing, proof_id: UUID | None, *, purpose: Purpose, secret: str, code: str,
    now: datetime,
) -> Verdict:  # fmt: skip
    """Hold `code` against a proof of this purpose and browser, and count the try; let the transaction commit."""
    proof = await _held(session, proof_id, purpose=purpose, secret=secret, now=now)
    if proof is None or proof.passed_at is not None or proof.tries >= MOST_TRIES:
        return Verdict(None, over=True)
    proof.tries += 1
    right = compare_digest(code_of(phone_ring, proof.proof_id).encode(), bare_number(code).encode())
    if right and proof.person_id is not None:
        proof.passed_at, proof.expires_at = now, now + LIFETIME
    await session.flush()
    if proof.passed_at is None:
        return Verdict(None, over=proof.tries >= MOST_TRIES)
    return Verdict(proof.person_id, over=True)


async def passed_proof(
    session: AsyncSession, proof_id: UUID | None, *, purpose: Purpose, secret: str, now: datetime
) -> PhoneProof | None:
    """Give and lock a proof that was passed in this browser and is still good for what it was asked for."""
    proof = await _held(session, proof_id, purpose=purpose, secret=secret, now=now)
    return None if proof is None or proof.passed_at is None else proof


async def _held(
    session: AsyncSession, proof_id: UUID | None, *, purpose: Purpose, secret: str, now: datetime
) -> PhoneProof | None:
    found = select(PhoneProof).where(
        PhoneProof.proof_id == proof_id,
        PhoneProof.purpose == purpose,
        PhoneProof.bound_to == hash_of(secret),
        PhoneProof.ended_at.is_(None),
        PhoneProof.expires_at > now,
    )
    return await session.scalar(found.with_for_update())
