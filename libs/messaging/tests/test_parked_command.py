"""An operator sees parked events page by page on a service's command line, re-sends them, and gives one up."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

import pytest

from messaging import ParkedCommand, list_parked
from messaging.parked_command import HEADINGS

from .test_parked import poison


def parser() -> ArgumentParser:
    made = ArgumentParser(prog="parked")
    ParkedCommand().declare(made)
    return made


async def say(stage: Any, words: str) -> list[str]:
    told: str = await ParkedCommand()(None, stage.database, parser().parse_args(words.split()))
    return told.splitlines()


async def test_parked_events_are_shown_page_by_page_sent_again_and_given_up(stage: Any) -> None:
    organisations: list[UUID] = await stage.append_many(3)
    stage.fails = poison(*[(one, 1) for one in organisations])
    assert await say(stage, "list") == ["nothing is parked"]
    async with stage.running(stage.worker(stage.consumer())):

        async def all_aside() -> bool:
            return len(await list_parked(stage.database)) == 3

        await stage.until(all_aside)
    rows = await list_parked(stage.database)
    heading, first, second, more = await say(stage, "list --limit 2")
    assert heading.split() == " ".join(HEADINGS).split()
    assert [line.split()[2] for line in (first, second)] == [str(row.event_id) for row in rows[:2]]
    assert (" handler_failed: ValueError" in first, more) == (True, f"there is more: --after {rows[1].id}")
    assert len(await say(stage, f"list --after {rows[1].id}")) == 2
    assert await say(stage, f"list --after {rows[2].id}") == ["nothing more is parked"]
    assert await say(stage, "list --consumer nobody") == ["nothing is parked"]

    assert await say(stage, f"resend --event {rows[0].event_id}") == ["1 events are tried again"]
    assert await say(stage, f"resend --aggregate {rows[1].aggregate_id}") == ["1 events are tried again"]
    assert await say(stage, f"resend --event {organisations[0]}") == ["no parked event is of that id"]
    assert await say(stage, f"discard --event {rows[0].event_id}") == ["given up"]
    assert await say(stage, f"discard --event {rows[0].event_id}") == ["no parked event is of that id"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("list --limit 201", "argument --limit: it is a number from 1 to 200"),
        ("resend", "one of the arguments --event --aggregate is required"),
        ("discard --event 7", "argument --event: invalid UUID value: '7'"),
    ],
)
def test_a_wrong_word_is_told_in_one_line(words: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(words.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(told)
