"""Rules are read from files, looked up as of a day, and refuse by name."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulebook import InvalidRules, NoVersionHolds, Parameters, Refused, Rule, RuleVersion, read


class Grace(Parameters):
    days: int
    rate: Decimal = Decimal(0)


TWO_VERSIONS = """
[[grace_period]]
holds_from = 2024-01-01
source = "second edition"
parameters = { days = 10, rate = 0.1 }

[[grace_period]]
holds_from = 2020-01-01
source = "first edition"
parameters = { days = 14 }
"""


def write(folder: Path, text: str, name: str = "periods.toml") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder


def problems(folder: Path) -> tuple[str, ...]:
    with pytest.raises(InvalidRules) as caught:
        read(folder)
    assert all("\n" not in line for line in caught.value.problems)
    return caught.value.problems


def version(**fields: str) -> str:
    values = {"holds_from": "2020-01-01", "source": '"a source"', "parameters": "{ days = 1 }"} | fields
    return "[[grace_period]]\n" + "\n".join(f"{key} = {value}" for key, value in values.items() if value) + "\n"


@pytest.mark.parametrize(
    ("day", "days"),
    [(date(2020, 1, 1), 14), (date(2023, 12, 31), 14), (date(2024, 1, 1), 10), (date(2099, 1, 1), 10)],
)
def test_the_version_that_holds_on_a_day_is_found_whatever_the_order_in_the_file(
    tmp_path: Path, day: date, days: int
) -> None:
    rule = read(write(tmp_path, TWO_VERSIONS)).rule("grace_period", Grace)
    assert rule.as_of(day).parameters.days == days


def test_figures_with_a_point_are_exact(tmp_path: Path) -> None:
    rule = read(write(tmp_path, TWO_VERSIONS)).rule("grace_period", Grace)
    assert rule.as_of(date(2024, 1, 1)).parameters.rate == Decimal("0.1")


def test_a_single_file_can_be_read(tmp_path: Path) -> None:
    write(tmp_path, TWO_VERSIONS)
    assert read(tmp_path / "periods.toml").names == {"grace_period"}


def test_before_the_first_and_after_the_last_day_no_version_holds(tmp_path: Path) -> None:
    rule = read(write(tmp_path, version(holds_until="2020-12-31"))).rule("grace_period", Grace)
    assert rule.as_of(date(2020, 12, 31)).parameters.days == 1
    for day in (date(2019, 12, 31), date(2021, 1, 1)):
        with pytest.raises(NoVersionHolds, match=f"grace_period: no version holds on {day}"):
            rule.as_of(day)


def test_a_rule_is_not_looked_up_by_a_point_in_time(tmp_path: Path) -> None:
    rule = read(write(tmp_path, TWO_VERSIONS)).rule("grace_period", Grace)
    with pytest.raises(TypeError, match="as of a date"):
        rule.as_of(datetime(2024, 1, 1, tzinfo=UTC))


def test_overlapping_versions_are_named(tmp_path: Path) -> None:
    text = version(holds_until="2021-01-01") + version(holds_from="2021-01-01")
    assert problems(write(tmp_path, text)) == (
        "periods.toml: grace_period from 2020-01-01: overlaps the version from 2021-01-01",
    )


def test_two_versions_of_one_day_overlap(tmp_path: Path) -> None:
    assert problems(write(tmp_path, version() + version())) == (
        "periods.toml: grace_period from 2020-01-01: overlaps the version from 2020-01-01",
    )


def test_a_gap_between_versions_is_named(tmp_path: Path) -> None:
    text = version(holds_until="2020-12-30") + version(holds_from="2021-01-01")
    assert problems(write(tmp_path, text)) == (
        "periods.toml: grace_period from 2020-01-01: ends on 2020-12-30, a gap to the version from 2021-01-01",
    )


def test_versions_that_meet_are_right(tmp_path: Path) -> None:
    text = version(holds_until="2020-12-31") + version(holds_from="2021-01-01")
    assert len(read(write(tmp_path, text)).rule("grace_period", Grace).versions) == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (version(holds_from=""), "grace_period version 1: holds_from: missing"),
        (version(holds_from='"2020"'), "grace_period version 1: holds_from: not a date"),
        (version(holds_from="2020-01-01T00:00:00Z"), "grace_period version 1: holds_from: not a date"),
        (version(holds_until="3"), "grace_period version 1: holds_until: not a date"),
        (version(holds_until="2019-01-01"), "grace_period from 2020-01-01: ends on 2019-01-01, before it begins"),
        (version(source=""), "grace_period version 1: source: missing"),
        (version(source="3"), "grace_period version 1: source: not a text"),
        (version(parameters="3"), "grace_period version 1: parameters: not a table"),
        (version(valid_from="2020-01-01"), "grace_period version 1: valid_from: unknown field"),
        ("grace_period = [3]", "grace_period version 1: not a table"),
        ("[grace_period]\ndays = 3", "grace_period: a rule is written as [[grace_period]], once for each version"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(write(tmp_path, text)) == (f"periods.toml: {problem}",)


def test_every_problem_of_every_file_is_reported_at_once(tmp_path: Path) -> None:
    write(tmp_path, version(source="") + version(holds_from="2022-01-01", bonus="1"), "a.toml")
    write(tmp_path, "[[other", "b.toml")
    write(tmp_path, version(), "c.toml")
    found = problems(tmp_path)
    assert found[:2] == (
        "a.toml: grace_period version 1: source: missing",
        "a.toml: grace_period version 2: bonus: unknown field",
    )
    assert found[2].startswith("b.toml: not TOML: ")
    assert found[3:] == ("c.toml: grace_period: already in a.toml",)


def test_a_folder_without_rules_is_an_error(tmp_path: Path) -> None:
    assert problems(tmp_path) == (f"{tmp_path.name}: no rules file",)


def test_a_rule_that_is_not_there_is_missing_by_name(tmp_path: Path) -> None:
    book = read(write(tmp_path, TWO_VERSIONS))
    with pytest.raises(InvalidRules, match=rf"^{tmp_path.name}: grace_periods: missing$"):
        book.rule("grace_periods", Grace)


def test_wrong_and_unknown_parameters_are_named_with_their_version(tmp_path: Path) -> None:
    text = version(parameters='{ days = "many", nights = 2 }') + version(holds_from="2021-01-01", parameters="{}")
    book = read(write(tmp_path, text))
    with pytest.raises(InvalidRules) as caught:
        book.rule("grace_period", Grace)
    lines = caught.value.problems
    assert [line.split(": ")[:3] for line in lines] == [
        ["periods.toml", "grace_period from 2020-01-01", "days"],
        ["periods.toml", "grace_period from 2020-01-01", "nights"],
        ["periods.toml", "grace_period from 2021-01-01", "days"],
    ]


def test_a_refusal_names_its_rule_version_and_requirement_in_both_languages(tmp_path: Path) -> None:
    held = read(write(tmp_path, TWO_VERSIONS)).rule("grace_period", Grace).as_of(date(2024, 5, 1))
    refused = held.refused("too_late", zh="已超过 10 天", en="More than 10 days have passed", days_passed=12)
    assert isinstance(refused, Refused)
    assert str(refused) == "grace_period: too_late (rule of 2024-01-01)"
    assert (refused.rule, refused.requirement, refused.holds_from) == ("grace_period", "too_late", date(2024, 1, 1))
    assert (refused.zh, refused.en) == ("已超过 10 天", "More than 10 days have passed")
    assert refused.source == "second edition"
    assert refused.details == {"days_passed": 12}


def test_a_refusal_without_a_dated_rule_is_possible() -> None:
    refused = Refused("one_vote", "voted_already", zh="已投票", en="Already voted")
    assert str(refused) == "one_vote: voted_already"
    assert refused.holds_from is None


@given(starts=st.lists(st.dates(), min_size=1, max_size=8, unique=True), day=st.dates())
def test_a_look_up_equals_the_last_version_begun(starts: list[date], day: date) -> None:
    versions = [RuleVersion("r", start, None, "s", Grace(days=n)) for n, start in enumerate(sorted(starts))]
    begun = [version for version in versions if version.holds_from <= day]
    if begun:
        assert Rule("r", versions).as_of(day) is begun[-1]
    else:
        with pytest.raises(NoVersionHolds):
            Rule("r", versions).as_of(day)
