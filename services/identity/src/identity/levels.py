"""What the ways a person has proved who they are come to, and what is missing for more: pure functions."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

ONE_FACTOR_ACR = "1"
"""The lowest level of authentication: one factor, whichever it was."""
PASSWORD_AMR = ("pwd",)
CODE_AMR = ("sms",)
OWNER_AMR = "owner"
"""Of a session in which it was proven that the account is this person's: by the phone on the file, or an officer."""

LEVELS: Final = ("1", "2", "3")
"""Levels of authentication (`acr`): one factor, two different ones, a passkey that verified its person."""

FRESH_FOR_CREDENTIALS: Final = timedelta(minutes=10)
"""How long ago the owner may have signed in who changes what opens the account."""

_KNOWLEDGE: Final = frozenset({"pwd", "pin"})
_POSSESSION: Final = frozenset({"sms", "tel", "otp", "wechat", "hwk", "swk"})
_KEYS: Final = frozenset({"hwk", "swk"})
SECOND_FACTORS: Final = ("otp", *sorted(_KEYS))
"""What a session has to hold, any of them, once its owner has set up an authenticator app."""


def acr_of(amr: Collection[str]) -> str:
    """Give the level that these ways come to (RFC 8176 words; `user` beside a key: its device verified the person)."""
    given = set(amr)
    if given & _KEYS and "user" in given:
        return "3"
    return "2" if given & _KNOWLEDGE and given & _POSSESSION else "1"


def joined(amr: Iterable[str], *more: str) -> list[str]:
    """Give all ways, each once and in order, with `mfa` where they are different factors."""
    ways = [*dict.fromkeys([*(way for way in amr if way != "mfa"), *more])]
    return [*ways, "mfa"] if acr_of(ways) != "1" else ways


def reaches(acr: str, wanted: str) -> bool:
    """Say whether a level is at least the wanted one; an unknown one never is."""
    return acr in LEVELS and wanted in LEVELS and LEVELS.index(acr) >= LEVELS.index(wanted)


def wanted_level(acr_values: str | None) -> str | None:
    """Give the least of the levels a client would take; "" when it names none of ours, None when it names none.

    `acr_values` lists them by preference; each of them will do (OpenID Connect Core 3.1.2.1, RFC 9470).
    """
    named = (acr_values or "").split()
    return min((level for level in named if level in LEVELS), default="") if named else None


def has_knowledge(amr: Collection[str]) -> bool:
    """Say whether something the person knows was among the ways."""
    return bool(_KNOWLEDGE & set(amr))


def has_possession(amr: Collection[str]) -> bool:
    """Say whether something the person has was among the ways."""
    return bool(_POSSESSION & set(amr))


class SignedIn(NamedTuple):
    """The person at the browser, as the browser session knows them.

    `waiting_request` is the hash of the authorization request they signed in for, until that has its answer.
    """

    account_id: UUID
    session_id: UUID
    acr: str
    amr: Sequence[str]
    signed_in_at: datetime
    waiting_request: bytes | None = None
