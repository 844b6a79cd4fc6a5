"""The envelope carries an event whole, and refuses what is not one."""

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

import contracts
from contracts import EVENT_TYPES, Envelope, Event, Origin, feedback, handlers_of, learning, members
from contracts.audit import AuditChainState
from testkit.envelopes import around

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def affiliated() -> members.MemberAffiliatedV1:
    return members.MemberAffiliatedV1(person_id=uuid4(), organisation_id=uuid4())


def test_an_event_comes_out_of_its_envelope_as_it_went_in() -> None:
    event = affiliated()
    envelope = around(event, event_id=uuid4(), version=3, time=NOW, cause=Origin(uuid4()))
    received = Envelope.model_validate_json(envelope.model_dump_json())
    assert received == envelope
    assert received.event() == event
    assert received.source == "/services/members"
    assert received.subject == f"affiliation/{event.person_id}"


def test_an_unknown_type_is_a_key_error() -> None:
    envelope = around(affiliated(), event_id=uuid4(), version=1, time=NOW)
    with pytest.raises(KeyError, match=r"v9"):
        envelope.model_copy(update={"type": "xiangqiao.members.affiliation.affiliated.v9"}).event()


@pytest.mark.parametrize(
    ("field", "value"),
    [("aggregateversion", -1), ("source", "members"), ("time", datetime(2026, 1, 1)), ("specversion", "0.3")],  # noqa: DTZ001
)
def test_an_envelope_with_a_wrong_attribute_is_refused(field: str, value: object) -> None:
    written = around(affiliated(), event_id=uuid4(), version=1, time=NOW).model_dump()
    with pytest.raises(ValidationError):
        Envelope.model_validate(written | {field: value})


def test_a_type_that_does_not_name_its_aggregate_is_refused() -> None:
    with pytest.raises(TypeError, match="thing"):

        class ThingHappenedV1(Event):
            type: ClassVar[str] = "xiangqiao.members.other.happened.v1"
            aggregate: ClassVar[str] = "thing"


def test_a_type_is_registered_once() -> None:
    with pytest.raises(TypeError, match="taken by MemberAffiliatedV1"):

        class Again(Event):
            type: ClassVar[str] = members.MemberAffiliatedV1.type
            aggregate: ClassVar[str] = "affiliation"

            @property
            def aggregate_id(self) -> UUID:
                return uuid4()


@pytest.mark.parametrize(
    "event",
    [event for event in EVENT_TYPES.values() if not issubclass(event, AuditChainState)],
    ids=lambda event: event.__name__,
)
def test_an_event_is_identified_by_an_id_it_carries(event: type[Event]) -> None:
    assert event.model_fields[event.identified_by].annotation is UUID


def test_every_event_is_named_by_its_services_package() -> None:
    root = Path(contracts.__path__[0])
    for file in root.glob("*/*.py"):
        import_module(".".join(("contracts", *file.relative_to(root).with_suffix("").parts)))
    ours = [event for event in EVENT_TYPES.values() if event.__module__.startswith("contracts.")]
    assert len(ours) > 20
    assert [event for event in ours if not hasattr(getattr(contracts, event.publisher()), event.__name__)] == []


def test_every_published_event_ends_in_its_version() -> None:
    assert {name: event.__name__[-2:].lower() for name, event in EVENT_TYPES.items()} == {
        name: name.rsplit(".", 1)[1] for name in EVENT_TYPES
    }


def test_every_published_event_of_a_state_class_gets_its_handler() -> None:
    expected = {feedback.CaseOpenedV1, feedback.CaseAnsweredV1, feedback.CaseConfirmedV1}
    assert handlers_of(feedback.CaseState, len).items() >= dict.fromkeys(expected, len).items()
    assert all(issubclass(event, feedback.CaseState) for event in handlers_of(feedback.CaseState, len))
    assert handlers_of(learning.CoursePublishedV1, len) == {learning.CoursePublishedV1: len}


def test_a_state_class_without_a_published_event_has_no_handlers_to_give() -> None:
    class NothingHappenedYet(Event):
        aggregate: ClassVar[str] = "nothing"

    with pytest.raises(TypeError, match="NothingHappenedYet"):
        handlers_of(NothingHappenedYet, len)
