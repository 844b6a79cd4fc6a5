"""After a restore every aggregate that is published is told anew by its owner, or passes by itself, for a reason."""

import importlib

from contracts import EVENT_TYPES, SERVICES
from messaging import Told

PASSES: dict[str, str] = {
    "audit_chain": "the chain tells of a cut itself: what witnesses have signed is longer than what is there",
    "erasure": "identity hears of it from its own stream like all others, notes it, and tells it every five days",
    "export": "every service composes its part for a day; who asked asks again",
    "phone_message": "a code holds ten minutes and a notice is sent once",
    "phone_answer": "says what became of a message, and is read when it comes",
}
"""The aggregates that nobody has to hear of anew, with the reason."""

TOLD: dict[str, list[Told]] = {
    service: list(importlib.import_module(f"{service}.app").SERVICE.told) for service in SERVICES
}


def test_every_published_aggregate_is_told_anew_or_passes_by_itself() -> None:
    events = [event for event in EVENT_TYPES.values() if event.publisher() in SERVICES]
    published = {(event.publisher(), event.aggregate) for event in events}
    told = {(service, each.state.aggregate) for service, all_ in TOLD.items() for each in all_}
    assert {(service, aggregate) for service, aggregate in published if aggregate not in PASSES} == told
    assert PASSES.keys() <= {aggregate for _, aggregate in published}


def test_what_is_told_of_a_kind_is_one_of_its_events() -> None:
    for service, all_ in TOLD.items():
        assert len({each.state.aggregate for each in all_}) == len(all_)
        for each in all_:
            published = [event for event in EVENT_TYPES.values() if issubclass(event, each.state)]
            assert {event.publisher() for event in published} == {service}
            withdrawn = each.withdrawn
            assert withdrawn is None or (withdrawn.publisher(), withdrawn.aggregate) == (service, each.state.aggregate)


def test_a_withdrawal_says_no_more_than_the_events_that_it_withdraws() -> None:
    for each in (each for all_ in TOLD.values() for each in all_):
        if each.withdrawn is not None:
            assert each.withdrawn.model_fields.keys() <= each.state.model_fields.keys()
            assert each.withdrawn.identified_by == each.state.identified_by
