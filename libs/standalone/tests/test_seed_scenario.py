"""The scenario file is read, fits the generated branch, and is refused in one line when it is wrong."""

from pathlib import Path

import pytest
from rich.console import Console

from standalone.data_directory import DataDirectory
from standalone.refusals import CannotRun
from standalone.seed import DEMO, SCENARIO, Authenticators, Passwords, Watcher, seed, shown
from standalone.seed.demo import Stage, choose_branch
from standalone.seed.divisions import read_divisions
from standalone.seed.people import People
from standalone.seed.scenario import InvalidScenario, read_scenario
from standalone.seed.tree import organisation_of, plan, villages_below


def test_everybody_in_the_scenario_has_a_person_and_every_place_exists() -> None:
    scenario = read_scenario(DEMO / SCENARIO)
    divisions = read_divisions(DEMO / "divisions-52.csv.gz")
    planned = plan(divisions, villages_below(divisions, scenario.county))
    chosen = choose_branch(planned.branches, People())
    stage = Stage.of(
        scenario, county=organisation_of(scenario.county), neighbour=organisation_of("522701"), chosen=chosen
    )
    assert set(stage.people) == {person.username for person in scenario.people if person.member}
    assert len(set(stage.people.values())) == len(stage.people)
    assert len(set(stage.numbers.values())) == len(scenario.people)
    assert chosen.members["away"].away
    assert not chosen.members["secretary"].away
    assert {case.by for case in scenario.cases} <= set(stage.numbers)
    assert {person.role for person in scenario.people} >= {"registrar", "officer", "branch_secretary", None}
    rooted = {each.category for each in scenario.responsibilities if each.at == "root"}
    assert {each.category for each in scenario.responsibilities} == rooted
    assert {case.category for case in scenario.cases} <= rooted


@pytest.mark.parametrize(
    ("text", "reason"),
    [("county = [", "not TOML"), ("county = 1", "county"), ('county = "522731"', "neighbour: Field required")],
)
def test_a_wrong_scenario_is_one_line(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / SCENARIO
    path.write_text(text)
    with pytest.raises(InvalidScenario, match=reason) as caught:
        read_scenario(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scope", ["522799", "5227", "nowhere"])
async def test_a_scope_that_is_no_county_is_refused_before_anything_is_sent(scope: str, tmp_path: Path) -> None:
    with shown(Console(quiet=True)) as watcher, pytest.raises(CannotRun, match="is no county of 贵州省"):
        await seed(
            "http://127.0.0.1:9",
            administrators=Passwords("-", "-"),
            demonstration=Passwords("-", "-"),
            authenticators=Authenticators(DataDirectory(tmp_path)),
            watcher=watcher,
            scope=scope,
        )


def test_progress_is_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def work(watcher: Watcher) -> None:
        watcher.begin("organisations", 3)
        watcher.advance(2)
        watcher.advance()

    with shown(Console(width=80)) as watcher:
        work(watcher)
    assert capsys.readouterr().out == "organisations: 3\norganisations: done\n"


def test_progress_is_bars_in_a_terminal() -> None:
    console = Console(force_terminal=True, record=True, width=80)
    with shown(console) as watcher:
        watcher.begin("organisations", 2)
        watcher.advance(2)
    assert "2/2" in console.export_text()


def test_an_app_gives_each_code_once_and_is_kept_with_the_secrets(tmp_path: Path) -> None:
    kept = Authenticators(DataDirectory(tmp_path))
    assert kept.of("officer.demo") is None
    app = kept.keep("officer.demo", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert len({app.code_to_confirm(), app.code(), app.code()}) == 3
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0
    assert Authenticators(DataDirectory(tmp_path)).of("officer.demo") is not None


def test_when_the_app_has_no_new_code_a_recovery_code_is_given_once(tmp_path: Path) -> None:
    app = Authenticators(DataDirectory(tmp_path)).keep("someone", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    app.spare = ["abcd-efgh"]
    given = [app.code() for _ in range(4)]
    assert [len(code) for code in given].count(9) == 1
    assert given[0] != given[1]
