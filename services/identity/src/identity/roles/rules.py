"""When a role holds, who may give it to whom, and which roles nobody combines."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

ADMINISTRATIONS = ("system_administrator", "security_administrator", "audit_administrator")
"""System, security and audit administration: three roles of which no account holds two. The database knows them too."""

READS_FILES = "members.file.read"
"""The permission that no account has beside an administration."""

OPENS_FILES = frozenset({READS_FILES, "members.file.import"})
"""The permissions that open members' files: who imports is shown what stands there where the two differ."""

ONE_PERSONS_LEVELS = frozenset({"township", "village", "branch"})
"""Where one person lets somebody open files; at county level and above, and at a level nobody knows, it takes two."""

PROPOSALS_HOLD = timedelta(days=7)
"""How long a second person has to approve a role that takes two."""

MOST_ROLES_HELD = 50
"""Each role takes about 115 characters of an access token, and services refuse a token of more than 8,192."""


class TooManyRoles(Exception):
    """The person holds, or will hold, as many roles as a token can carry."""


class DaysOutOfOrder(Exception):
    """A role assignment would end before it begins, or be over before it is granted."""


class RoleForOneself(Exception):
    """Nobody grants a role to themselves: it takes a second person."""


class RoleNotYours(Exception):
    """None of the granter's roles is one that may grant this role."""


class RoleNotDelegable(Exception):
    """The role cannot be delegated, or was delegated already."""


class BeyondOwnPeriod(Exception):
    """A role would be delegated for days on which its holder does not hold it."""


class AdministrationsCombined(Exception):
    """The person has another of the three administrations, or would have one beside a role that reads files."""


class SecondPersonNeeded(Exception):
    """Whoever proposed a role, and whoever is to hold it, does not decide about it."""


class AlreadyDecided(Exception):
    """The proposal waits for nobody any more."""


class LastAdministrator(Exception):
    """Without this assignment nobody would be left with the administration."""


def takes_two(*, privileged: bool, permissions: Collection[str], level: str | None) -> bool:
    """Say whether a role with these permissions is given by two people at an organisation of this level."""
    return privileged or (level not in ONE_PERSONS_LEVELS and not OPENS_FILES.isdisjoint(permissions))


def require_days_in_order(valid_from: date, valid_until: date | None, *, today: date) -> None:
    """Raise `DaysOutOfOrder` unless the last day is neither before the first nor past."""
    if valid_until is not None and (valid_until < valid_from or valid_until < today):
        raise DaysOutOfOrder


def grantable_within(
    granted_by: Collection[str], held: Iterable[tuple[str, UUID]], remit: Collection[UUID]
) -> frozenset[UUID]:
    """Give the organisations within which the holder of the roles `held` may grant a role that `granted_by` grant.

    `remit` is where the holder may grant roles at all.
    """
    return frozenset(organisation_id for role, organisation_id in held if role in granted_by) & frozenset(remit)


class Days(NamedTuple):
    """From the first to the last day, both included; without a last day there is no end."""

    valid_from: date
    valid_until: date | None


def days_delegated(own: Days, wanted_from: date | None, wanted_until: date | None, *, today: date) -> Days:
    """Give the days of a role that is delegated; what is left out is as long as its holder has it.

    Raises `BeyondOwnPeriod` and `DaysOutOfOrder`.
    """
    first = wanted_from or max(own.valid_from, today)
    last = wanted_until or own.valid_until
    require_days_in_order(first, last, today=today)
    if first < own.valid_from or (own.valid_until is not None and (last is None or last > own.valid_until)):
        raise BeyondOwnPeriod
    return Days(first, last)
