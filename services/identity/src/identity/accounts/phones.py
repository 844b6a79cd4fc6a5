"""Phone numbers as names of accounts: sealed, found by a blind index, one account each."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import PhoneMessageAskedV1
from database import KeyRing, associated, insert_new
from identity.accounts.tables import Account, Identifier
from messaging import Publication, append
from webapi.normal_forms import international, mobile_number


class PhoneTaken(Exception):
    """The number belongs to another account: of a phone that a family shares, one person can sign in by code."""


def normalised_phone(typed: str) -> str | None:
    """Give the one spelling of a mainland mobile number here (`+86…`) of what was typed, None when it can be none.

    Numbers elsewhere are refused on purpose: codes to them are what fraud with expensive numbers lives on.
    """
    number = mobile_number(typed)
    return None if number is None else international(number)


def phone_index(ring: KeyRing, phone: str) -> bytes:
    """Give the index under which a normalised number is found."""
    return ring.blind_index("identifier.phone", phone)


async def phone_of(session: AsyncSession, ring: KeyRing, account_id: UUID) -> str | None:
    """Give the number of an account, if it has one."""
    found = select(Identifier.identifier_id, Identifier.sealed).where(
        Identifier.account_id == account_id, Identifier.kind == "phone"
    )
    row = (await session.execute(found)).one_or_none()
    if row is None or row.sealed is None:
        return None
    return ring.unwrap(row.sealed, binding=_binding_of(row.identifier_id)).decode()


def phone_on_file(ring: KeyRing, account_id: UUID, phone: str) -> Select[UUID]:
    """Select the id under which a normalised number is on the file of this account."""
    mine = (Identifier.account_id == account_id, Identifier.kind == "phone")
    return select(Identifier.identifier_id).where(*mine, Identifier.blind_index == phone_index(ring, phone))


async def account_with(session: AsyncSession, ring: KeyRing, phone: str) -> UUID | None:
    """Give the active account that a normalised number belongs to, if any."""
    return await session.scalar(
        select(Account.account_id)
        .join(Identifier, Identifier.account_id == Account.account_id)
        .where(Identifier.kind == "phone", Identifier.blind_index == phone_index(ring, phone))
        .where(Account.status == "active")
    )


async def has_file_phone_alone(session: AsyncSession, account_id: UUID) -> bool:
    """Say whether an account that is in use and its person's has no number here: the one on a member file reaches them.

    Whose account has one of its own changes what opens it by that, which they may have given because the other is gone.
    """
    here = exists().where(Identifier.account_id == account_id, Identifier.kind == "phone")
    theirs = (Account.account_id == account_id, Account.status == "active", Account.proven_at.is_not(None))
    return await session.scalar(select(Account.account_id).where(*theirs, ~here)) is not None


async def tell_file_phone(
    session: AsyncSession, person_id: UUID, text: str, *, language: str, message_id: UUID
) -> None:
    """Have members send a text of its own to the phone on the person's file, if there is one."""
    asked = PhoneMessageAskedV1(message_id=message_id, person_id=person_id, text=text, language=language)
    await append(session, [Publication(asked, 1)])


async def belongs_to_another(session: AsyncSession, ring: KeyRing, phone: str, account_id: UUID) -> bool:
    """Say whether a normalised number is on the file of another account than this, in use or not."""
    found = select(Identifier.identifier_id).where(
        Identifier.kind == "phone",
        Identifier.blind_index == phone_index(ring, phone),
        Identifier.account_id != account_id,
    )
    return await session.scalar(found) is not None


async def put_on_file(
    session: AsyncSession, ring: KeyRing, *, account_id: UUID, phone: str, new_id: Callable[[], UUID], now: datetime
) -> None:
    """Make a normalised number the account's one number, in place of its former. Raises `PhoneTaken`."""
    await session.execute(delete(Identifier).where(Identifier.account_id == account_id, Identifier.kind == "phone"))
    identifier_id = new_id()
    number = {
        "identifier_id": identifier_id,
        "account_id": account_id,
        "kind": "phone",
        "blind_index": phone_index(ring, phone),
        "sealed": ring.wrap(phone.encode(), binding=_binding_of(identifier_id)),
        "added_at": now,
    }
    if not await insert_new(session, Identifier, number):
        raise PhoneTaken


def _binding_of(identifier_id: UUID) -> bytes:
    return associated("identifier", "sealed", identifier_id)
