"""What a person who has begun to sign in still has to prove before their session counts, or counts for more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import exists, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from identity.accounts.tables import Account, Credential, Identifier
from identity.factors.tables import Passkey, RecoveryCode, Totp
from identity.levels import LEVELS, OWNER_AMR, SECOND_FACTORS, SignedIn, acr_of, has_knowledge, has_possession, reaches
from identity.pages.addresses import FILE_PHONE, NEW_PASSWORD, SECOND_FACTOR

Way = Literal["totp", "recovery_code", "sms", "password", "passkey", "new_password", "file_phone"]


class Owned(NamedTuple):
    """Which ways an account has beside its linked accounts.

    `first_password`: the password is still the one that the account was opened with, which somebody else knows.
    `unproven`: it was opened for a person who has not proven that it is theirs.
    `phone_alone`: the password was set by a code to the phone alone, and proves no more than that phone does for now.
    """

    password: bool
    phone: bool
    totp: bool
    recovery_code: bool
    passkey: bool
    first_password: bool = False
    unproven: bool = False
    phone_alone: bool = False

    @property
    def acr(self) -> str:
        """The highest level this account can reach by what has to be given on the second page."""
        if self.passkey:
            return "3"
        return "2" if self.password and (self.totp or (self.phone and not self.phone_alone)) else "1"

    @property
    def manage_acr(self) -> str:
        """The level its owner proves before changing what opens the account: two factors wherever it has them.

        Also where the phone alone was proven: else whoever has it made themselves a way in that stays.
        """
        return "2" if self.phone_alone else min(self.acr, "2")


class Step(NamedTuple):
    """What is missing: any one of `ways` will do. Without any the wanted level is out of this account's reach."""

    ways: tuple[Way, ...]

    @property
    def reachable(self) -> bool:
        """Whether the account has what it takes."""
        return bool(self.ways)

    @property
    def page(self) -> str:
        """The page that asks for it."""
        return _PAGES.get(self.ways, SECOND_FACTOR)


_NEW_PASSWORD: Final[tuple[Way, ...]] = ("new_password",)
_FILE_PHONE: Final[tuple[Way, ...]] = ("file_phone",)
_PAGES: Final = {_NEW_PASSWORD: NEW_PASSWORD, _FILE_PHONE: FILE_PHONE}


async def owned_by(session: AsyncSession, account_id: UUID, *, now: datetime) -> Owned:
    """Give the ways an account has."""
    mine = literal(account_id)
    has = (
        exists().where(Credential.account_id == mine, Credential.kind == "password"),
        exists().where(Identifier.account_id == mine, Identifier.kind == "phone"),
        exists().where(Totp.account_id == mine, Totp.confirmed_at.is_not(None)),
        exists().where(RecoveryCode.account_id == mine, RecoveryCode.used_at.is_(None)),
        exists().where(Passkey.account_id == mine, Passkey.suspected_at.is_(None)),
        exists().where(Credential.account_id == mine, Credential.first_until.is_not(None)),
        exists().where(Account.account_id == mine, Account.proven_at.is_(None)),
        exists().where(Credential.account_id == mine, Credential.phone_alone_until > now),
    )
    return Owned(*(await session.execute(select(*has))).one())


async def next_step(session: AsyncSession, person: SignedIn, wanted: str | None, *, now: datetime) -> Step | None:
    """Give what the person still has to prove, or None when nothing is missing.

    `wanted` is a level, or None when any will do; a level there is not ("") is out of reach. An account with an
    authenticator app gives a code of it, or a passkey, whatever is wanted; and whoever came by the password that the
    account was opened with chooses another, after that code, so that nobody who merely knows it does. An account
    that was opened for a person opens nothing, whichever way they came, until they have proven that it is theirs, and
    then chosen the password at the same browser: nobody knows it who was there before. A password that was set by a
    code to the phone alone is nothing else than that phone for a week: it takes an app or a passkey beside it.
    """
    return missing(await owned_by(session, person.account_id, now=now), person.amr, wanted)


def missing(owned: Owned, amr: Sequence[str], wanted: str | None) -> Step | None:
    """Decide the same for the ways an account has and those that were proved."""
    given = set(amr)
    if wanted is not None and wanted not in LEVELS:
        return Step(())
    if owned.totp and not given & set(SECOND_FACTORS):
        return Step(_present(owned, "totp", "recovery_code", "passkey"))
    if owned.unproven or (owned.first_password and "pwd" in given):
        return Step(_FILE_PHONE if owned.unproven and OWNER_AMR not in given else _NEW_PASSWORD)
    if wanted is None or reaches(acr_of(amr), wanted):
        return None
    if wanted == "3":
        return Step(_present(owned, "passkey"))
    ways: list[Way] = []
    one_thing = owned.phone_alone and not given & set(SECOND_FACTORS)
    if not has_possession(given):
        ways += ["totp", "recovery_code"] if owned.totp else [] if one_thing else ["sms"]
    if not has_knowledge(given) and not one_thing:
        ways.append("password")
    return Step(_present(owned, *ways, "passkey"))


def _present(owned: Owned, *ways: Way) -> tuple[Way, ...]:
    has = {
        "totp": owned.totp,
        "recovery_code": owned.recovery_code and owned.totp,
        "sms": owned.phone,
        "password": owned.password,
        "passkey": owned.passkey,
    }
    return tuple(way for way in ways if has[way])
