"""Writes what can be derived from the code: events, operations and roles, who may what on the bus, security checks.

Run it by `make docs`; a test fails when the files and the code differ.
"""

import ast
import functools
import importlib
import json
import re
import tomllib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from compatibility import taken_away

import audit
from contracts import EVENT_TYPES, SERVICES, Envelope, Event
from database import KeyRing
from gateway.documents.document import published_document
from gateway.documents.merging import merge
from gateway.forwarding.routing import public_routes
from identity.roles.definitions import roles_to_define
from identity.roles.rules import OPENS_FILES
from standalone import bus
from webapi import Application
from webapi.access import EXTENSION

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "contracts" / "golden"
OPENAPI = "docs/openapi-v1.json"
PUBLIC_URL = "https://xiangqiao.example"
DOOR = "gateway"
NOWHERE = "http://127.0.0.1:9"
EXAMPLES = ("example", "520424", "0" * 64, "0" * 32, PUBLIC_URL)
"""What a string of an event may be: a word or a text, a division code, a hash, a keyed index."""

WRITTEN = {"date-time": "2026-11-30T08:30:00Z", "date": "2026-11-30"}
ACCESS_PREFACE = """
Every operation of every service, what it is for, and the roles that may ask for it. Written by `make docs` from what
the routes declare (`x-access` in the OpenAPI documents) and from `identity/roles/roles.toml`;
`tests/flows/test_access_matrix.py` asks each of them for real.

- **all**: `public` is open without a token, `client` to OAuth clients that prove who they are, `self` to everyone who
  is signed in, on what is theirs or meant for everyone.
- **✓**: the role has a permission that the operation demands, on the organisations where it is held and below. All
  else is 404 to it, and 403 to whoever lacks the permission altogether.
- **·**: the role gives nothing here beyond what is open to all.
- **scope**: what the token has to hold beside, all of them: it limits the client, whoever that acts for
  ([why](decisions/0018-scopes-by-service-and-verb.md)).
- **audit**: the entry it leaves (`x-audited`), or why it leaves none although it demands a permission.
"""


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


@functools.cache
def application_of(service: str) -> Application:
    """Give a service's application as it would start; nothing of it is opened."""
    return composed(service, issuer=NOWHERE, jwks_url=NOWHERE)


def composed(service: str, *, issuer: str, jwks_url: str) -> Application:
    """Compose a service's application, whose database and bus are nowhere."""
    settings = importlib.import_module(f"{service}.app").SERVICE.settings(
        database_url=f"postgresql://{service}@127.0.0.1:9/{service}",
        nats_url="nats://127.0.0.1:9",
        issuer=NOWHERE,
        jwks_url=NOWHERE,
        operations_port=0,
        sealing_key=KeyRing.generate(),
        phone_key=KeyRing.generate(),
        **{f"upstream_{name}": NOWHERE for name in SERVICES},
    )
    told = settings.model_copy(update={"issuer": issuer, "jwks_url": jwks_url})
    application: Application = importlib.import_module(f"{service}.app").SERVICE.application(told)
    return application


def openapi() -> dict[str, Any]:
    """Build the document of the whole API as the gateway publishes it, with every service there."""
    table = public_routes()

    def passes(path: str, service: str) -> bool:
        route = table.find(path.encode())
        return route is not None and (route.service or DOOR) == service

    merged = merge({service: application_of(service).openapi() for service in SERVICES}, passes)
    return published_document(merged, public_url=PUBLIC_URL, version="1")


def released_openapi() -> str:
    """Give the text of the released document; raises `SystemExit` where a client of it would miss something.

    What is to be taken away all the same has its decision; then the file is deleted first, and released anew.
    """
    now, text = openapi(), (ROOT / OPENAPI).read_text("utf-8") if (ROOT / OPENAPI).exists() else ""
    if text and (missed := taken_away(json.loads(text), now)):
        raise SystemExit("\n".join([f"{OPENAPI} is released, and its clients would miss:", *missed]))
    return json.dumps(now, indent=1, ensure_ascii=False) + "\n"


