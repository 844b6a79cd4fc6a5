"""The consumer between the broker and PostgreSQL: killed, given everything again, poisoned."""

from typing import Any
from uuid import UUID

import pytest

from messaging import Received, list_parked, resend, streams
from tests.faults import broken
from tests.faults.broken import Breakage
from tests.faults.conftest import Staged, until_dead
from tests.faults.stage import READER, STREAM, Stage, effects_consumer, running


async def kill_consumer_before_acknowledgement(stage: Stage, staged: Staged, *breakages: Breakage) -> None:
    """Fault 14: kill -9 between the commit of a batch and its acknowledgement; then start again."""
    await stage.accept_many(60, versions=5)
    dying = staged(broken.consumer_dies_before_acknowledgement)
    await dying.start()
    await until_dead(dying)
    assert await stage.value("select count(*) from effect") > 0
    info = await streams.request(stage.nats, f"CONSUMER.INFO.{STREAM}.{READER}")
    assert info["ack_floor"]["stream_seq"] == 0
    await stage.accept_many(20)
    async with staged(*breakages):
        await stage.until_published()
        await stage.until_acknowledged()


async def test_a_consumer_killed_between_commit_and_acknowledgement_repeats_no_effect(
    stage: Stage, staged: Staged
) -> None:
    await kill_consumer_before_acknowledgement(stage, staged)
    assert await stage.differences() == []


async def test_without_the_inbox_a_consumer_killed_there_repeats_effects(stage: Stage, staged: Staged) -> None:
    await kill_consumer_before_acknowledgement(stage, staged, broken.inbox_lets_all_in)
    assert any("with an effect more than once" in one for one in await stage.differences())


async def deliver_everything_again(stage: Stage) -> None:
    """Fault 15: the broker forgets how far the consumer was, while commands go on."""
    async with running(stage.worker(effects_consumer())):
        aggregates = await stage.accept_many(200, versions=5)
        await stage.until_effects(1000)
        await stage.until_acknowledged()
        await streams.request(stage.nats, f"CONSUMER.DELETE.{STREAM}.{READER}")
        for version in range(6, 11):
            await stage.accept(*[(one, version) for one in aggregates])
        await stage.until_effects(2000)
        await stage.until_published()
        await stage.until_acknowledged()
        info = await streams.request(stage.nats, f"CONSUMER.INFO.{STREAM}.{READER}")
        assert info["delivered"]["consumer_seq"] >= 2000, "not everything came again"


async def test_what_is_delivered_all_over_again_has_no_second_effect(stage: Stage) -> None:
    await deliver_everything_again(stage)
    assert await stage.differences() == []


async def test_without_the_inbox_what_is_delivered_again_has_a_second_effect(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken.inbox_lets_all_in(monkeypatch.setattr)
    await deliver_everything_again(stage)
    assert any("with an effect more than once" in one for one in await stage.differences())


class Poison:
    """Four aggregates of a full batch, each spoilt in its own way at its second version; `fails` spoils the handler."""

    def __init__(self, aggregates: list[UUID]) -> None:
        self.failing, self.no_json, self.no_data, self.unknown = (
            aggregates[17],
            aggregates[63],
            aggregates[140],
            aggregates[201],
        )
        self.spoilt = {self.failing, self.no_json, self.no_data, self.unknown}
        self.acts = True

    def fails(self, received: Received[Any]) -> Exception | None:
        wrong = self.acts and received.event.aggregate_id == self.failing and received.version == 2
        return ValueError("wrong") if wrong else None

    async def spoil(self, stage: Stage) -> None:
        """Spoil what is not published yet."""
        spoil = "update outbox set payload = {} where aggregate_id = $1 and aggregate_version = 2"
        text, back = "convert_from(payload, 'UTF8')", "convert_to({}, 'UTF8')"
        await stage.fetch(spoil.format("'\\xff00'::bytea"), self.no_json)
        await stage.fetch(spoil.format(back.format(f"({text}::jsonb #- '{{data,name}}')::text")), self.no_data)
        await stage.fetch(spoil.format(back.format(f"replace({text}, '.renamed.v1', '.merged.v1')")), self.unknown)


async def poison_a_batch(stage: Stage) -> Poison:
    """Fault 16: of a thousand events in one batch, four cannot be processed, each for another reason."""
    poison = Poison(await stage.accept_many(250, versions=4))
    await poison.spoil(stage)
    async with running(stage.worker()):
        await stage.until_published()
    async with running(stage.worker(effects_consumer(fails=poison.fails))):
        await stage.until_acknowledged()
    return poison


async def test_poison_in_a_batch_of_a_thousand_is_parked_and_holds_up_its_own_aggregate_alone(stage: Stage) -> None:
    poison = await poison_a_batch(stage)
    assert await stage.differences() == []
    aside = {
        (one.aggregate_id, one.aggregate_version): (one.state, one.reason) for one in await list_parked(stage.database)
    }
    expected: dict[tuple[UUID | None, int | None], tuple[str, str]] = {
        (poison.failing, 2): ("parked", "handler_failed"),
        (poison.no_json, None): ("parked", "unparsable"),
        (poison.no_data, 2): ("parked", "unparsable"),
        (poison.unknown, 2): ("unknown", "unknown_type"),
        **{
            (one, version): ("waiting", "behind_parked")
            for one in (poison.failing, poison.no_json, poison.no_data)
            for version in (3, 4)
        },
    }
    assert aside == expected
    assert len(await stage.effects()) == 1000 - len(aside)


async def test_poison_that_lost_its_effect_is_sent_again_and_its_aggregate_goes_on_in_order(stage: Stage) -> None:
    poison = await poison_a_batch(stage)
    poison.acts = False
    assert await resend(stage.database, aggregate_id=poison.failing) == 3
    async with running(stage.worker(effects_consumer(fails=poison.fails))):
        await stage.until_effects(1000 - 10 + 3)
    assert await stage.differences() == []
    done = [fact.version for fact in await stage.effects() if fact.aggregate_id == poison.failing]
    assert done == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("breakage", "harm"),
    [
        (broken.failures_are_swallowed, "without an effect"),
        (broken.nobody_waits_behind_the_parked, "with an effect before one that is parked"),
    ],
)
async def test_poison_does_harm_when_it_is_not_put_aside_with_those_behind_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, breakage: Breakage, harm: str
) -> None:
    breakage(monkeypatch.setattr)
    await poison_a_batch(stage)
    assert any(harm in one for one in await stage.differences())
