"""The table of kinds says of each item what it is, for whom, and what ends it; what events show keeps to it."""

import json
import pkgutil
import re
from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from inspect import isfunction
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import orjson
import pytest
from openapi_schema_validator import OAS31Validator

from contracts import EVENT_TYPES, Event
from gateway.home import items
from gateway.home.composing import item_of, written
from gateway.home.event_handlers import HANDLERS
from gateway.home.items import Action, Done, Gone, Item, Kind
from gateway.home.items.activities import MEETINGS
from gateway.home.kinds import KINDS, SHOWN
from gateway.home.schemas import HomeItemOut, HomeItemPage
from gateway.subjects.kinds import KINDS as SUBJECTS
from gateway.supervision.staleness import Stale
from webapi.caller import to_json

from ..events import NOW, golden
from .test_home import case, study

EVENTS = [*map(golden, HANDLERS), case("handed_on"), study(completed=False, understood=False)]
DOCUMENT = json.loads((Path(__file__).resolve().parents[4] / "docs" / "openapi-v1.json").read_text("utf-8"))
ACTIONS = [action for kind in KINDS.values() for action in kind.actions]
MODULES = [import_module(f"{items.__name__}.{found.name}") for found in pkgutil.iter_modules(items.__path__)]


def changes_of(event: Event) -> Iterator[Item | Done | Gone]:
    for state, shown in SHOWN.items():
        if isinstance(event, state):
            yield from shown(event, 1, NOW)


def items_of(event: Event) -> Iterator[Item]:
    return (change for change in changes_of(event) if isinstance(change, Item))


def test_every_event_of_a_state_that_shows_something_is_handled() -> None:
    assert HANDLERS.keys() == {event for event in EVENT_TYPES.values() if issubclass(event, tuple(SHOWN))}


def test_every_kind_and_every_function_of_a_service_is_in_the_table() -> None:
    found = [each for module in MODULES for each in vars(module).values()]
    assert {kind.name for kind in found if isinstance(kind, Kind)} == KINDS.keys()
    functions = {each for each in found if isfunction(each) and each.__name__.startswith("of_")}
    assert functions == set(SHOWN.values())


def test_events_show_every_kind_and_no_other() -> None:
    shown = {item.kind for event in EVENTS for item in items_of(event)}
    shown |= {one.becomes for event in EVENTS for one in changes_of(event) if isinstance(one, Gone) and one.becomes}
    assert sorted(KINDS.keys() - shown) == [], "the golden file of no event shows these"


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: f"{type(event).__name__} {getattr(event, 'status', '')}")
def test_an_item_is_for_its_kinds_audience_and_has_parts_where_doing_ends_it(event: Event) -> None:
    for item in items_of(event):
        kind = KINDS[item.kind]
        assert item.audience == kind.whose(UUID(item.audience.rpartition(":")[2]))
        assert bool(item.parts) == (kind.ends == "when done")


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: f"{type(event).__name__} {getattr(event, 'status', '')}")
def test_the_facts_of_an_item_are_those_of_its_kind(event: Event) -> None:
    for item in items_of(event):
        facts = KINDS[item.kind].facts
        assert item.facts.keys() == facts.model_fields.keys()
        facts.model_validate(item.facts)


def test_the_document_knows_the_facts_of_every_kind_and_bears_others() -> None:
    schema = HomeItemOut.model_json_schema()
    either = schema["properties"]["facts"]["anyOf"]
    assert {each.get("$ref", "").removeprefix("#/$defs/") for each in either[:-1]} == {
        kind.facts.__name__ for kind in KINDS.values()
    }
    assert either[-1] == {"additionalProperties": True, "type": "object"}
    assert "discriminator" not in schema["properties"]["facts"]


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_has_words_in_both_languages_and_leads_somewhere(name: str) -> None:
    kind = KINDS[name]
    assert re.fullmatch(r"[\u4e00-\u9fff]+", kind.zh)
    assert re.fullmatch(r"[A-Z][a-z ]+", kind.en)
    assert kind.subject in SUBJECTS


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: f"{type(event).__name__} {getattr(event, 'status', '')}")
def test_an_item_has_a_title_in_both_languages(event: Event) -> None:
    for item in items_of(event):
        title = KINDS[item.kind].titled(item.facts)
        assert re.search(r"[\u4e00-\u9fff]", title.zh)
        assert re.match(r"[A-Z]", title.en)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: f"{type(event).__name__} {getattr(event, 'status', '')}")
@pytest.mark.parametrize("time", [NOW, NOW.replace(microsecond=70)])
def test_a_home_is_written_as_its_model_in_the_document_would_be(event: Event, time: datetime) -> None:
    told = [
        item._asdict() | {"facts": orjson.dumps(item.facts).decode(), "organisation_name": "某村党支部", "since": time}
        for item in items_of(event)
    ]
    shown = [item_of(each, time) for each in told]
    page = written(shown, "on", ["learning"], [Stale(service="learning", since=time)])
    assert to_json(HomeItemPage.model_validate_json(page)) == page


def test_every_kind_of_meeting_that_there_is_has_its_words() -> None:
    known = DOCUMENT["components"]["schemas"]["ScheduleActivity"]["properties"]["kind"]["enum"]
    assert MEETINGS.keys() == set(known)


def operation_of(action: Action) -> tuple[str, str, dict[str, Any]]:
    """Find in the released document what an action does: path, method, operation."""
    ((path, method, operation),) = [
        (path, method, operation)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        if operation["operationId"] == action.operation_id
    ]
    return path, method.upper(), operation


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.operation_id)
def test_an_action_is_an_operation_of_the_document(action: Action) -> None:
    path, method, operation = operation_of(action)
    asked = urlsplit(action.path)
    assert method == action.method
    assert asked.path.replace("{subject_id}", "{}") == re.sub(r"\{\w+\}", "{}", path)
    assert parse_qs(asked.query).keys() <= {each["name"] for each in operation["parameters"] if each["in"] == "query"}
    demanded = {each["name"] for each in operation["parameters"] if each.get("required") and each["in"] != "path"}
    assert demanded <= parse_qs(asked.query).keys()


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.operation_id)
def test_the_body_of_an_action_is_good_with_what_it_needs_and_not_without(action: Action) -> None:
    content = operation_of(action)[2].get("requestBody", {}).get("content", {}).get("application/json")
    assert (content is None) == (action.body is None)
    if content is None or action.body is None:
        return
    form = OAS31Validator({**content["schema"], "components": DOCUMENT["components"]})
    given = {name: content["example"][name] for name in action.needs}
    known = {"subject_id": str(UUID(int=1)), "organisation_id": str(UUID(int=2)), "category": "road"}
    body = {name: value.format_map(known) for name, value in action.body.items()}
    form.validate({**body, **given})
    for name in action.needs:
        assert not form.is_valid({**body, **{each: given[each] for each in given if each != name}})
