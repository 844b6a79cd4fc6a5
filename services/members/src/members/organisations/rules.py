"""Which organisation may stand where, and what is wrong with the rows of an import; no I/O, no clock."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Literal, NamedTuple
from uuid import UUID

from members.refused_rows import RowError
from members.rulesets import RULES
from rulebook import Parameters, Refused

Level = Literal["province", "city", "county", "township", "village", "branch"]
Kind = Literal["committee", "general_branch", "branch", "group"]


class StructureParameters(Parameters):
    """Levels from the top down, the kinds that stand at the lowest, and which kinds may stand below which."""

    levels: tuple[str, ...]
    kinds_of_the_lowest_level: frozenset[str]
    below: dict[str, frozenset[str]]


STRUCTURE = RULES.rule("organisation_structure", StructureParameters)


class Standing(NamedTuple):
    """What decides where an organisation may stand."""

    kind: str
    level: str


class NewOrganisation(NamedTuple):
    """An organisation to be established; it begins on `established_on`."""

    organisation_id: UUID
    parent_id: UUID
    kind: str
    level: str
    name: str
    division_code: str | None
    established_on: date


class RegisterEntry(NamedTuple):
    """What the register says of an organisation, how many levels down it stands, and whether the caller may see it."""

    organisation_id: UUID
    parent_id: UUID | None
    kind: str
    level: str
    name: str
    division_code: str | None
    established_on: date
    depth: int
    visible: bool

    def says(self, row: NewOrganisation, *, dated: bool) -> bool:
        """Tell whether the register already says all that the row says; its day counts only where it was given."""
        same_day = not dated or self.established_on == row.established_on
        return self.visible and same_day and self[:6] == row[:6]


def check_place(child: Standing, parent: Standing, today: date) -> None:
    """Raise `Refused` unless `child` may stand directly below `parent` by the rule of `today`."""
    version = STRUCTURE.as_of(today)
    rule = version.parameters
    if child.kind not in rule.below[parent.kind]:
        raise version.refused(
            "kind_below_kind",
            zh="该类组织不能设在此类上级之下",
            en="An organisation of this kind cannot stand below one of that kind",
            kind=child.kind,
            parent_kind=parent.kind,
        )
    if (child.level == rule.levels[-1]) != (child.kind in rule.kinds_of_the_lowest_level):
        raise version.refused(
            "level_of_kind",
            zh="组织类别与层级不符",
            en="An organisation of this kind does not stand at this level",
            kind=child.kind,
            level=child.level,
        )
    if rule.levels.index(child.level) < rule.levels.index(parent.level):
        raise version.refused(
            "level_below_level",
            zh="下级组织的层级不能高于上级",
            en="An organisation cannot stand at a higher level than the one above it",
            level=child.level,
            parent_level=parent.level,
        )


class Sorted(NamedTuple):
    """The rows of a request: those to be established, and how many are there already."""

    new: list[NewOrganisation]
    unchanged: int
    errors: list[RowError]


def sort_rows(
    rows: Sequence[NewOrganisation],
    register: Mapping[UUID, RegisterEntry],
    *,
    undated: AbstractSet[UUID] = frozenset(),
    deepest: int,
    today: date,
) -> Sorted:
    """Judge the rows of one request in their order against the register; a parent comes before its children.

    `register` holds what is known of the rows' and their parents' ids. `undated` are the ids whose day the client left
    to us. Nothing stands more than `deepest` levels down.
    """
    new: dict[UUID, NewOrganisation] = {}
    depths = {organisation_id: entry.depth for organisation_id, entry in register.items()}
    seen: set[UUID] = set()
    unchanged = 0
    errors: list[RowError] = []
    for number, row in enumerate(rows, start=1):
        known = register.get(row.organisation_id)
        if row.organisation_id in seen:
            errors.append(
                RowError(number, "organisation_id", "repeated", "同一请求中编号重复", "This id is in the request twice")
            )
        elif known is not None and known.says(row, dated=row.organisation_id not in undated):
            unchanged += 1
        elif known is not None:
            errors.append(_taken(number))
        else:
            errors += _wrong_with(number, row, new, register, today)
            depths[row.organisation_id] = depth = depths.get(row.parent_id, 0) + 1
            if depth == deepest + 1:  # what hangs on such a row is as wrong as it is, and says nothing new
                errors.append(RowError.of(number, too_deep(deepest, today)))
            new[row.organisation_id] = row
        seen.add(row.organisation_id)
    return Sorted(list(new.values()), unchanged, errors)


def _taken(number: int) -> RowError:
    return RowError(
        number,
        "organisation_id",
        "taken",
        "该编号已登记,内容不同",
        "This id is registered already, and not with what the row says",
    )


def _wrong_with(
    number: int,
    row: NewOrganisation,
    new: Mapping[UUID, NewOrganisation],
    register: Mapping[UUID, RegisterEntry],
    today: date,
) -> Iterator[RowError]:
    parent: NewOrganisation | RegisterEntry | None = new.get(row.parent_id)
    if parent is None:
        entry = register.get(row.parent_id)
        parent = entry if entry is not None and entry.visible else None
    if parent is None:
        yield RowError(
            number,
            "parent_id",
            "unknown",
            "上级组织不存在或不在本人管理范围内;上级须排在下级之前",
            "The parent is not known within your scope; parents come before their children",
        )
        return
    if row.established_on > today:
        yield RowError(number, "established_on", "future", "成立日期不能晚于今天", "The day has not come yet")
    try:
        check_place(Standing(row.kind, row.level), Standing(parent.kind, parent.level), today)
    except Refused as refused:
        yield RowError.of(number, refused)


def check_move(
    organisation_id: UUID, *, new_parent_ancestors: Sequence[UUID], on: date, since: date, today: date
) -> None:
    """Raise `Refused` for a move below itself, one of the future, and one before the present place began."""
    version = STRUCTURE.as_of(today)
    if organisation_id in new_parent_ancestors:
        raise version.refused(
            "no_cycle",
            zh="组织不能移到自身或其下级之下",
            en="An organisation cannot move below itself",
            organisation_id=str(organisation_id),
        )
    check_day(on, since=since, today=today)


def too_deep(deepest: int, today: date) -> Refused:
    """Make the refusal of an organisation that would stand more than `deepest` levels down."""
    return STRUCTURE.as_of(today).refused(
        "deepest",
        zh=f"组织层次不能超过{deepest}级",
        en=f"An organisation stands at most {deepest} levels down",
        deepest=deepest,
    )


def check_day(on: date, *, since: date, today: date) -> None:
    """Raise `Refused` unless a change on the day `on` follows what holds since `since` and is not of the future."""
    version = STRUCTURE.as_of(today)
    if on > today:
        raise version.refused("not_in_future", zh="日期不能晚于今天", en="The day has not come yet", on=on)
    if on < since:
        raise version.refused(
            "after_what_holds",
            zh="日期早于现有登记的起始日",
            en="The day is before what is registered now began",
            on=on,
            since=since,
        )
