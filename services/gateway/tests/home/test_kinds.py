"""The table of kinds says of each item what it is, for whom, and what ends it; what events show keeps to it."""

import re
from uuid import UUID

import pytest

from contracts import EVENT_TYPES
from gateway.forwarding.routing import public_routes
from gateway.home.event_handlers import HANDLERS, SHOWN
from gateway.home.items import Item
from gateway.home.kinds import KINDS

from ..events import NOW
from .test_home import COUNTY, activity, case, course, study

EVENTS = [
    *(activity(), course(), case("open"), case("answered"), case("confirmed"), case("handed_on")),
    *(study(completed=True), study(completed=False, understood=False, asked_organisation_id=COUNTY)),
]
ITEMS = [
    change
    for event in EVENTS
    for state, shown in SHOWN.items()
    if isinstance(event, state)
    for change in shown(event, 1, NOW)
    if isinstance(change, Item)
]


def test_every_event_of_a_state_that_shows_something_is_handled() -> None:
    assert HANDLERS.keys() == {event for event in EVENT_TYPES.values() if issubclass(event, tuple(SHOWN))}


def test_events_show_every_kind_and_no_other() -> None:
    assert {item.kind for item in ITEMS} == KINDS.keys()


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.key)
def test_an_item_is_for_its_kinds_audience_and_has_parts_where_doing_ends_it(item: Item) -> None:
    kind = KINDS[item.kind]
    assert item.audience == kind.whose(UUID(item.audience.rpartition(":")[2]))
    assert bool(item.parts) == (kind.ends == "when done")


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_has_words_in_both_languages_and_leads_somewhere(name: str) -> None:
    kind = KINDS[name]
    assert re.fullmatch(r"[\u4e00-\u9fff]+", kind.zh)
    assert re.fullmatch(r"[A-Z][a-z ]+", kind.en)
    assert kind.href.count("{}") == 1
    assert any(kind.href.startswith(f"{route.prefix}/") for route in public_routes().routes)
