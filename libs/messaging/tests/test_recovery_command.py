"""An operator sees what a restore forgot on a service's command line, withdraws one thing, and accepts the rest."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

import pytest

from database import new_id, utc_now
from messaging import RecoveryCommand, Told
from messaging.outbox import encode

from .test_recovery import told_of


def parser(*told: Told) -> ArgumentParser:
    made = ArgumentParser(prog="recovery")
    RecoveryCommand(told).declare(made)
    return made


async def say(stage: Any, words: str) -> list[str]:
    told = told_of(stage)
    said: str = await RecoveryCommand([told])(None, stage.database, parser(told).parse_args(words.split()))
    return said.splitlines()


async def lose(stage: Any, organisation: UUID, number: int) -> None:
    event = stage.established(organisation, "lost")
    await stage.fetch(
        "insert into lost_event (event_id, stream_seq, type, aggregate, aggregate_id, aggregate_version, occurred_at,"
        " payload) values ($1, $2, $3, 'organisation', $4, 1, now(), $5)",
        *(new_id(), number, event.type, organisation),
        encode(event, event_id=new_id(), version=1, time=utc_now()),
    )


async def test_what_was_lost_is_counted_withdrawn_and_accepted(stage: Any) -> None:
    await stage.fetch("create table owned (organisation_id uuid primary key, name text, version bigint)")
    gone, kept = new_id(), new_id()
    assert await say(stage, "status") == ["no recovery is under way"]
    for number, one in enumerate((gone, kept)):
        await lose(stage, one, number)
    await stage.fetch("insert into owned values ($1, 'as it was', 1)", kept)
    await stage.fetch("insert into outbox_recovery (stream, until_seq) values ('EVT_MEMBERS', 2)")
    since, count = await say(stage, "status")
    assert (since.startswith("EVT_MEMBERS: since 20"), count) == (True, "organisation found: 2")

    none_such = ["nothing that was lost and is not settled is of that id"]
    assert await say(stage, f"withdraw --aggregate {new_id()}") == none_such
    assert await say(stage, f"withdraw --aggregate {kept}") == none_such, "the service has it"
    assert await say(stage, f"withdraw --aggregate {gone}") == ["withdrawn"]
    assert await say(stage, f"withdraw --aggregate {gone}") == none_such
    published = await stage.fetch("select type, aggregate_id, aggregate_version from outbox")
    assert [tuple(row) for row in published] == [("xiangqiao.members.organisation.withdrawn.v1", gone, 0)]

    assert await say(stage, "accept") == ["1 events are left as they are"]
    ended = ["no recovery is under way", "organisation accepted: 1", "organisation withdrawn: 1"]
    assert await say(stage, "status") == ended


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("withdraw", "the following arguments are required: --aggregate"),
        ("withdraw --aggregate 7", "argument --aggregate: invalid UUID value: '7'"),
        ("forget", "invalid choice: 'forget'"),
    ],
)
def test_a_wrong_word_is_told_in_one_line(words: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(words.split())
    assert (ended.value.code, told in capsys.readouterr().err) == (2, True)
