"""Turns official divisions into organisations: a committee at each level, and branches in the villages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from standalone.seed.divisions import Division, Divisions
from standalone.seed.people import People, Person, demo_id

ROOT_ID = UUID("00000000-0000-7000-8000-000000000001")
"""The organisation that is there before any other."""

SECOND_BRANCH_EVERY = 12
"""Every so many villages has two branches."""

_VILLAGE_ENDINGS = re.compile(r"(村民委员会|居民委员会|社区居委会|村委会|居委会|委员会)$")


class Organisation(NamedTuple):
    """One organisation as the import takes it."""

    organisation_id: UUID
    parent_id: UUID
    kind: str
    level: str
    name: str
    division_code: str | None


@dataclass(frozen=True)
class Branch:
    """A branch, and where its county's branches are counted from for its members' identity numbers."""

    organisation: Organisation
    key: str
    county_code: str
    position: int
    branches_in_county: int

    def people(self, generator: People) -> Sequence[Person]:
        """Make the branch's members."""
        return generator.of_branch(
            self.key,
            county_code=self.county_code,
            position=self.position,
            branches_in_county=self.branches_in_county,
        )


class Plan(NamedTuple):
    """What is to be built: organisations by level, each level's parents in an earlier one, and the branches in them."""

    root_name: str
    root_code: str
    levels: Sequence[Sequence[Organisation]]
    branches: Sequence[Branch]


def organisation_of(code: str) -> UUID:
    """Give the id of the committee at the division with this code; the province's is the root."""
    return ROOT_ID if len(code) == 2 else demo_id("organisation", code)


def branch_of(code: str, number: int) -> UUID:
    """Give the id of the `number`-th branch, from 1, of the village with this code."""
    return demo_id("branch", f"{code}/{number}")


def plan(divisions: Divisions, villages: Sequence[Division]) -> Plan:
    """Plan the organisations of `villages` and of everything above them, and the villages' branches."""
    chosen: dict[str, Division] = {}
    for village in villages:
        chosen |= {division.code: division for division in divisions.chain(village.code)}
    levels = [
        [_organisation(divisions, division) for division in chosen.values() if division.level == level]
        for level in ("city", "county", "township", "village")
    ]
    branches: list[Branch] = []
    counties = {divisions.chain(village.code)[2].code for village in villages}
    for county in sorted(counties):
        branches += _branches(divisions, county, chosen)
    name = f"中共{divisions.province.name}委员会"
    return Plan(name, divisions.province.code, [*levels, [branch.organisation for branch in branches]], branches)


def villages_below(
    divisions: Divisions, code: str, *, townships: int | None = None, each: int | None = None
) -> list[Division]:
    """List the villages at or below `code`, at most `each` of a township and `townships` of a county."""
    division = divisions.by_code[code]
    if division.level == "village":
        return [division]
    below = divisions.children(code)
    if division.level == "county":
        below = below[:townships]
    if division.level == "township":
        below = below[:each]
    return [
        village for child in below for village in villages_below(divisions, child.code, townships=townships, each=each)
    ]


def _organisation(divisions: Divisions, division: Division) -> Organisation:
    village = division.level == "village"
    place = _village_name(division.name) if village else division.name
    if village:
        name = f"中共{divisions.by_code[division.parent_code].name}{place}总支部委员会"
    else:
        name = f"中共{place}{'工作' if place.endswith(('街道', '街道办事处')) else ''}委员会"
    return Organisation(
        organisation_id=organisation_of(division.code),
        parent_id=organisation_of(division.parent_code),
        kind="general_branch" if village else "committee",
        level=division.level,
        name=name,
        division_code=division.code,
    )


def _village_name(name: str) -> str:
    """Shorten the name of a village's or community's own committee to that of the place."""
    stem = _VILLAGE_ENDINGS.sub("", name)
    if stem == name or not stem:
        return name
    kind = "社区" if "居" in name.removeprefix(stem) else "村"
    return f"{stem.removesuffix(kind)}{kind}"


def _branches(divisions: Divisions, county: str, chosen: dict[str, Division]) -> Iterator[Branch]:
    """List the branches of a county's chosen villages; each has its place among all of the county's branches."""
    places: list[tuple[Division, int, int]] = []
    for index, village in enumerate(villages_below(divisions, county)):
        count = 2 if index % SECOND_BRANCH_EVERY == SECOND_BRANCH_EVERY - 1 else 1
        places += [(village, number, count) for number in range(1, count + 1)]
    for position, (village, number, count) in enumerate(places):
        if village.code not in chosen:
            continue
        ordinal = ("第一", "第二")[number - 1] if count > 1 else ""
        organisation = Organisation(
            organisation_id=branch_of(village.code, number),
            parent_id=organisation_of(village.code),
            kind="branch",
            level="branch",
            name=f"{_village_name(village.name)}{ordinal}党支部",
            division_code=village.code,
        )
        yield Branch(organisation, f"{village.code}/{number}", county, position, len(places))
