"""What is wrong with the rows of an enrolment before anything is looked up; no I/O, no clock."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from members.files.id_numbers import WrongIdNumber, birth_date_of
from members.files.rules.personal_fields import PersonalFields
from members.refused_rows import RowError


class NewMember(NamedTuple):
    """A member to be enrolled; `id_is_ours` when the client left the id to us."""

    person_id: UUID
    id_is_ours: bool
    organisation_id: UUID
    stage: str
    away: bool
    smartphone: bool
    fields: PersonalFields

    def __repr__(self) -> str:
        """Show the id alone, so that no traceback shows a personal field."""
        return f"NewMember({self.person_id})"


class CheckedMember(NamedTuple):
    """A row whose identity number is well formed, and what follows from it."""

    row: int
    member: NewMember
    birth_month: date


class BranchEntry(NamedTuple):
    """What decides whether members may be enrolled in an organisation; `visible` within the caller's remit."""

    kind: str
    visible: bool


def check_rows(
    members: Sequence[NewMember], branches: dict[UUID, BranchEntry], today: date
) -> tuple[list[CheckedMember], list[RowError]]:
    """Judge the rows by themselves and against each other; `branches` holds what is known of their organisations."""
    checked: list[CheckedMember] = []
    errors: list[RowError] = []
    people: set[UUID] = set()
    numbers: set[str] = set()
    for row, member in enumerate(members, start=1):
        errors += _wrong_branch(row, branches.get(member.organisation_id))
        if member.person_id in people:
            errors.append(
                RowError(row, "person_id", "repeated", "同一请求中编号重复", "This id is in the request twice")
            )
        if member.fields.id_number in numbers:
            errors.append(
                RowError(row, "id_number", "repeated", "同一请求中身份证号重复", "This number is in the request twice")
            )
        people.add(member.person_id)
        numbers.add(member.fields.id_number)
        try:
            born = birth_date_of(member.fields.id_number, today)
        except WrongIdNumber as wrong:
            errors.append(RowError(row, "id_number", wrong.requirement, wrong.zh, wrong.en))
        else:
            checked.append(CheckedMember(row, member, born.replace(day=1)))
    return checked, errors


def _wrong_branch(row: int, branch: BranchEntry | None) -> Iterator[RowError]:
    if branch is None or not branch.visible:
        yield RowError(
            row,
            "organisation_id",
            "unknown",
            "支部不存在或不在本人管理范围内",
            "There is no such branch within your scope",
        )
    elif branch.kind != "branch":
        yield RowError(row, "organisation_id", "branch", "党员只能编入党支部", "Members belong to a branch")


def erased(row: int) -> RowError:
    """Report a row that names the id of somebody who had themselves erased: nothing is kept under it any more."""
    return RowError(row, "person_id", "erased", "该编号已注销，不能再使用", "This id was erased and is used no more")


def already_on_file(row: int, *, by_id: bool) -> RowError:
    """Report a row that names an id, or an identity number, which is on file and not with what the row says."""
    if by_id:
        return RowError(
            row,
            "person_id",
            "taken",
            "该编号已有档案,内容不同",
            "This id has a file that does not say what the row says",
        )
    # Where the file is, and so that there is one, is not for everyone who enrols: see decision 11.
    return RowError(
        row,
        "id_number",
        "not_enrollable",
        "该身份证号不能在此登记,请核对号码,或报上级党组织查询",
        "This identity number cannot be enrolled here; check it, or ask the organisation above",
    )
