"""The generated documents say what the code says."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

from contracts import EVENT_TYPES, Envelope, Event
from standalone import bus


def test_every_generated_document_is_current(generate: ModuleType) -> None:
    stale = [path.name for path, content in generate.documents().items() if path.read_text("utf-8") != content]
    assert stale == [], "run `make docs` and commit what it writes"


def test_every_permission_that_an_operation_demands_is_part_of_a_role(generate: ModuleType) -> None:
    permissions = {permission for role in generate.roles_to_define().values() for permission in role.permissions}
    for service in generate.SERVICES:
        for operation, rules, *_ in generate.access_of(service):
            missing = {rule for rule in rules if "." in rule} - permissions
            assert not missing, f"{operation} demands {missing}, which no role in roles.toml has"


def test_the_bus_knows_every_consumer_by_name() -> None:
    for service, readers in bus.READERS.items():
        consumers = importlib.import_module(f"{service}.worker").CONSUMERS
        assert sorted(consumer.name for consumer in consumers) == list(readers)


def test_no_event_lacks_a_golden_file(generate: ModuleType) -> None:
    assert generate.missing_golden_files() == []


@pytest.mark.parametrize("event", EVENT_TYPES.values(), ids=lambda event: event.__name__)
def test_the_first_golden_file_of_an_event_fills_every_field_and_parses(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, event: type[Event]
) -> None:
    monkeypatch.setattr(generate, "GOLDEN", tmp_path)
    monkeypatch.setattr(generate, "EVENT_TYPES", {event.type: event})
    [file] = generate.write_missing_golden_files()
    assert file == tmp_path / f"{event.type}.json"
    written = json.loads(file.read_text("utf-8"))
    envelope = Envelope.model_validate(written)
    assert envelope.event().model_dump(mode="json") == written["data"]
    assert envelope.subject == f"{event.aggregate}/{envelope.event().aggregate_id}"
    assert [name for name, value in written["data"].items() if value in (None, [], {})] == []
    assert generate.write_missing_golden_files() == []


def test_a_golden_file_that_is_there_is_never_written_again(generate: ModuleType) -> None:
    before = {file: file.read_bytes() for file in generate.GOLDEN.iterdir()}
    assert generate.write_missing_golden_files() == []
    assert {file: file.read_bytes() for file in generate.GOLDEN.iterdir()} == before


def test_every_reference_of_the_asyncapi_document_leads_somewhere(generate: ModuleType) -> None:
    document = generate.asyncapi()
    wanted = [line.split('"')[3] for line in json.dumps(document, indent=1).splitlines() if '"$ref"' in line]
    assert wanted
    for reference in wanted:
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
