"""Every published event has a golden file, written once, that must parse for ever, without what was added later."""

import json
from pathlib import Path

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from contracts import EVENT_TYPES, Envelope

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.json"))


def test_every_event_has_a_golden_file_and_every_golden_file_an_event() -> None:
    assert {file.stem for file in FILES} == set(EVENT_TYPES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_golden_event_parses_with_nothing_lost(file: Path) -> None:
    written = json.loads(file.read_text(encoding="utf-8"))
    envelope = Envelope.model_validate(written)
    event = envelope.event()
    assert event.model_dump(mode="json", exclude_unset=True) == written["data"]
    assert envelope.subject == f"{event.aggregate}/{event.aggregate_id}"
    assert type(event) is EVENT_TYPES[file.stem]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_field_of_a_later_version_is_ignored(file: Path) -> None:
    written = json.loads(file.read_text(encoding="utf-8"))
    before = Envelope.model_validate(written).event()
    written["data"]["added_later"] = "x"
    written["addedlater"] = "x"
    assert Envelope.model_validate(written).event() == before


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_we_write_is_a_cloud_event_to_others(file: Path) -> None:
    envelope = Envelope.model_validate_json(file.read_text(encoding="utf-8"))
    ours = envelope.model_dump_json(exclude_none=True)
    theirs = JSONFormat().read(CloudEvent, ours)
    assert theirs.get_id() == str(envelope.id)
    assert theirs.get_type() == file.stem
    assert theirs.get_data() == envelope.data
