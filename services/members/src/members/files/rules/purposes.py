"""What a file may be opened for, by holders of which roles, and what that opens of it."""

from collections.abc import Collection, Mapping
from datetime import date

from members.files.rules.personal_fields import SealedField
from members.rulesets import RULES
from rulebook import Parameters


class Purpose(Parameters):
    """What a purpose opens of a file, to holders of which roles, and whether for a whole page of files."""

    roles: frozenset[str]
    fields: frozenset[SealedField]
    on_lists: bool = False


class OpeningPurposes(Parameters):
    """The purposes a file may be opened for."""

    purposes: dict[str, Purpose]


PURPOSES = RULES.rule("opening_purposes", OpeningPurposes)


UNKNOWN = "unknown"
"""What stands on record for whatever is no purpose of ours: nobody writes words of their own there."""


class PurposeMissing(Exception):
    """Somebody would read another's file without saying what for."""


def roles_of(purpose: str, today: date, *, held: Collection[str]) -> frozenset[str]:
    """Give those of the roles `held` to which a purpose belongs.

    Raises `Refused` for no purpose of ours, and for one that belongs to none of them.
    """
    version = PURPOSES.as_of(today)
    rule: Mapping[str, Purpose] = version.parameters.purposes
    if purpose not in rule:
        known = ", ".join(sorted(rule))
        raise version.refused("known_purpose", zh=f"用途须为以下之一:{known}", en=f"A purpose is one of: {known}")
    roles = rule[purpose].roles.intersection(held)
    if not roles:
        raise version.refused(
            "purpose_of_the_role",
            zh="该用途不属于您的职责",
            en="This purpose does not belong to your role",
            purpose=purpose,
        )
    return roles


def recorded_purpose(purpose: str | None, today: date) -> str | None:
    """Give what is put on record of a stated purpose: its code, or the one for all that there are not."""
    known = PURPOSES.as_of(today).parameters.purposes
    return purpose if purpose is None or purpose in known else UNKNOWN


def fields_opened(purpose: str, today: date, *, roles: Collection[str], on_list: bool) -> frozenset[SealedField]:
    """Give the fields a purpose opens to who holds these roles.

    Raises `Refused` as `roles_of` does, and for a list where the purpose opens nothing.
    """
    roles_of(purpose, today, held=roles)
    version = PURPOSES.as_of(today)
    opening = version.parameters.purposes[purpose]
    if on_list and not opening.on_lists:
        raise version.refused(
            "one_file_at_a_time",
            zh="此用途只能逐份查阅",
            en="For this purpose files are opened one at a time",
            purpose=purpose,
        )
    return opening.fields
