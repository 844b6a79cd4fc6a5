"""The oracle of all fault tests: says in words what differs between what was accepted and what became of it."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

SHOWN = 3  # of each kind of difference; the count says the rest


class Fact(NamedTuple):
    """One event as some table or stream has it; `version` is missing where it cannot be read any more."""

    event_id: UUID
    aggregate_id: UUID
    version: int | None


class Put(NamedTuple):
    """One event put aside, and its state there: parked, waiting or unknown."""

    event_id: UUID
    aggregate_id: UUID | None
    version: int | None
    state: str


def unlike_ledger(accepted: Iterable[tuple[UUID, int]], outbox: Sequence[Fact]) -> list[str]:
    """Compare what the client was told is done with what the service wrote down: each once, and nothing else."""
    wanted: Counter[tuple[UUID, int | None]] = Counter(accepted)
    found = Counter((fact.aggregate_id, fact.version) for fact in outbox)
    return [
        *told("accepted, and not in the outbox", wanted - found),
        *told("in the outbox, and never accepted", found - wanted),
    ]


def gaps(outbox: Sequence[Fact]) -> list[str]:
    """Look for aggregates whose versions are not 1, 2, 3 … each once."""
    versions: dict[UUID, list[int]] = defaultdict(list)
    for fact in outbox:
        versions[fact.aggregate_id].append(fact.version or 0)
    wrong = {
        aggregate: sorted(found)
        for aggregate, found in versions.items()
        if sorted(found) != list(range(1, len(found) + 1))
    }
    return told("versions with a gap", wrong.items())


def unlike_outbox(outbox: Sequence[Fact], stream: Sequence[Fact], *, repeats: bool = False) -> list[str]:
    """Compare the stream with the outbox: every event, nothing else, each aggregate's in order.

    Where `repeats` are to be expected, as after the broker's duplicate window, only the first of each counts.
    """
    seen: dict[UUID, Fact] = {}
    again: list[UUID] = []
    for fact in stream:
        if fact.event_id in seen:
            again.append(fact.event_id)
        else:
            seen[fact.event_id] = fact
    ids = {fact.event_id for fact in outbox}
    return [
        *told("in the outbox, and not in the stream", ids - seen.keys()),
        *told("in the stream, and not in the outbox", seen.keys() - ids),
        *told("twice in the stream", [] if repeats else again),
        *told("overtaken in the stream", _overtaken(seen.values())),
    ]


def not_once(events: Iterable[Fact], effects: Sequence[Fact], aside: Sequence[Put] = ()) -> list[str]:
    """Look for events that had no effect and are not put aside, had two, or had one out of their aggregate's order."""
    expected = {fact.event_id for fact in events}
    done = Counter(fact.event_id for fact in effects)
    kept = {put.event_id for put in aside}
    return [
        *told("without an effect", expected - done.keys() - kept),
        *told("with an effect more than once", [event_id for event_id, count in done.items() if count > 1]),
        *told("with an effect though put aside", done.keys() & kept),
        *told("with an effect, and never published", done.keys() - expected),
        *told("with an effect out of order", _overtaken(effects)),
        *told("with an effect before one that is parked", _before_their_turn(effects, aside)),
    ]


def unlike(what: str, expected: Collection[object], found: Collection[object]) -> list[str]:
    """Compare two collections of rows, each as often as it is there."""
    wanted, present = Counter(expected), Counter(found)
    return [*told(f"missing of {what}", wanted - present), *told(f"surplus of {what}", present - wanted)]


def told(difference: str, cases: Iterable[object]) -> list[str]:
    """Put a kind of difference into one line, or none where there is no case of it."""
    found = list(cases.elements()) if isinstance(cases, Counter) else list(cases)
    if not found:
        return []
    return [f"{len(found)} {difference}: {', '.join(str(one) for one in found[:SHOWN])}"]


def _overtaken(facts: Iterable[Fact]) -> list[Fact]:
    """Give the events that come after a later one of their aggregate."""
    newest: dict[UUID, int] = {}
    late = []
    for fact in facts:
        if fact.version is None:
            continue
        if fact.version < newest.get(fact.aggregate_id, 0):
            late.append(fact)
        newest[fact.aggregate_id] = max(fact.version, newest.get(fact.aggregate_id, 0))
    return late


def _before_their_turn(effects: Iterable[Fact], aside: Iterable[Put]) -> list[Fact]:
    """Give the effects of aggregates that wait behind a parked event with a lower version."""
    held: dict[UUID, int] = {}
    for put in aside:
        if put.state in {"parked", "waiting"} and put.aggregate_id is not None and put.version is not None:
            held[put.aggregate_id] = min(put.version, held.get(put.aggregate_id, put.version))
    return [fact for fact in effects if (fact.version or 0) > held.get(fact.aggregate_id, fact.version or 0)]
