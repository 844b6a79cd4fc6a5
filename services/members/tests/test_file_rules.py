"""The rules of member files: counts, bands, stages, sizes, masks, purposes, merging."""

from datetime import date

import pytest

from members.files.rules.changes import merge
from members.files.rules.counts import Counts, MemberTraits, counts_of
from members.files.rules.personal_fields import masked
from members.files.rules.purposes import fields_opened
from members.files.rules.size import BRANCH_SIZE, check_size
from members.files.rules.stages import check_stage_change
from members.rulesets import RULES
from rulebook import Refused

TODAY = date(2026, 11, 15)


def person(born: date, *, stage: str = "full", away: bool = False, smartphone: bool = True) -> MemberTraits:
    return MemberTraits(stage, away, smartphone, born)


def test_each_breakdown_sums_to_the_members() -> None:
    counts = counts_of(
        [
            person(date(1950, 1, 1), smartphone=False),
            person(date(1980, 1, 1), away=True),
            person(date(2000, 1, 1), stage="applicant"),
        ],
        TODAY,
    )
    assert counts == Counts(
        members=3,
        away=1,
        without_smartphone=1,
        stages={"applicant": 1, "full": 2},
        age_bands={"35_to_59": 1, "60_and_over": 1, "under_35": 1},
    )


@pytest.mark.parametrize(
    ("born", "band"),
    [(date(1966, 11, 1), "60_and_over"), (date(1966, 12, 1), "35_to_59"), (date(1991, 12, 1), "under_35")],
)
def test_people_come_of_age_in_the_month_of_their_birth(born: date, band: str) -> None:
    assert counts_of([person(born)], TODAY).age_bands == {band: 1}


def test_applicants_do_not_fill_a_branch() -> None:
    full = [person(date(1980, 1, 1))] * 50
    applicants = [person(date(1980, 1, 1), stage="applicant")] * 5
    check_size(counts_of(full + applicants, TODAY), TODAY)
    with pytest.raises(Refused) as caught:
        check_size(counts_of([*full, person(date(1980, 1, 1))], TODAY), TODAY)
    assert (caught.value.rule, caught.value.details) == ("branch_size", {"largest": 50})


def test_a_stage_is_followed_by_the_next_one_alone() -> None:
    check_stage_change("activist", "development_target", TODAY)
    check_stage_change("full", "full", TODAY)
    for wanted in ("probationary", "applicant"):
        with pytest.raises(Refused):
            check_stage_change("activist", wanted, TODAY)


def test_a_mask_shows_its_owner_that_it_is_theirs_and_no_more() -> None:
    assert masked("name", "欧阳建国") == "欧***"
    assert masked("id_number", "34052419800101001X") == "3****************X"
    assert masked("phone", "14212345678") == "142******78"
    assert masked("phone", "12345") == "*****"


def test_a_purpose_opens_what_it_needs() -> None:
    officer = ["officer"]
    assert fields_opened("attendance", TODAY, roles=officer, on_list=True) == {"name"}
    assert fields_opened("verification", TODAY, roles=officer, on_list=False) == {"name", "id_number"}


@pytest.mark.parametrize(("purpose", "on_list"), [("curiosity", False), ("contact", True)])
def test_other_purposes_and_whole_pages_are_refused(purpose: str, on_list: bool) -> None:
    with pytest.raises(Refused) as caught:
        fields_opened(purpose, TODAY, roles=["officer"], on_list=on_list)
    assert caught.value.rule == "opening_purposes"


@pytest.mark.parametrize("roles", [[], ["branch_secretary"], ["registrar", "nobody"]])
def test_a_purpose_of_another_role_is_refused(roles: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        fields_opened("file_care", TODAY, roles=roles, on_list=False)
    assert caught.value.requirement == "purpose_of_the_role"


def test_changes_to_different_fields_merge_and_to_the_same_field_clash() -> None:
    base = {"phone": "1", "away": False}
    present = {"phone": "2", "away": False}
    assert merge(present, base=base, changes={"away": True}) == ({"phone": "2", "away": True}, [])
    assert merge(present, base=base, changes={"phone": "2"}).clashing == []
    assert merge(present, base=base, changes={"phone": "3"}).clashing == ["phone"]


def test_every_rule_in_the_files_is_asked_for() -> None:
    used = {"branch_size", "admission_stages", "age_bands", "opening_purposes", "organisation_structure"}
    assert RULES.names == used
    assert BRANCH_SIZE.name in used
