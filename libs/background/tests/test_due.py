"""Due rows are done once by however many workers, in their order, and again later when that failed."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from background import Due, TryAgain
from background.due import FAILURES, OLDEST
from database import Database

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Office:
    """Sends letters, and notes which; `now` is its clock."""

    def __init__(self, database: Database) -> None:
        self.now = NOON
        self.sent: list[int] = []
        self.failing: dict[int, Exception] = {}
        self._database = database

    def due(self, *, at_once: int = 1) -> Due:
        return Due(
            "letter",
            key="letter_id",
            at="next_at",
            waiting="not sent",
            claim_for=timedelta(minutes=1),
            backoff=lambda attempts: timedelta(seconds=10 * 2**attempts),
            at_once=at_once,
            clock=lambda: self.now,
        )

    async def send(self, row: asyncpg.Record) -> None:
        if row["letter_id"] in self.failing:
            raise self.failing[row["letter_id"]]
        self.sent.append(row["letter_id"])
        async with self._database.raw_transaction() as connection:
            await connection.execute("update letter set sent = true where letter_id = $1", row["letter_id"])

    async def work(self, due: Due | None = None) -> list[int]:
        """Do what is due, and give what was sent by that."""
        before = len(self.sent)
        await (due or self.due()).work_off(self._database, self.send)
        return self.sent[before:]

    async def write(self, *letters: tuple[int, timedelta]) -> None:
        """Write letters, each due so long after noon."""
        async with self._database.raw_transaction() as connection:
            rows = [(number, NOON + after) for number, after in letters]
            await connection.executemany("insert into letter values ($1, $2, 0, false)", rows)


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


async def test_what_is_due_is_done_once_and_the_oldest_first(office: Office) -> None:
    await office.write((1, timedelta(seconds=-1)), (2, timedelta(seconds=-5)), (3, timedelta(seconds=5)))
    assert await office.work() == [2, 1]
    assert await office.work() == []
    office.now += timedelta(seconds=5)
    assert await office.work() == [3]


async def test_a_row_that_fails_waits_longer_each_time_and_keeps_no_other_waiting(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    await office.write((1, timedelta(0)), (2, timedelta(0)))
    office.failing = {1: RuntimeError("the text that nobody may read")}
    failures = FAILURES.labels("letter")._value
    before = failures.get()
    assert await office.work() == [2]
    for seconds, failed in ((19, 1), (1, 2), (39, 2)):
        office.now += timedelta(seconds=seconds)
        assert await office.work() == []
        assert failures.get() == before + failed
    office.now += timedelta(seconds=1)
    office.failing = {}
    assert await office.work() == [1]
    told = [record.__dict__ for record in caplog.records if record.msg == "due_row_failed"]
    assert [(each["table"], each["key"], each["attempts"]) for each in told] == [("letter", "1", 1), ("letter", "1", 2)]


async def test_a_row_that_cannot_even_be_put_off_ends_the_job_once_the_others_are_done(office: Office) -> None:
    refusing = """
        create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
        create trigger refuse before update on letter for each row
        when (new.letter_id = 1 and new.attempts = old.attempts) execute function refuse()
    """
    async with office._database.raw_transaction() as connection:
        await connection.execute(refusing)
    await office.write((1, timedelta(0)), (2, timedelta(0)))

    async def send(row: asyncpg.Record) -> None:
        if row["letter_id"] == 1:
            raise TryAgain
        await asyncio.sleep(0.3)
        await office.send(row)

    with pytest.raises(asyncpg.RaiseError):
        await office.due(at_once=2).work_off(office._database, send)
    assert office.sent == [2]


async def test_what_was_told_of_already_is_tried_again_without_a_word(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    await office.write((1, timedelta(0)))
    office.failing = {1: TryAgain()}
    assert await office.work() == []
    assert caplog.records == []
    office.failing, office.now = {}, NOON + timedelta(seconds=20)
    assert await office.work() == [1]


async def test_a_row_whose_worker_died_falls_due_again_after_the_claim(office: Office) -> None:
    await office.write((1, timedelta(0)))
    dying = asyncio.create_task(office.due().work_off(office._database, lambda _: asyncio.sleep(60)))
    async with asyncio.timeout(10):
        while not await _claimed(office):
            await asyncio.sleep(0.02)
    dying.cancel()
    office.now += timedelta(seconds=59)
    assert await office.work() == []
    office.now += timedelta(seconds=1)
    assert await office.work() == [1]


async def test_who_fails_after_the_claim_leaves_the_next_claim_alone(office: Office) -> None:
    await office.write((1, timedelta(0)))
    over = asyncio.Event()
    later: list[asyncio.Task[datetime | None]] = []

    async def fail_late(_: asyncpg.Record) -> None:
        office.now += timedelta(minutes=1)
        later.append(asyncio.create_task(office.due().work_off(office._database, send_at_last)))
        async with asyncio.timeout(10):
            while not await _claimed(office, times=2):
                await asyncio.sleep(0.02)
        raise TryAgain

    async def send_at_last(row: asyncpg.Record) -> None:
        await over.wait()
        await office.send(row)

    await office.due().work_off(office._database, fail_late)
    office.now += timedelta(seconds=59)
    assert await office.work() == []
    over.set()
    await asyncio.gather(*later)
    assert office.sent == [1]


async def _claimed(office: Office, *, times: int = 1) -> bool:
    async with office._database.raw_transaction() as connection:
        return bool(await connection.fetchval("select exists (select from letter where attempts >= $1)", times))


async def test_two_workers_do_each_row_once(office: Office) -> None:
    await office.write(*[(number, timedelta(0)) for number in range(40)])
    await asyncio.gather(office.work(office.due(at_once=3)), office.work(office.due(at_once=3)))
    assert sorted(office.sent) == list(range(40))


async def test_the_age_of_the_oldest_due_row_is_shown_until_nothing_is_due(office: Office) -> None:
    await office.write((1, timedelta(0)))
    office.now += timedelta(seconds=90)
    shown = []

    async def look(row: asyncpg.Record) -> None:
        shown.append(OLDEST.labels("letter")._value.get())
        await office.send(row)

    await office.due().work_off(office._database, look)
    assert (shown, OLDEST.labels("letter")._value.get()) == ([90.0], 0.0)
