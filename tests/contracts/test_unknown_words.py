"""A word that a consumer does not know never puts an event aside: each consumer is sent one in each open field."""

import importlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from pydantic import TypeAdapter

from contracts import SERVICES, Code, Event
from database import Database, new_id
from messaging import Consumer
from messaging.inbox import Inbox
from messaging.received import Delivery, Reader
from messaging.streams import subject_of
from testkit.databases import Template, TestDatabases

GOLDEN = Path(__file__).parent / "golden"
OPEN = TypeAdapter(Code).json_schema()["pattern"]
WORD = "word_of_tomorrow"


class Sent(NamedTuple):
    """A word nobody knows, in one field of one event, for one consumer of a service."""

    service: str
    consumer: Consumer
    event: type[Event]
    field: str

    def __str__(self) -> str:
        return f"{self.consumer.name}: {self.event.__name__}.{self.field}"


def consumers() -> Iterator[tuple[str, Consumer]]:
    for service in SERVICES:
        for consumer in importlib.import_module(f"{service}.worker").CONSUMERS:
            yield service, consumer


def with_the_word(schema: dict[str, Any], value: Any) -> Any:
    """Give a field's value with the word in it; None where the field takes no word."""
    if "anyOf" in schema:
        return next((found for each in schema["anyOf"] if (found := with_the_word(each, value))), None)
    if schema.get("pattern") == OPEN:
        return WORD
    if OPEN in schema.get("patternProperties", {}):
        return {**value, WORD: 7}
    if "items" in schema and with_the_word(schema["items"], None):
        return [*value, WORD]
    return None


def golden(event: type[Event]) -> dict[str, Any]:
    written: dict[str, Any] = json.loads((GOLDEN / f"{event.type}.json").read_text("utf-8"))
    return written


def with_the_word_in(event: type[Event], field: str) -> Any:
    return with_the_word(event.model_json_schema()["properties"][field], golden(event)["data"].get(field))


SENT = [
    Sent(service, consumer, event, field)
    for service, consumer in consumers()
    for event in consumer.handlers
    for field in event.model_fields
    if with_the_word_in(event, field) is not None
]


@pytest_asyncio.fixture(scope="module")
async def database_of(
    databases: TestDatabases, template_of: Callable[[str], Awaitable[Template]]
) -> AsyncIterator[Callable[[str], Awaitable[Database]]]:
    """Give a service's migrated database, one for all tests here: each sends what is of an aggregate of its own."""
    async with AsyncExitStack() as stack:
        opened: dict[str, Database] = {}

        async def open_once(service: str) -> Database:
            if service not in opened:
                url = await stack.enter_async_context(databases.database(await template_of(service)))
                opened[service] = Database(url, application_name=service)
                stack.push_async_callback(opened[service].close)
            return opened[service]

        yield open_once


@pytest.mark.parametrize("sent", SENT, ids=str)
async def test_an_event_with_an_unknown_word_is_taken_in(
    sent: Sent, database_of: Callable[[str], Awaitable[Database]]
) -> None:
    written = golden(sent.event)
    word = {sent.event.identified_by: str(new_id()), sent.field: with_the_word_in(sent.event, sent.field)}
    event = sent.event.model_validate(written["data"] | word)
    written |= {"data": written["data"] | word, "subject": f"{event.aggregate}/{event.aggregate_id}"}
    inbox = Inbox(sent.consumer, await database_of(sent.service), f"EVT_{event.publisher().upper()}")
    reader = Reader(sent.consumer.handlers)
    for version in (1, 2):  # what comes after it is not held back either
        envelope = {**written, "id": str(new_id()), "aggregateversion": version}
        outcome = await inbox.apply([reader.read(Delivery(subject_of(event), json.dumps(envelope).encode()))])
        assert (outcome.aside, len(outcome.applied)) == ([], 1)


def test_every_service_is_sent_words_by_somebody() -> None:
    assert {sent.service for sent in SENT} == set(SERVICES)
