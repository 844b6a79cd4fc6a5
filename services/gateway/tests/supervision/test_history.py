"""Changes of states are kept once, whichever gateway tells them, and a gateway that starts goes on with them."""

from datetime import UTC, datetime, timedelta

from database import Database
from gateway.supervision import history
from gateway.supervision.states import Change, State

NOW = datetime(2026, 12, 1, tzinfo=UTC)
WORKER, API = ("feedback", "worker", "a" * 12), ("feedback", "api", "a" * 12)


def change(key: tuple[str, str, str], state: State | None, seconds: int) -> Change:
    return Change(key, state, NOW + timedelta(seconds=seconds))


async def told(database: Database) -> list[tuple[str, str]]:
    async with database.look() as connection:
        rows = await connection.fetch("select role, state from state_change order by changed_at, id")
    return [(row["role"], row["state"]) for row in rows]


async def test_a_change_that_two_gateways_tell_is_kept_once(database: Database) -> None:
    first = [change(WORKER, "up", 0), change(API, "up", 0)]
    for _ in range(2):
        await history.keep(database, first)
    await history.keep(database, [change(WORKER, "away", 10)])
    await history.keep(database, [change(WORKER, "away", 11)])
    await history.keep(database, [change(WORKER, "up", 5)])  # late
    assert await told(database) == [("worker", "up"), ("api", "up"), ("worker", "away")]
    recalled = await history.recall(database, NOW + timedelta(minutes=1))
    assert {(each.key, each.state, each.since) for each in recalled} == {
        (API, "up", NOW),
        (WORKER, "away", NOW + timedelta(seconds=10)),
    }


async def test_who_left_is_no_more_remembered(database: Database) -> None:
    await history.keep(database, [change(WORKER, "up", 0), change(WORKER, "slow", 1)])
    for _ in range(2):
        await history.keep(database, [change(WORKER, None, 2)])
    assert await history.recall(database, NOW) == []
    assert await told(database) == [("worker", "up"), ("worker", "slow"), ("worker", "gone")]


async def test_old_changes_are_forgotten(database: Database) -> None:
    async with database.raw_transaction() as connection:
        await connection.execute(
            "insert into state_change (service, role, instance, state, changed_at)"
            " select 'feedback', 'api', 'a', 'up', now() - age from unnest($1::interval[]) as age",
            [timedelta(days=89), timedelta(days=91)],
        )
    await history.forget_old(database)
    assert len(await told(database)) == 1
