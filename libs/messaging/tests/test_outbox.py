"""Appending: one row per event, complete, in order, whatever the partitions."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from contracts import Envelope, Event, Origin
from database import new_id
from messaging import EventTooLarge, Publication, append
from messaging.outbox import encode
from messaging.streams import partition_of, subject_of
from testkit.envelopes import around


async def test_a_row_holds_the_whole_envelope_and_the_place_it_goes_to(stage: Any) -> None:
    organisation, actor, person = new_id(), new_id(), new_id()
    async with stage.database.transaction() as session:
        await append(session, [Publication(stage.established(organisation), 1, Origin(actor, person))])
    [row] = await stage.fetch("select * from outbox")
    envelope = Envelope.model_validate_json(row["payload"])
    assert envelope.event() == stage.established(organisation)
    assert (envelope.id, envelope.aggregateversion) == (row["event_id"], 1)
    assert (envelope.actor, envelope.onbehalfof) == (actor, person)
    assert envelope.subject == f"organisation/{organisation}"
    assert row["subject"] == f"evt.members.p{partition_of(organisation):02d}.organisation.{organisation}"
    assert (row["aggregate_id"], row["aggregate_version"], row["epoch"], row["shard"]) == (organisation, 1, 1, 0)
    assert abs(row["created_at"] - datetime.now(UTC)) < timedelta(seconds=10)


async def test_what_is_encoded_by_hand_is_what_the_contract_describes(stage: Any) -> None:
    event: Event = stage.established()
    cause = Origin(new_id(), traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    facts: dict[str, Any] = {"event_id": new_id(), "version": 3, "time": datetime.now(UTC), "cause": cause}
    assert Envelope.model_validate_json(encode(event, **facts)) == around(event, **facts)


async def test_events_of_one_command_keep_their_order(stage: Any) -> None:
    organisation = new_id()
    await stage.append(
        (stage.established(organisation), 1), (stage.renamed(organisation), 2), (stage.moved(organisation), 3)
    )
    rows = await stage.fetch("select aggregate_version from outbox order by id")
    assert [row[0] for row in rows] == [1, 2, 3]


async def test_an_event_is_gone_when_its_command_fails(stage: Any) -> None:
    with pytest.raises(RuntimeError):
        async with stage.database.transaction() as session:
            await append(session, [Publication(stage.established(), 1)])
            raise RuntimeError
    assert await stage.value("select count(*) from outbox") == 0


async def test_the_trace_of_the_command_goes_with_the_event(stage: Any) -> None:
    context = SpanContext(
        0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, is_remote=False, trace_flags=TraceFlags(1)
    )
    with trace.use_span(NonRecordingSpan(context)):
        await stage.append((stage.established(), 1))
    [row] = await stage.fetch("select traceparent, payload from outbox")
    assert row["traceparent"] == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert Envelope.model_validate_json(row["payload"]).traceparent == row["traceparent"]


async def test_events_of_several_requests_keep_each_its_own_origin(stage: Any) -> None:
    one, other = Origin(actor=new_id(), traceparent="00-a-b-00"), Origin(actor=new_id(), on_behalf_of=new_id())
    async with stage.database.raw_transaction() as connection:
        publications = [
            Publication(stage.established(), 1, one),
            Publication(stage.established(), 1, other),
            Publication(stage.established(), 1),
        ]
        await append(connection, publications, actor=(last := new_id()))
    rows = await stage.fetch("select payload, traceparent from outbox order by id")
    told = [Envelope.model_validate_json(row["payload"]) for row in rows]
    assert [envelope.actor for envelope in told] == [one.actor, other.actor, last]
    assert [envelope.onbehalfof for envelope in told] == [None, other.on_behalf_of, None]
    assert [row["traceparent"] for row in rows] == ["00-a-b-00", None, None]


async def test_an_event_that_the_broker_could_not_carry_fails_its_command(stage: Any) -> None:
    event = stage.established().model_copy(update={"name": "x" * 600_000})
    with pytest.raises(EventTooLarge):
        await stage.append((event, 1))


async def test_a_row_is_written_even_when_its_partition_is_missing(stage: Any) -> None:
    today = datetime.now(UTC).date()
    await stage.fetch(f"drop table outbox_{today:%Y%m%d}")
    await stage.append((stage.established(), 1))
    assert await stage.value("select count(*) from outbox_default") == 1


def test_an_aggregate_has_one_partition_in_every_process_and_version() -> None:
    known = UUID("00000000-0000-7000-8000-000000000001")
    assert partition_of(known) == 1
    assert {partition_of(new_id()) for _ in range(500)} == set(range(16))


def test_a_subject_names_service_partition_aggregate_and_id(stage: Any) -> None:
    event = stage.established(UUID("00000000-0000-7000-8000-000000000001"))
    assert subject_of(event) == "evt.members.p01.organisation.00000000-0000-7000-8000-000000000001"
