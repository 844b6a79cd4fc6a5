"""Sending one-time codes and checking what comes back."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing, associated, insert_new
from identity.accounts.phones import phone_index
from identity.challenges.rules import (
    ADDRESS_WINDOW,
    CODE_DIGITS,
    CODE_LIFETIME,
    MOST_PER_ADDRESS,
    MOST_TRIES,
    PER_ACCOUNT,
    PER_PHONE,
    PER_PHONE_AND_ADDRESS,
    TEXT_OF,
)
from identity.challenges.tables import Challenge
from identity.messages.commands import send
from identity.secrets import hash_of
from identity.throttling.addresses import counted_at
from identity.throttling.rates import count, subject_of
from identity.throttling.rules import Limit
from webapi.normal_forms import bare_number


class Verdict(NamedTuple):
    """What a try came to.

    `accepted`: the code was right, and now it is spent; only then are `account_id` and `phone` (normalised) given.
    `over`: no further try can be right, because the code is spent, expired, replaced or was tried too often.
    """

    accepted: bool
    over: bool
    account_id: UUID | None = None
    phone: str | None = None


class Asking(NamedTuple):
    """How a code is asked for: the language, and the address and the browser where one is counted or bound by them.

    `most_per_address` is how many an address may ask for in an hour; `bound_to` a secret of the browser that has to
    come with the answer. A `known_browser` of the account is counted apart from the others: strangers use up
    strangers' codes alone.
    """

    language: str
    address: str | None = None
    most_per_address: int = MOST_PER_ADDRESS
    bound_to: str | None = None
    known_browser: bool = False


class CodeRefused(Exception):
    """The code is wrong, spent, expired, replaced by a later one, or was tried too often."""


async def issue(
    session: AsyncSession,
    ring: KeyRing,
    *,
    purpose: str,
    phone: str,
    account_id: UUID | None,
    asking: Asking,
    now: datetime,
    new_id: Callable[[], UUID],
    text: str | None = None,
    words: Mapping[str, str] | None = None,
) -> UUID:
    """Send a new code for `purpose` to `phone` (normalised) and give its id; a former one of the same browser ends.

    Without an account everything is done but the sending, by the same statements. `text` of messages/texts.toml brings
    the code, with `words` of its own; left out, it is that of the purpose. Raises `throttling.rates.TooOften` when the
    phone, the account or the address has asked as often as it may, for each purpose by itself: let it undo the
    transaction.
    """
    of = f"{purpose}|{'known' if asking.known_browser else 'any'}"
    whose = f"{of}|account|{account_id}" if account_id else f"{of}|phone|{phone}"
    limits = [(subject_of(ring, "codes.phone", f"{of}|{phone}"), limit) for limit in PER_PHONE]
    limits += [(subject_of(ring, "codes.account", whose), limit) for limit in PER_ACCOUNT]
    if asking.address is not None:
        most = Limit(asking.most_per_address, ADDRESS_WINDOW)
        limits += counted_at(ring, "codes", asking.address, most)
        if not asking.known_browser:
            here = subject_of(ring, "codes.phone_address", f"{of}|{phone}|{asking.address}")
            limits += [(here, limit) for limit in PER_PHONE_AND_ADDRESS]
    await count(session, limits, now=now)

    challenge_id, code = new_id(), f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    index = phone_index(ring, phone)
    binding = _binding(asking.bound_to)
    former = (
        Challenge.phone_index == index,
        Challenge.purpose == purpose,
        Challenge.ended_at.is_(None),
        Challenge.bound_to.is_not_distinct_from(binding),
    )
    await session.execute(update(Challenge).where(*former).values(ended_at=now))
    row = {
        "challenge_id": challenge_id,
        "purpose": purpose,
        "account_id": account_id,
        "phone_index": index,
        "sealed_phone": ring.wrap(phone.encode(), binding=_binding_of(challenge_id)),
        "code_hash": _hash_of(ring, challenge_id, code),
        "bound_to": binding,
        "issued_at": now,
        "expires_at": now + CODE_LIFETIME,
    }
    await insert_new(session, Challenge, row)
    await send(
        session,
        ring,
        account_id=account_id,
        phone=phone,
        text=text or TEXT_OF.get(purpose, "code"),
        values={**(words or {}), "code": code, "minutes": str(CODE_LIFETIME // timedelta(minutes=1))},
        language=asking.language,
        now=now,
        expires_at=now + CODE_LIFETIME,
        withheld=account_id is None,
    )
    return challenge_id


async def answer(
    session: AsyncSession,
    ring: KeyRing,
    *,
    challenge_id: UUID,
    purpose: str,
    code: str,
    now: datetime,
    bound_to: str | None = None,
) -> Verdict:
    """Hold `code` against a challenge of this purpose, and count the try.

    Let the transaction commit whatever the verdict is, else a wrong try would not count. In a route that answers with a
    problem: `command.refuse(…)`.
    """
    found = select(Challenge).where(Challenge.challenge_id == challenge_id, Challenge.purpose == purpose)
    challenge = await session.scalar(found.with_for_update())
    if challenge is None or challenge.ended_at is not None or challenge.expires_at <= now:
        return Verdict(accepted=False, over=True)
    if challenge.tries >= MOST_TRIES or challenge.bound_to != _binding(bound_to):
        return Verdict(accepted=False, over=True)
    challenge.tries += 1
    right = compare_digest(challenge.code_hash, _hash_of(ring, challenge_id, bare_number(code)))
    if not right or challenge.account_id is None:
        await session.flush()
        return Verdict(accepted=False, over=challenge.tries >= MOST_TRIES)
    challenge.ended_at = now
    await session.flush()
    phone = ring.unwrap(challenge.sealed_phone, binding=_binding_of(challenge_id)).decode()
    return Verdict(accepted=True, over=True, account_id=challenge.account_id, phone=phone)


def _hash_of(ring: KeyRing, challenge_id: UUID, code: str) -> bytes:
    """Give the keyed hash of a code; without the key, a million hashes would tell it."""
    return ring.blind_index("challenge.code", f"{challenge_id}|{code}")


def _binding(secret: str | None) -> bytes | None:
    return None if secret is None else hash_of(secret)


def _binding_of(challenge_id: UUID) -> bytes:
    return associated("challenge", "sealed_phone", challenge_id)