def access_of(service: str) -> list[tuple[str, list[str], list[str], list[str], str]]:
    """List a service's operations ("GET /v1/...") with what each demands of person and token, records, and is for."""
    found = []
    for path, item in application_of(service).openapi()["paths"].items():
        for method, operation in item.items():
            rules = operation[EXTENSION]
            scopes = [scope for either in operation.get("security", ()) for scope in either["bearer"]]
            leaves = operation.get(audit.EXTENSION, [])
            recorded = [f"`{action}`" for action in leaves] if isinstance(leaves, list) else [f"– ({leaves['none']})"]
            rules = [rules] if isinstance(rules, str) else list(rules)
            purpose = operation["description"].partition("\n")[0]
            found.append((f"{method.upper()} {path}", rules, scopes, recorded, purpose))
    return sorted(found, key=lambda each: (each[0].partition(" ")[2], each[0]))


def access_page() -> str:
    """Render `docs/access.md`."""
    roles = roles_to_define()
    lines = ["# Who may what", "", *ACCESS_PREFACE.strip().splitlines(), ""]
    asked: set[str] = set()
    for service in SERVICES:
        lines += [
            f"## {service}",
            "",
            f"| operation | all | {' | '.join(map(_readable, roles))} | demands | scope | audit |",
        ]
        lines.append("|---" * (len(roles) + 5) + "|")
        for operation, rules, scopes, recorded, purpose in access_of(service):
            permissions = [rule for rule in rules if "." in rule]
            asked |= set(permissions)
            open_to = ", ".join(rule for rule in rules if "." not in rule) or "·"
            cells = ["✓" if set(permissions) & set(role.permissions) else "·" for role in roles.values()]
            demands = "<br>".join(f"`{permission}`" for permission in permissions) or "–"
            scope = "<br>".join(f"`{each}`" for each in scopes) or "–"
            left = "<br>".join(recorded) or "–"
            shown = f"`{operation}`<br>{purpose}"
            lines.append(f"| {shown} | {open_to} | {' | '.join(cells)} | {demands} | {scope} | {left} |")
        lines.append("")
    lines += [
        "## Roles",
        "",
        "| role | | held by approval of two | may be delegated | permissions |",
        "|---|---|---|---|---|",
    ]
    for name, role in roles.items():
        permissions = sorted(role.permissions)
        shown = " ".join(f"`{permission}`" if permission in asked else f"`{permission}`*" for permission in permissions)
        files = "from county level" if OPENS_FILES & set(permissions) else "no"
        two, on = "yes" if role.privileged else files, "yes" if role.delegable else "no"
        lines.append(f"| {role.title_en} `{name}` | {role.title_zh} | {two} | {on} | {shown} |")
    lines += ["", "\\* no operation of today asks for it."]
    return "\n".join(lines) + "\n"


CHECKS_PREFACE = """
What security asks of this system, and the tests that make each check: those whose docstring says its number, and all of
a file whose first docstring does. Written by `make docs`; the checks themselves, and what is open of them, stand in
`security-checks.toml`.
"""
_NUMBERED = re.compile(r"\b[Cc]hecks? (\d+(?:(?:, | and )\d+)*)")


def security_checks() -> dict[str, dict[int, str]]:
    """Read the checks there are, and why some are open, by number."""
    written = tomllib.loads((ROOT / "docs" / "security-checks.toml").read_text("utf-8"))
    return {part: {int(number): words for number, words in each.items()} for part, each in written.items()}


def tests_of_checks() -> dict[int, list[str]]:
    """List the tests that carry the number of a check, as `path` or `path::test`."""
    found: dict[int, list[str]] = {}
    for folder in ("libs/*/tests", "services/*/tests", "tests"):
        for file in (file for place in sorted(ROOT.glob(folder)) for file in sorted(place.rglob("test_*.py"))):
            for number, name in _numbered(file):
                found.setdefault(number, []).append(name)
    return found


