"""States of processes follow from their beats alone, whatever comes late or not at all."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.supervision.capabilities import CAPABILITIES, condition_of
from gateway.supervision.staleness import stale_of
from gateway.supervision.states import FORGOTTEN_AFTER, MISSED, Change, Process, Processes, Seen, State
from messaging.worker import Figures
from service.beats import Beat

BEGIN = datetime(2026, 12, 1, tzinfo=UTC)


def beat(
    instance: str = "0" * 12,
    *,
    service: str = "feedback",
    role: str = "worker",
    failed: tuple[str, ...] = (),
    leaving: bool = False,
    figures: Figures | None = None,
) -> Beat:
    return Beat(
        service=service,
        role=role,
        instance=instance,
        host="here",
        pid=1,
        version="1",
        started_at=BEGIN,
        failed=list(failed),
        leaving=leaving,
        figures=figures or Figures(),
    )


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=40))
def test_a_process_is_what_its_last_beat_says_until_three_are_missed(steps: list[tuple[int, bool]]) -> None:
    processes = Processes()
    now, changes = 0, list[Change]()
    last: tuple[int, State] | None = None
    for gap, ails in steps:
        for second in range(now + 1, now + gap + 1):
            changes += processes.look(at(second))
            if last is not None:
                silent = timedelta(seconds=second - last[0]) > MISSED
                expected: State = "away" if silent else last[1]
                assert [each.state for each in processes.all()] == [expected]
        now += gap
        changes += processes.hear(beat(failed=("nats",) if ails else ()), at(now))
        last = now, "slow" if ails else "up"
    told = [change.state for change in changes]
    assert all(before != after for before, after in pairwise(told)), "a change is told once"


def test_who_leaves_is_gone_and_who_was_killed_is_told_of_until_another_does_its_work() -> None:
    processes = Processes()
    processes.hear(beat("a" * 12), at(0))
    processes.hear(beat("b" * 12), at(0))
    key = ("feedback", "worker", "a" * 12)
    assert processes.hear(beat("a" * 12, leaving=True), at(1)) == [Change(key, None, at(1))]
    assert processes.hear(beat("a" * 12, leaving=True), at(2)) == []
    hours = FORGOTTEN_AFTER.total_seconds() * 2
    processes.look(at(20))
    assert [(each.key[2], each.state) for each in processes.all()] == [("b" * 12, "away")]
    processes.look(at(hours))
    assert len(processes.all()) == 1, "nobody else does its work"
    processes.hear(beat("c" * 12), at(hours))
    processes.look(at(hours + 1))
    assert [each.key[2] for each in processes.all()] == ["c" * 12]


def test_what_is_behind_is_slow() -> None:
    processes = Processes()
    for figures, state in (
        (Figures(outbox_age=31), "slow"),
        (Figures(lags={"gateway-home/EVT_FEEDBACK": 10_001}), "slow"),
        (Figures(outbox_age=29, lags={"gateway-home/EVT_FEEDBACK": 9_999}, parked=5), "up"),
    ):
        processes.hear(beat(figures=figures), at(0))
        assert [each.state for each in processes.all()] == [state]


def test_the_best_of_those_that_do_the_same_decides() -> None:
    processes = Processes([Process(("feedback", "api", "a" * 12), "away", at(0), at(0))])
    assert (seen := processes.best("feedback", "api")) is not None
    assert seen.state == "away"
    processes.hear(beat("b" * 12, role="api", failed=("database",)), at(1))
    assert (seen := processes.best("feedback", "api")) is not None
    assert seen.state == "slow"
    assert processes.best("feedback", "worker") is None


def test_what_people_are_told_names_no_process() -> None:
    down = {("feedback", "api"): Seen("away", at(1)), ("feedback", "worker"): Seen("slow", at(0))}
    assert condition_of("feedback", down) == ("down", at(1))
    assert condition_of("feedback", {("feedback", "worker"): Seen("away", at(2))}) == ("behind", at(2))
    assert condition_of("feedback", {("feedback", "api"): Seen("slow", at(3))}) == ("unsteady", at(3))
    assert condition_of("feedback", {("feedback", "api"): Seen("up", at(3))}) == ("fine", None)
    assert condition_of("members", down) == ("fine", None)
    assert [(each.service, each.since) for each in stale_of(down, ("members", "feedback"))] == [("feedback", at(1))]


def test_every_service_is_some_capability() -> None:
    assert {each.service for each in CAPABILITIES.values()} == {
        *("identity", "members", "activities", "learning", "feedback", "gateway")
    }
