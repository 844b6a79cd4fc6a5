"""Reading deliveries, and sorting events into waves."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import Envelope, Origin, identity, members
from database import new_id
from messaging.received import Arrival, Delivery, Reader, waves
from messaging.streams import subject_of
from testkit.envelopes import around

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def nothing(_session: Any, _received: Any) -> None:
    """Handle nothing."""


READER = Reader({members.OrganisationEstablishedV1: nothing, members.OrganisationRenamedV1: nothing})


def organisation(organisation_id: UUID | None = None, name: str = "x") -> members.OrganisationEstablishedV1:
    return members.OrganisationEstablishedV1(
        organisation_id=organisation_id or new_id(), parent_id=None, kind="branch", level="branch", name=name
    )


def delivery(envelope: Envelope, **changes: Any) -> Delivery:
    body = {**envelope.model_dump(mode="json", exclude_none=True), **changes}
    return Delivery(subject_of(envelope.event()), orjson.dumps(body), b"NATS/1.0\r\nNats-Msg-Id: 1\r\n\r\n", b"", 1)


def test_a_delivery_gives_the_event_and_the_envelopes_attributes() -> None:
    event = organisation(name="某村党支部")
    cause = Origin(new_id(), new_id(), "00-a-b-01")
    envelope = around(event, event_id=new_id(), version=4, time=NOON, cause=cause)
    received = READER.read(delivery(envelope)).received
    assert received is not None
    assert received.event == event
    assert (received.version, received.event_id, received.time) == (4, envelope.id, NOON)
    assert (received.actor, received.on_behalf_of, received.traceparent) == (
        envelope.actor,
        envelope.onbehalfof,
        "00-a-b-01",
    )


def test_the_day_is_the_events_in_utc_wherever_it_was_written() -> None:
    in_china = datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=8)))
    envelope = around(organisation(), event_id=new_id(), version=1, time=in_china)
    assert READER.read(delivery(envelope)).day == date(2026, 3, 1)


def test_a_known_event_that_nobody_here_handles_has_neither_handler_nor_fault() -> None:
    event = identity.RoleDefinedV1(role_id=new_id(), role="officer", permissions=())
    arrival = READER.read(delivery(around(event, event_id=new_id(), version=1, time=NOON)))
    assert (arrival.received, arrival.reason) == (None, None)


def test_an_unknown_field_is_ignored() -> None:
    envelope = around(organisation(), event_id=new_id(), version=1, time=NOON)
    arrival = READER.read(delivery(envelope, data={**envelope.data, "from_the_future": 1}, another="x"))
    assert arrival.received is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "not-a-uuid"},
        {"time": "yesterday"},
        {"time": "2026-03-01T12:00:00"},
        {"aggregateversion": -1},
        {"aggregateversion": "3"},
        {"aggregateversion": True},
        {"subject": "organisation"},
        {"specversion": "0.3"},
        {"actor": 5},
        {"type": 7},
        {"type": []},
        {"type": "x\0"},
        {"type": "x" * 300},
        {"traceparent": 1},
        {"subject": None},
        {"time": "0001-01-01T00:00:00+08:00"},
        {"aggregateversion": 2**40},
        {"data": None},
    ],
    ids=str,
)
def test_what_the_contract_refuses_is_unparsable(changes: dict[str, Any]) -> None:
    envelope = around(organisation(), event_id=new_id(), version=1, time=NOON)
    assert READER.read(delivery(envelope, **changes)).reason in {"unparsable", "unknown_type"}


@given(payload=st.binary(max_size=200))
def test_no_bytes_whatever_stop_the_reading(payload: bytes) -> None:
    assert READER.read(Delivery("evt.x", payload)).reason == "unparsable"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(attribute=st.sampled_from(list(Envelope.model_fields)), value=JSON)
def test_no_attribute_whatever_stops_the_reading(attribute: str, value: Any) -> None:
    envelope = around(organisation(), event_id=new_id(), version=1, time=NOON)
    body = {**envelope.model_dump(mode="json", exclude_none=True), attribute: value}
    READER.read(Delivery("evt.x", json.dumps(body).encode("utf-8", "surrogatepass")))


def test_a_message_without_an_id_keeps_the_one_it_is_given() -> None:
    broken = Delivery("evt.members.p00.organisation.x", b"?", b"NATS/1.0\r\nNats-Msg-Id: x\r\n\r\n", b"", 77)
    assert READER.read(broken).event_id == READER.read(broken).event_id
    assert READER.read(broken).event_id != READER.read(broken._replace(stream_seq=78)).event_id
    assert READER.read(broken).day == READER.read(broken).day


def test_a_broken_message_goes_by_the_id_its_publisher_gave() -> None:
    event_id = new_id()
    broken = Delivery("x", b"?", f"NATS/1.0\r\nNats-Msg-Id: {event_id}\r\n\r\n".encode(), b"", 1)
    assert READER.read(broken).event_id == event_id


def is_ignored(arrival: Arrival) -> bool:
    return (arrival.received, arrival.reason, arrival.aggregate_id) == (None, None, None)


def test_what_a_service_says_of_another_services_things_is_ignored() -> None:
    genuine = delivery(around(organisation(), event_id=new_id(), version=1, time=NOON))
    assert READER.read(genuine).received is not None
    for subject in (
        genuine.subject.replace("evt.members.", "evt.learning."),
        genuine.subject.replace(".organisation.", ".member."),
        genuine.subject[:-1] + ("0" if genuine.subject[-1] != "0" else "1"),
        genuine.subject + ".more",
        "evt.members",
    ):
        assert is_ignored(READER.read(genuine._replace(subject=subject)))


def test_an_unknown_event_of_another_service_is_ignored_and_holds_nothing_up() -> None:
    envelope = around(organisation(), event_id=new_id(), version=1, time=NOON)
    unknown = delivery(envelope, type="xiangqiao.members.organisation.invented.v1")
    assert READER.read(unknown).reason == "unknown_type"
    assert is_ignored(READER.read(unknown._replace(subject=unknown.subject.replace("members", "learning"))))


def test_what_the_broker_wrote_into_a_stream_is_ignored() -> None:
    genuine = delivery(around(organisation(), event_id=new_id(), version=1, time=NOON))
    republished = genuine.headers[:-2] + b"Nats-Stream: EVT_LEARNING\r\n\r\n"
    assert is_ignored(READER.read(genuine._replace(headers=republished)))
    assert is_ignored(READER.read(genuine._replace(headers=b"", payload=b'{"type":"io.nats.jetstream.api.v1"}')))


def test_events_of_one_type_are_one_call_in_their_order() -> None:
    arrivals = [
        READER.read(delivery(around(organisation(), event_id=new_id(), version=1, time=NOON))) for _ in range(5)
    ]
    [wave] = waves(arrivals)
    assert [one.event_id for one in wave[members.OrganisationEstablishedV1.type]] == [one.event_id for one in arrivals]


def test_a_change_of_type_within_an_aggregate_opens_a_later_wave() -> None:
    one, other = new_id(), new_id()
    rename = members.OrganisationRenamedV1.model_validate(organisation(one).model_dump())
    sequence = [organisation(one), rename, organisation(other), organisation(one)]
    arrivals = [
        READER.read(delivery(around(event, event_id=new_id(), version=number, time=NOON)))
        for number, event in enumerate(sequence, start=1)
    ]
    told = [
        {name.split(".")[-2]: [one.version for one in calls] for name, calls in wave.items()}
        for wave in waves(arrivals)
    ]
    assert told == [{"established": [1, 3]}, {"renamed": [2]}, {"established": [4]}]