def _numbered(file: Path) -> Iterator[tuple[int, str]]:
    path, text = file.relative_to(ROOT).as_posix(), file.read_text("utf-8")
    tree = ast.parse(text) if _NUMBERED.search(text) else ast.Module([], [])
    tests = [each for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    for name, node in [
        (path, tree),
        *((f"{path}::{each.name}", each) for each in tests if each.name.startswith("test_")),
    ]:
        for numbers in _NUMBERED.findall(ast.get_docstring(node) or ""):
            yield from ((int(number), name) for number in re.findall(r"\d+", numbers))


def checks_page() -> str:
    """Render `docs/security-checks.md`."""
    checks, tests = security_checks(), tests_of_checks()
    lines = ["# Security checks", "", *CHECKS_PREFACE.strip().splitlines(), ""]
    lines += ["| | check | tests | open |", "|---|---|---|---|"]
    for number, check in checks["checks"].items():
        made = "<br>".join(f"`{name}`" for name in tests.get(number, ())) or "–"
        lines.append(f"| {number} | {check} | {made} | {checks['open'].get(number, '')} |")
    return "\n".join(lines) + "\n"


def _readable(role: str) -> str:
    return role.replace("_", " ")


class NoExample(Exception):
    """No example is known for a field; its golden file has to be written by hand."""


def missing_golden_files() -> list[type[Event]]:
    """List the events that have no golden file yet."""
    return [event for event in EVENT_TYPES.values() if not (GOLDEN / f"{event.type}.json").exists()]


def first_golden(event: type[Event]) -> dict[str, Any]:
    """Give an envelope with an example of the event; raises `NoExample` for a string of a form unknown here."""
    ids = count(1)
    schema = event.model_json_schema()
    data = {name: _example(field, name, ids) for name, field in schema["properties"].items()}
    example = event.model_validate(data)
    return {
        "specversion": "1.0",
        "id": _id(0),
        "source": f"/services/{event.publisher()}",
        "type": event.type,
        "subject": f"{event.aggregate}/{example.aggregate_id}",
        "time": WRITTEN["date-time"],
        "datacontenttype": "application/json",
        "aggregateversion": 1,
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "data": example.model_dump(mode="json"),
        "actor": _id(next(ids)),
    }


def write_missing_golden_files() -> list[Path]:
    """Write the golden file of each event that has none, and give their paths."""
    written = []
    for event in missing_golden_files():
        path = GOLDEN / f"{event.type}.json"
        path.write_text(json.dumps(first_golden(event), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written


def _example(schema: dict[str, Any], name: str, ids: "count[int]") -> Any:
    schema = next((either for either in schema.get("anyOf", ()) if either.get("type") != "null"), schema)
    kind = schema.get("type")
    if kind == "string":
        return _text(schema, name, ids)
    if kind == "array":
        return [_example(schema["items"], name, ids)]
    if kind == "object" and "patternProperties" in schema:
        (counted,) = schema["patternProperties"].values()
        return {EXAMPLES[0]: _example(counted, name, ids)}
    if kind in {"integer", "boolean"}:
        return schema.get("minimum", 0) + 1 if kind == "integer" else True
    raise NoExample(f"{name}: {schema}")


def _text(schema: dict[str, Any], name: str, ids: "count[int]") -> str:
    if schema.get("format") == "uuid":
        return _id(next(ids))
    fitting = [each for each in EXAMPLES if re.search(schema.get("pattern", ""), each)]
    if schema.get("format") not in WRITTEN and not fitting:
        raise NoExample(f"{name}: {schema}")
    return WRITTEN.get(schema.get("format", ""), fitting[0])


def _id(number: int) -> str:
    return f"01930000-0000-7000-8000-{number + 1:012}"


def documents() -> dict[Path, str]:
    """Render every generated document by its path."""
    return {
        ROOT / "docs" / "access.md": access_page(),
        ROOT / "docs" / "events.md": events_page(),
        ROOT / "docs" / "security-checks.md": checks_page(),
        ROOT / "docs" / "asyncapi.json": json.dumps(asyncapi(), indent=1, ensure_ascii=False) + "\n",
        ROOT / OPENAPI: released_openapi(),
        ROOT / "deploy" / "nats" / "users.conf": bus.users_configuration(),
    }


if __name__ == "__main__":
    for path, content in documents().items():
        path.write_text(content, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")  # noqa: T201 - a script for people
    for path in write_missing_golden_files():
        print(f"wrote {path.relative_to(ROOT)}: look at it, it must parse for ever")  # noqa: T201
