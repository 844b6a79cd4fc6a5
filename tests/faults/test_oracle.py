"""The oracle itself: each kind of harm is told, and nothing else."""

from uuid import UUID

import pytest

from tests.faults.oracle import Fact, Put, gaps, not_once, unlike_ledger, unlike_outbox

ONE, OTHER = UUID(int=1), UUID(int=2)
FACTS = [
    Fact(UUID(int=100 * aggregate + version), UUID(int=aggregate), version)
    for version in (1, 2, 3)
    for aggregate in (1, 2)
]
STEPS = [(fact.aggregate_id, fact.version or 0) for fact in FACTS]


def test_what_is_right_is_not_complained_about() -> None:
    aside = [Put(FACTS[4].event_id, ONE, 3, "parked")]
    assert unlike_ledger(STEPS, FACTS) == gaps(FACTS) == unlike_outbox(FACTS, FACTS) == not_once(FACTS, FACTS) == []
    assert not_once(FACTS, [fact for fact in FACTS if fact != FACTS[4]], aside) == []
    assert unlike_outbox(FACTS, [*FACTS, FACTS[0]], repeats=True) == []


@pytest.mark.parametrize(
    ("found", "harm"),
    [
        (unlike_ledger(STEPS, FACTS[1:]), "1 accepted, and not in the outbox"),
        (unlike_ledger(STEPS[1:], FACTS), "1 in the outbox, and never accepted"),
        (unlike_ledger(STEPS, [*FACTS, FACTS[0]]), "1 in the outbox, and never accepted"),
        (gaps([FACTS[0], FACTS[4]]), "1 versions with a gap"),
        (gaps([*FACTS, FACTS[5]]), "1 versions with a gap"),
        (unlike_outbox(FACTS, FACTS[:-1]), "1 in the outbox, and not in the stream"),
        (unlike_outbox(FACTS[:-1], FACTS), "1 in the stream, and not in the outbox"),
        (unlike_outbox(FACTS, [*FACTS, FACTS[0]]), "1 twice in the stream"),
        (unlike_outbox(FACTS, [*FACTS[2:4], *FACTS[:2], *FACTS[4:]]), "2 overtaken in the stream"),
        (not_once(FACTS, FACTS[1:]), "1 without an effect"),
        (not_once(FACTS, [*FACTS, FACTS[-1]]), "1 with an effect more than once"),
        (not_once(FACTS[1:], FACTS), "1 with an effect, and never published"),
        (not_once(FACTS, [*FACTS[2:], *FACTS[:2]]), "2 with an effect out of order"),
        (not_once(FACTS, FACTS, [Put(FACTS[5].event_id, OTHER, 3, "parked")]), "1 with an effect though put aside"),
        (
            not_once(FACTS, [FACTS[0], FACTS[4], *FACTS[1::2]], [Put(FACTS[2].event_id, ONE, 2, "parked")]),
            "1 with an effect before one that is parked",
        ),
    ],
)
def test_each_kind_of_harm_is_told(found: list[str], harm: str) -> None:
    assert len(found) == 1
    assert found[0].startswith(harm)
