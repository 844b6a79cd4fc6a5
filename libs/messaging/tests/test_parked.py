"""What cannot be processed is put aside with its reason; its aggregate waits behind it and nobody else does."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from database import new_id, raw, utc_now
from messaging import discard, list_parked, parked, resend
from messaging.streams import subject_of
from testkit.envelopes import around


def poison(*events: tuple[Any, int]) -> Callable[[Any], Exception | None]:
    """Make a rule: these aggregates' versions fail, by their own fault."""
    bad = set(events)
    return lambda one: ValueError("wrong") if (one.event.aggregate_id, one.version) in bad else None


async def test_of_a_thousand_the_faulty_one_is_parked_and_the_others_take_effect(stage: Any) -> None:
    organisations = await stage.append_many(1000)
    stage.fails = poison((organisations[613], 1))
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(999)
    [one] = await list_parked(stage.database)
    assert (one.consumer, one.stream, one.state, one.reason) == ("reader", "EVT_MEMBERS", "parked", "handler_failed")
    assert (one.aggregate_id, one.aggregate_version) == (organisations[613], 1)
    assert one.error is not None
    assert one.error.startswith("ValueError; in handle (")
    assert await stage.value("select count(*) from inbox") == 1000


async def test_an_error_is_told_without_what_the_row_holds(stage: Any) -> None:
    organisations = await stage.append_many(2)
    stage.fails = lambda one: (
        ValueError("张三 430102199001011234") if one.event.organisation_id == organisations[0] else None
    )
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(1)
    [one] = await list_parked(stage.database)
    assert "张三" not in str(one)


async def test_later_events_of_the_aggregate_wait_and_others_do_not(stage: Any) -> None:
    bad, good = new_id(), new_id()
    stage.fails = poison((bad, 2))
    async with stage.running(stage.worker(stage.consumer())):
        await stage.append(*[(stage.renamed(one), version) for version in (1, 2, 3) for one in (bad, good)])
        await stage.until_ledger(4)
        await stage.append((stage.moved(bad), 4), (stage.moved(good), 4))
        await stage.until_ledger(5)
        await asyncio.sleep(0.2)
    assert [version for one, version in await stage.ledger() if one == bad] == [1]
    assert [version for one, version in await stage.ledger() if one == good] == [1, 2, 3, 4]
    aside = await list_parked(stage.database)
    assert [(one.aggregate_version, one.state) for one in aside] == [(2, "parked"), (3, "waiting"), (4, "waiting")]


async def test_an_event_before_the_faulty_one_of_its_aggregate_takes_effect_whatever_else_fails(stage: Any) -> None:
    spoilt, failing = new_id(), new_id()
    stage.fails = poison((failing, 1))
    await stage.append(*[(stage.renamed(one), version) for version in (1, 2, 3) for one in (spoilt, failing)])
    spoil = "update outbox set payload = 'no json' where aggregate_id = $1 and aggregate_version = $2"
    await stage.fetch(spoil, spoilt, 2)
    await stage.fetch(spoil, failing, 2)
    async with stage.running(stage.worker()):

        async def all_published() -> bool:
            return bool(await stage.count_in_stream() == 6)

        await stage.until(all_published)
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(1)
    assert await stage.ledger() == [(spoilt, 1)]
    aside = await list_parked(stage.database)
    assert [(one.state, one.reason) for one in aside if one.aggregate_id == spoilt] == [
        ("parked", "unparsable"),
        ("waiting", "behind_parked"),
    ]
    assert [one.reason for one in aside if one.aggregate_id == failing] == [
        "handler_failed",
        "unparsable",
        "behind_parked",
    ]


async def test_what_is_sent_again_goes_through_in_the_aggregates_order(stage: Any) -> None:
    bad = new_id()
    stage.fails = poison((bad, 1))
    async with stage.running(stage.worker(stage.consumer())):
        await stage.append(*[(stage.renamed(bad), version) for version in range(1, 6)])

        async def all_aside() -> bool:
            return len(await list_parked(stage.database)) == 5

        await stage.until(all_aside)
        stage.fails = lambda _: None
        [third] = [one for one in await list_parked(stage.database) if one.aggregate_version == 3]
        assert await resend(stage.database, event_id=third.event_id) == 5
        await stage.until_ledger(5)
        await stage.append((stage.renamed(bad), 6))
        await stage.until_ledger(6)
    assert [version for _, version in await stage.ledger()] == [1, 2, 3, 4, 5, 6]
    assert await list_parked(stage.database) == []


async def test_a_parked_event_is_tried_again_by_itself_and_then_left(
    stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parked, "RETRY_SECONDS", (0, 0))
    bad = new_id()
    stage.fails = poison((bad, 1))
    async with stage.running(stage.worker(stage.consumer())):
        await stage.append((stage.renamed(bad), 1))

        async def given_up() -> bool:
            rows = await list_parked(stage.database)
            return bool(rows) and rows[0].attempts == 2 and rows[0].next_at is None

        await stage.until(given_up)
        stage.fails = lambda _: None
        assert await resend(stage.database, aggregate_id=bad, consumer="reader") == 1
        await stage.until_ledger(1)


