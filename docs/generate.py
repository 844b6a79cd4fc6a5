"""Writes what can be derived from the code: `docs/events.md`, `docs/asyncapi.json`, `deploy/nats/users.conf`.

Run it by `make docs`; a test fails when the files and the code differ.
"""

import importlib
import json
from pathlib import Path
from typing import Any

from contracts import EVENT_TYPES, Envelope, Event
from standalone import bus

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ("identity", "members", "activities", "learning", "feedback", "gateway")
GOLDEN = ROOT / "tests" / "contracts" / "golden"


def consumers() -> dict[type[Event], list[str]]:
    """Map each event to the consumers (by durable name) whose handlers take it."""
    found: dict[type[Event], list[str]] = {event: [] for event in EVENT_TYPES.values()}
    for service in SERVICES:
        for consumer in importlib.import_module(f"{service}.worker").CONSUMERS:
            for event in consumer.handlers:
                found[event].append(consumer.name)
    return found


def one_line(documented: type[Any]) -> str:
    """Give the first line of a docstring."""
    return (documented.__doc__ or "").strip().splitlines()[0]


def events_page() -> str:
    """Render `docs/events.md`."""
    taken_by = consumers()
    lines = [
        "# Events",
        "",
        "Every event, its publisher and the consumers that take it. Written by `make docs` from `libs/contracts` and",
        "the services' workers; the fields are in [asyncapi.json](asyncapi.json).",
        "",
        "| event | published by | taken by | what happened |",
        "|---|---|---|---|",
    ]
    for event in sorted(EVENT_TYPES.values(), key=lambda event: event.type):
        takers = ", ".join(f"`{name}`" for name in sorted(taken_by[event])) or "–"
        lines.append(f"| `{event.__name__}`<br>`{event.type}` | {event.publisher()} | {takers} | {one_line(event)} |")
    return "\n".join(lines) + "\n"


def message(event: type[Event]) -> dict[str, Any]:
    """Give the AsyncAPI message of one event: the envelope's schema with this event's data in it."""
    envelope = Envelope.model_json_schema(ref_template="#/components/schemas/{model}")
    properties = envelope["properties"] | {
        "type": {"const": event.type},
        "source": {"const": f"/services/{event.publisher()}"},
        "data": {"$ref": f"#/components/schemas/{event.__name__}"},
    }
    return {
        "name": event.__name__,
        "title": one_line(event),
        "contentType": "application/cloudevents+json",
        "headers": {
            "type": "object",
            "properties": {"Nats-Msg-Id": {"type": "string", "format": "uuid", "description": "The event's id."}},
        },
        "payload": {"type": "object", "required": envelope["required"], "properties": properties},
    }


def asyncapi() -> dict[str, Any]:
    """Build the AsyncAPI 3.0 document of all channels, messages and who sends or receives them."""
    taken_by = consumers()
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for event in sorted(EVENT_TYPES.values(), key=lambda event: event.type):
        name, publisher = event.__name__, event.publisher()
        channel = f"{publisher}.{event.aggregate}"
        messages[name] = message(event)
        schema = event.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {}) | {name: schema}
        entry = channels.setdefault(
            channel,
            {
                "address": f"evt.{publisher}.{{partition}}.{event.aggregate}.{{aggregateId}}",
                "description": f"Stream EVT_{publisher.upper()}; in order for each {event.aggregate}.",
                "parameters": {
                    "partition": {"description": "p00 to p15, a hash of the aggregate's id."},
                    "aggregateId": {"description": f"The id of the {event.aggregate}."},
                },
                "messages": {},
            },
        )
        entry["messages"][name] = {"$ref": f"#/components/messages/{name}"}
        pointer = {"$ref": f"#/channels/{channel}"}
        receives = [{"$ref": f"#/channels/{channel}/messages/{name}"}]
        send = operations.setdefault(f"{publisher}.sends.{channel}", _operation("send", pointer))
        send["messages"].extend(receives)
        for taker in sorted(taken_by[event]):
            take = operations.setdefault(f"{taker}.receives.{channel}", _operation("receive", pointer))
            take["messages"].extend(receives)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Xiangqiao domain events",
            "version": "1",
            "description": "CloudEvents 1.0 in JSON structured mode on NATS JetStream. Generated from the contracts.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    }


def _operation(action: str, channel: dict[str, str]) -> dict[str, Any]:
    return {"action": action, "channel": channel, "messages": []}


def missing_golden_files() -> list[type[Event]]:
    """List the events that have no golden file yet."""
    return [event for event in EVENT_TYPES.values() if not (GOLDEN / f"{event.type}.json").exists()]


def documents() -> dict[Path, str]:
    """Render every generated document by its path."""
    return {
        ROOT / "docs" / "events.md": events_page(),
        ROOT / "docs" / "asyncapi.json": json.dumps(asyncapi(), indent=1, ensure_ascii=False) + "\n",
        ROOT / "deploy" / "nats" / "users.conf": bus.users_configuration(),
    }


if __name__ == "__main__":
    for path, content in documents().items():
        path.write_text(content, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")  # noqa: T201 - a script for people
    for event in missing_golden_files():
        print(f"write tests/contracts/golden/{event.type}.json: an example that must parse for ever")  # noqa: T201
