"""Reading the merged access log to its end gives every entry once, whatever comes in and whoever cannot be heard."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.access_log.rules import Merged, Part, Position, merge

BEGAN = datetime(2026, 11, 24, 8, tzinfo=UTC)
SERVICES = ("feedback", "identity", "members")


class Entry(NamedTuple):
    """An entry as the rules see it."""

    service: str
    id: int
    happened_at: datetime


class Log:
    """The audit of one service, to which entries are added in time, several of them in one moment."""

    def __init__(self, service: str, minutes: Sequence[int] = ()) -> None:
        self.service = service
        self.entries: list[Entry] = []
        for minute in sorted(minutes):
            self.add(minute)

    def add(self, minute: int) -> None:
        number = 3 * len(self.entries) + 1  # the ids between belong to others
        self.entries.append(Entry(self.service, number, BEGAN + timedelta(minutes=minute)))

    def part(self, position: Position, limit: int) -> Part[Entry]:
        """Answer as a service does."""
        below = [entry for entry in reversed(self.entries) if position is None or entry.id < position]
        return Part(below[:limit], more=len(below) > limit)


def page_of(
    logs: Mapping[str, Log], positions: Mapping[str, Position], limit: int, away: frozenset[str] = frozenset()
) -> Merged[Entry]:
    """Read one page as the gateway does."""
    parts = {
        service: log.part(positions[service], limit)
        for service, log in logs.items()
        if service not in away and positions[service] != 0
    }
    return merge(positions, parts, limit)


minutes = st.lists(st.integers(0, 6), max_size=12)
histories = st.fixed_dictionaries(dict.fromkeys(SERVICES, minutes))
outages = st.lists(st.frozensets(st.sampled_from(SERVICES)), max_size=12)


@settings(deadline=None)
@given(histories, st.integers(1, 7), outages)
def test_every_entry_comes_once_and_what_could_not_be_heard_comes_later(
    history: dict[str, list[int]], limit: int, away: list[frozenset[str]]
) -> None:
    logs = {service: Log(service, history[service]) for service in SERVICES}
    wanted = {entry for log in logs.values() for entry in log.entries}
    positions: dict[str, Position] = dict.fromkeys(SERVICES)
    seen: list[Entry] = []
    outage = iter(away)
    while True:
        merged = page_of(logs, positions, limit, next(outage, frozenset()))
        assert len(merged.entries) <= limit
        assert merged.entries == sorted(merged.entries, key=lambda each: each.happened_at, reverse=True)
        seen += merged.entries
        positions = merged.positions
        if merged.ended:
            break
    assert len(seen) == len(set(seen))
    assert set(seen) == wanted
    for service in SERVICES:
        assert [entry for entry in seen if entry.service == service] == logs[service].entries[::-1]


@settings(deadline=None)
@given(histories, st.integers(1, 7), st.lists(st.sampled_from(SERVICES), max_size=12))
def test_what_comes_in_while_somebody_reads_moves_nothing(
    history: dict[str, list[int]], limit: int, coming: list[str]
) -> None:
    logs = {service: Log(service, history[service]) for service in SERVICES}
    wanted = sorted(
        (entry for log in logs.values() for entry in reversed(log.entries)),
        key=lambda each: (-each.happened_at.timestamp(), each.service, -each.id),
    )
    positions: dict[str, Position] = dict.fromkeys(SERVICES)
    seen: list[Entry] = []
    newer = iter(coming)
    while True:
        merged = page_of(logs, positions, limit)
        seen += merged.entries
        positions = merged.positions
        if merged.ended:
            break
        if (service := next(newer, None)) is not None:
            logs[service].add(100)
    assert seen == wanted


def test_entries_of_one_moment_stand_by_their_services_names_and_each_service_in_its_own_order() -> None:
    logs = {service: Log(service, [1, 1]) for service in reversed(SERVICES)}
    merged = page_of(logs, dict.fromkeys(SERVICES), 10)
    assert [(entry.service, entry.id) for entry in merged.entries] == [
        (service, number) for service in SERVICES for number in (4, 1)
    ]
    assert merged.ended


def test_a_service_that_recorded_an_earlier_moment_later_keeps_its_own_order() -> None:
    slow = [Entry("members", 8, BEGAN), Entry("members", 7, BEGAN + timedelta(minutes=2))]
    quick = [Entry("identity", 5, BEGAN + timedelta(minutes=1))]
    merged = merge(
        {"members": None, "identity": None}, {"members": Part(slow, more=False), "identity": Part(quick, more=False)}, 5
    )
    assert [entry.id for entry in merged.entries] == [5, 8, 7]


def test_nobody_heard_leaves_every_position_where_it_was() -> None:
    positions: dict[str, Position] = {"members": 7, "identity": None}
    merged = merge(positions, dict[str, Part[Entry]](), 5)
    assert (merged.entries, merged.positions, merged.ended) == ([], positions, False)