async def test_a_discarded_event_lets_its_aggregate_go_on(stage: Any) -> None:
    bad = new_id()
    stage.fails = poison((bad, 1))
    async with stage.running(stage.worker(stage.consumer())):
        await stage.append((stage.renamed(bad), 1), (stage.renamed(bad), 2))

        async def both_aside() -> bool:
            return len(await list_parked(stage.database)) == 2

        await stage.until(both_aside)
        [first, _] = await list_parked(stage.database)
        assert await discard(stage.database, first.event_id) == 1
        await stage.until_ledger(1)
        await stage.append((stage.renamed(bad), 3))
        await stage.until_ledger(2)
    assert [version for _, version in await stage.ledger()] == [2, 3]


async def test_an_event_of_unknown_type_is_kept_and_holds_nobody_up(stage: Any) -> None:
    known = around(stage.established(), event_id=new_id(), version=1, time=utc_now())
    body = known.model_dump(mode="json", exclude_none=True)
    unknown = {**body, "id": str(new_id()), "type": "xiangqiao.members.organisation.merged.v1"}
    await stage.publish_raw(orjson.dumps(unknown))
    await stage.publish_raw(orjson.dumps({**body, "aggregateversion": 2}))
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(1)
    [one] = await list_parked(stage.database)
    assert (one.state, one.reason, one.type) == ("unknown", "unknown_type", unknown["type"])


async def test_an_event_whose_type_a_new_version_knows_is_taken_up_when_that_starts(stage: Any) -> None:
    event = stage.established()
    envelope = around(event, event_id=new_id(), version=1, time=utc_now())
    async with stage.database.transaction() as session:
        connection = await raw(session)
        await connection.execute(
            "insert into parked (consumer, event_id, stream, type, aggregate_id, aggregate_version, subject, payload,"
            " reason, state) values ('reader', $1, 'EVT_MEMBERS', $2, $3, 1, $4, $5, 'unknown_type', 'unknown')",
            envelope.id,
            envelope.type,
            event.organisation_id,
            subject_of(event),
            envelope.model_dump_json(exclude_none=True).encode(),
        )
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(1)
    assert await list_parked(stage.database) == []


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (b"\xff\x00 no json", "not JSON"),
        (b"[1, 2]", "not a CloudEvent 1.0"),
        (b'{"specversion": "1.0"}', "envelope: KeyError"),
    ],
)
async def test_a_message_that_is_no_envelope_is_parked_with_its_reason(stage: Any, payload: bytes, told: str) -> None:
    event, other = stage.established(), stage.established()
    await stage.publish_raw(payload, subject=subject_of(event))
    await stage.append((stage.renamed(event.organisation_id), 2), (other, 1))
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(1)
    broken, waiting = await list_parked(stage.database)
    assert (broken.state, broken.reason, broken.aggregate_id) == ("parked", "unparsable", event.organisation_id)
    assert broken.error is not None
    assert broken.error.startswith(told)
    assert (waiting.state, waiting.aggregate_version) == ("waiting", 2)
    assert await stage.ledger() == [(other.organisation_id, 1)]


async def test_a_message_made_to_break_the_parking_is_parked_like_any_other(stage: Any) -> None:
    envelope = around(stage.established(), event_id=new_id(), version=1, time=utc_now())
    body = envelope.model_dump(mode="json", exclude_none=True)
    nasty = [
        {**body, "id": str(new_id()), "type": "xiangqiao.\0"},
        {**body, "id": str(new_id()), "aggregateversion": 2**70},
        {**body, "id": str(new_id()), "time": "0001-01-01T00:00:00+08:00"},
        {**body, "id": str(new_id()), "data": {**body["data"], "name": "\0"}},
    ]
    for one in nasty:
        await stage.publish_raw(json.dumps(one).encode())
    await stage.append((stage.established(), 1))
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(1)
    assert len(await list_parked(stage.database)) == len(nasty)


async def test_data_that_is_not_of_its_type_is_parked_and_tells_fields_alone(stage: Any) -> None:
    envelope = around(stage.established(), event_id=new_id(), version=1, time=utc_now())
    body = envelope.model_dump(mode="json", exclude_none=True)
    await stage.publish_raw(orjson.dumps({**body, "data": {**body["data"], "level": "somebody's name"}}))
    await stage.append((stage.established(), 1))
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(1)
    [one] = await list_parked(stage.database)
    assert one.reason == "unparsable"
    assert one.error is not None
    assert "level: string_pattern_mismatch" in one.error
    assert "somebody" not in one.error


async def test_parked_events_are_listed_page_by_page(stage: Any) -> None:
    organisations = await stage.append_many(5)
    stage.fails = poison(*[(one, 1) for one in organisations])
    async with stage.running(stage.worker(stage.consumer())):

        async def all_aside() -> bool:
            return len(await list_parked(stage.database)) == 5

        await stage.until(all_aside)
    first = await list_parked(stage.database, limit=3)
    rest = await list_parked(stage.database, after=first[-1].id, limit=3)
    assert [one.aggregate_id for one in first + rest] == organisations
    assert await list_parked(stage.database, consumer="nobody") == []
