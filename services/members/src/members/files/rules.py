"""What holds for member files: stages, branch size, purposes, masks and counts; no I/O, no clock, no random."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, Literal, NamedTuple

from pydantic import Field

from members.rulesets import RULES
from rulebook import Parameters

SealedField = Literal["name", "id_number", "phone"]
"""The fields of a file that are sealed, and masked until they are opened for a purpose."""


class PersonalFields(NamedTuple):
    """The sealed fields of a file in clear; never logged, never in an event."""

    name: str
    id_number: str
    phone: str | None

    def __repr__(self) -> str:
        """Show nothing, so that no traceback does."""
        return "PersonalFields(…)"


class BranchSize(Parameters):
    """A branch has at most `largest` members in the `counted_stages`."""

    largest: int = Field(ge=1)
    counted_stages: frozenset[str]


class AdmissionStages(Parameters):
    """The stages of admission, first to last."""

    order: tuple[str, ...]


class AgeBand(Parameters):
    """A band of ages up to, not including, `below`; the last has no end."""

    name: str
    below: int | None = None


class AgeBands(Parameters):
    """Bands of ages from the youngest up."""

    bands: tuple[AgeBand, ...]


class Purpose(Parameters):
    """What a purpose opens of a file, to holders of which roles, and whether for a whole page of files."""

    roles: frozenset[str]
    fields: frozenset[SealedField]
    on_lists: bool = False


class OpeningPurposes(Parameters):
    """The purposes a file may be opened for."""

    purposes: dict[str, Purpose]


BRANCH_SIZE = RULES.rule("branch_size", BranchSize)
STAGES = RULES.rule("admission_stages", AdmissionStages)
AGE_BANDS = RULES.rule("age_bands", AgeBands)
PURPOSES = RULES.rule("opening_purposes", OpeningPurposes)


class MemberTraits(NamedTuple):
    """What of one member is counted."""

    stage: str
    away: bool
    smartphone: bool
    birth_month: date


class Counts(NamedTuple):
    """How a branch is composed; the fields of `CompositionCountedV1`."""

    members: int
    away: int
    without_smartphone: int
    stages: dict[str, int]
    age_bands: dict[str, int]


def counts_of(members: Iterable[MemberTraits], today: date) -> Counts:
    """Count a branch's members as of `today`; kinds with nobody are left out."""
    people = list(members)
    bands = AGE_BANDS.as_of(today).parameters.bands
    return Counts(
        members=len(people),
        away=sum(person.away for person in people),
        without_smartphone=sum(not person.smartphone for person in people),
        stages=dict(sorted(Counter(person.stage for person in people).items())),
        age_bands=dict(sorted(Counter(_band_of(person.birth_month, bands, today) for person in people).items())),
    )


def _band_of(birth_month: date, bands: tuple[AgeBand, ...], today: date) -> str:
    age = today.year - birth_month.year - (today.month < birth_month.month)
    return next(band.name for band in bands if band.below is None or age < band.below)


def check_size(counts: Counts, today: date) -> None:
    """Raise `Refused` for a branch with more members than a branch may have."""
    version = BRANCH_SIZE.as_of(today)
    rule = version.parameters
    if sum(counts.stages.get(stage, 0) for stage in rule.counted_stages) > rule.largest:
        raise version.refused(
            "largest",
            zh=f"党支部党员人数一般不超过{rule.largest}人",
            en=f"A branch has at most {rule.largest} members",
            largest=rule.largest,
        )


def check_stage_change(present: str, wanted: str, today: date) -> None:
    """Raise `Refused` unless the stage stays or is the next in order."""
    version = STAGES.as_of(today)
    order = version.parameters.order
    if wanted != present and order.index(wanted) != order.index(present) + 1:
        raise version.refused(
            "one_step_forward",
            zh="发展阶段须逐级推进",
            en="A stage is followed by the next one in order",
            present=present,
            wanted=wanted,
        )


OWN_CHANGES = frozenset({"phone", "away", "smartphone"})


class PurposeMissing(Exception):
    """Somebody would read another's file without saying what for."""


class NotForOneself(Exception):
    """Somebody would change of the own file what only those in charge of it may change."""


def check_own_changes(changes: Mapping[str, Any]) -> None:
    """Raise `NotForOneself` unless these are fields that people change in their own file."""
    if not OWN_CHANGES.issuperset(changes):
        raise NotForOneself


class Merged(NamedTuple):
    """A file's contents with the changes merged in, and the fields in which others changed something else since."""

    result: dict[str, Any]
    clashing: list[str]


def merge(present: Mapping[str, Any], *, base: Mapping[str, Any], changes: Mapping[str, Any]) -> Merged:
    """Merge `changes`, which were made to `base`, into the `present` contents, field by field."""
    clashing = [field for field, wanted in changes.items() if present[field] not in (base[field], wanted)]
    return Merged({**present, **changes}, clashing)


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


def masked(field: str, plain: str) -> str:
    """Show only as much of a field as tells its owner that it is theirs."""
    shown_before, shown_after = {"name": (1, 0), "id_number": (1, 1), "phone": (3, 2)}[field]
    if len(plain) <= shown_before + shown_after:
        return "*" * len(plain)
    hidden = len(plain) - shown_before - shown_after
    return plain[:shown_before] + "*" * hidden + plain[len(plain) - shown_after :]
