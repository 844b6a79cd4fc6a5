"""Made-up members: the same at every run, valid, unique, and composed like a real province's."""

import random
from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standalone.seed import DEMO
from standalone.seed.divisions import Divisions, read_divisions
from standalone.seed.people import AGE_PYRAMID, AS_OF, LARGEST_BRANCH, People, Person, check_character, demo_id
from standalone.seed.tree import ROOT_ID, Plan, plan, villages_below

COUNTY = "522731"


@pytest.fixture(scope="module")
def divisions() -> Divisions:
    return read_divisions(DEMO / "divisions-52.csv.gz")


@pytest.fixture(scope="module")
def planned(divisions: Divisions) -> Plan:
    return plan(divisions, villages_below(divisions, COUNTY))


@pytest.fixture(scope="module")
def generator() -> People:
    return People()


@pytest.fixture(scope="module")
def county(planned: Plan, generator: People) -> list[Person]:
    return [person for branch in planned.branches for person in branch.people(generator)]


def test_the_published_example_has_this_check_character() -> None:
    assert check_character("34052419800101001") == "X"


def test_a_county_has_thousands_of_members_in_branches_of_22_or_so(
    planned: Plan, generator: People, county: list[Person]
) -> None:
    assert len(planned.branches) == 234
    assert 21 < len(county) / len(planned.branches) < 23
    sizes = Counter(len(branch.people(generator)) for branch in planned.branches[:40])
    assert max(sizes) <= LARGEST_BRANCH


def test_everybody_is_unique_and_valid(county: list[Person]) -> None:
    assert len({person.id_number for person in county}) == len({person.person_id for person in county}) == len(county)
    for person in county:
        assert person.id_number[:6] == COUNTY
        assert check_character(person.id_number[:17]) == person.id_number[17]
        born = date.fromisoformat(person.id_number[6:14])
        age = AS_OF.year - born.year - ((AS_OF.month, AS_OF.day) < (born.month, born.day))
        assert age == person.age >= 18


def test_the_age_pyramid_is_a_real_one(county: list[Person]) -> None:
    assert sum(share for *_, share in AGE_PYRAMID) == pytest.approx(1)
    assert sum(share for first, _, share in AGE_PYRAMID if first >= 60) == pytest.approx(0.29)
    assert sum(person.age >= 60 for person in county) / len(county) == pytest.approx(0.29, abs=0.02)
    assert 0.1 < sum(person.away for person in county) / len(county) < 0.25
    assert 0.1 < sum(not person.smartphone for person in county) / len(county) < 0.25


def test_no_phone_number_can_be_a_living_persons(county: list[Person]) -> None:
    assert {person.phone[:3] for person in county if person.phone} == {"142"}


def test_a_second_run_makes_the_same_people_whatever_was_made_before(planned: Plan, county: list[Person]) -> None:
    generator = People()
    branches = list(planned.branches)
    random.Random(7).shuffle(branches)  # noqa: S311 - any other order will do
    again = {person.person_id: person for branch in branches for person in branch.people(generator)}
    assert again == {person.person_id: person for person in county}


def test_a_part_of_a_county_has_the_same_people_as_the_whole(
    divisions: Divisions, planned: Plan, generator: People
) -> None:
    part = plan(divisions, villages_below(divisions, COUNTY, townships=2, each=3))
    whole = {branch.key: branch.people(generator) for branch in planned.branches}
    assert len(part.branches) >= 6
    assert all(branch.people(generator) == whole[branch.key] for branch in part.branches)


@given(st.text(max_size=20))
def test_ids_are_of_version_7_and_of_one_time(key: str) -> None:
    made = demo_id("test", key)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == 1_767_225_600_000
    assert made == demo_id("test", key)


def test_a_plan_has_a_committee_at_each_level_and_parents_before_their_children(planned: Plan) -> None:
    seen = {ROOT_ID}
    for level in planned.levels:
        assert {organisation.parent_id for organisation in level} <= seen
        seen |= {organisation.organisation_id for organisation in level}
    assert [len(level) for level in planned.levels] == [1, 1, 11, 216, 234]
    assert len(seen) == 1 + sum(map(len, planned.levels))
    assert [level[0].name for level in planned.levels[:3]] == [
        "中共黔南布依族苗族自治州委员会",
        "中共惠水县委员会",
        "中共涟江街道工作委员会",
    ]


def test_villages_and_communities_keep_short_names(planned: Plan) -> None:
    names = [organisation.name for organisation in planned.levels[3]]
    assert all(name.startswith("中共") and name.endswith("总支部委员会") for name in names)
    assert not any(doubled in name for name in names for doubled in ("社区社区", "村村总", "委员会总"))
