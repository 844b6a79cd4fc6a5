"""How a branch is composed: what of each member is counted, and in which bands of age."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from members.rulesets import RULES
from rulebook import Parameters


class AgeBand(Parameters):
    """A band of ages up to, not including, `below`; the last has no end."""

    name: str
    below: int | None = None


class AgeBands(Parameters):
    """Bands of ages from the youngest up."""

    bands: tuple[AgeBand, ...]


AGE_BANDS = RULES.rule("age_bands", AgeBands)


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
