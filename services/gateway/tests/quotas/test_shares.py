"""Several processes of the gateway grant a client's quota together, each as much of it as it is asked for."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID, uuid4

import pytest

from database import Database, new_id
from gateway.quotas import keeping
from gateway.quotas.buckets import REFRESH_SECONDS, Quotas
from gateway.quotas.keeping import kept
from gateway.quotas.shares import Shares, exchange, leave
from webapi.problems import Refusal

QUOTA = 6_000


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Process:
    """One gateway's quotas beside its name among the others."""

    def __init__(self, clock: Clock) -> None:
        self.replica_id = new_id()
        self.quotas = Quotas(QUOTA, clock=clock)
        self.quotas.replace({})

    def granted(self, asked: int) -> int:
        return sum(map(self._is_granted, range(asked)))

    def _is_granted(self, _: int) -> bool:
        try:
            self.quotas.take("app")
        except Refusal:
            return False
        return True

    async def exchange(self, database: Database) -> None:
        async with database.raw_transaction() as connection:
            self.quotas.share(await exchange(connection, self.replica_id, self.quotas.needs(REFRESH_SECONDS)))


async def granted_in(
    minutes: int,
    database: Database,
    clock: Clock,
    loads: Mapping[Process, Callable[[int], int]],
    *,
    sharing: bool = True,
) -> list[int]:
    """Let each process be asked so often in each second as `loads` say; give what all granted in each minute."""
    found = []
    for minute in range(minutes):
        total = 0
        for second in range(60 * minute, 60 * (minute + 1)):
            clock.now += 1.0
            total += sum(process.granted(load(second)) for process, load in loads.items())
            if sharing and second % REFRESH_SECONDS == 0:
                for process in loads:
                    await process.exchange(database)
        found.append(total)
    return found


async def sums(database: Database) -> dict[str, float]:
    async with database.look() as connection:
        return dict(await connection.fetch("select client_id, sum(share) from replica_demand group by client_id"))


@pytest.mark.parametrize(
    "loads",
    [(300, 20), (150, 150), (90, 0), (500, 500, 5)],
    ids=["uneven", "even", "one alone", "three"],
)
async def test_two_gateways_together_grant_one_quota(database: Database, loads: Sequence[int]) -> None:
    clock = Clock()
    asked = {Process(clock): (lambda _, load=load: load) for load in loads}
    first, *later = await granted_in(4, database, clock, asked)
    assert first <= 2 * QUOTA, "a minute's requests may be sent at once, and then at the rate"
    wanted = min(QUOTA, 60 * sum(loads))
    assert all(0.9 * wanted <= minute <= 1.1 * QUOTA for minute in later), later


async def test_without_shares_each_would_grant_all_of_it(database: Database) -> None:
    clock = Clock()
    asked: dict[Process, Callable[[int], int]] = {Process(clock): lambda _: 300, Process(clock): lambda _: 200}
    _, later = await granted_in(2, database, clock, asked, sharing=False)
    assert later > 1.9 * QUOTA


async def test_the_share_follows_where_a_client_asks(database: Database) -> None:
    clock = Clock()
    before, after = Process(clock), Process(clock)
    asked: dict[Process, Callable[[int], int]] = {
        before: lambda second: 200 if second < 120 else 0,
        after: lambda second: 0 if second < 120 else 200,
    }
    *_, last = await granted_in(4, database, clock, asked)
    assert 0.9 * QUOTA <= last <= 1.1 * QUOTA


async def test_all_shares_are_one_at_most_whatever_comes_at_once(database: Database) -> None:
    replicas = [new_id() for _ in range(8)]

    async def ask(replica: UUID, turn: int) -> None:
        async with database.raw_transaction() as connection:
            await exchange(connection, replica, {"app": (replica.int + turn * 37) % 101 / 100, "other": 0.01})

    for turn in (0, 1, 2, 3, 4, 4, 4):
        await asyncio.gather(*(ask(replica, turn) for replica in replicas))
        assert all(total <= 1.000001 for total in (await sums(database)).values())
    assert await sums(database) == pytest.approx({"": 1.0, "app": 1.0, "other": 1.0}, abs=0.01)


async def test_who_leaves_or_is_silent_gives_its_share_back(database: Database) -> None:
    async with database.raw_transaction() as connection:
        first, silent, last = new_id(), new_id(), new_id()
        await exchange(connection, first, {"app": 1.0})
        await exchange(connection, silent, {"app": 1.0})
        await connection.execute("update replica_demand set told_at = told_at - interval '61 seconds'")
        assert (await exchange(connection, last, {"app": 1.0})) == Shares({"": 1.0, "app": 1.0}, {}, 0)
        assert (await exchange(connection, first, {"app": 1.0})).own["app"] == 0.0
        await leave(connection, last)
        assert (await exchange(connection, first, {"app": 1.0})).own["app"] == 1.0


async def test_while_the_database_is_away_the_last_shares_hold(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "REFRESH_SECONDS", 0.05)
    other, quotas = new_id(), Quotas(100)
    async with database.raw_transaction() as connection:
        await exchange(connection, other, {"app": 0.6})

    def left() -> int:
        granted = 0
        with contextlib.suppress(Refusal):
            while granted < 200:
                quotas.take("app")
                granted += 1
        return granted

    async with kept(quotas, database)(None):
        quotas.take("app")
        async with asyncio.timeout(10):
            while quotas._shares.own.get("app", 1.0) > 0.5:
                await asyncio.sleep(0.02)
        async with database.raw_transaction() as connection:
            await connection.execute("alter table replica_demand rename to away")
        await asyncio.sleep(0.2)
        held = quotas._shares
        await asyncio.sleep(0.3)
        assert quotas._shares is held
        assert 1 <= left() <= 45
        async with database.raw_transaction() as connection:
            await connection.execute("alter table away rename to replica_demand")
    async with database.look() as connection:
        assert await connection.fetchval("select count(distinct replica_id) from replica_demand") == 1


def test_a_client_that_is_new_to_a_process_may_use_what_nobody_has() -> None:
    assert Shares().of("app") == 1.0
    assert Shares({}, {"app": 0.8}, 1).of("app") == pytest.approx(0.2)
    assert Shares({}, {}, 3).of("app") == 0.25
    assert Shares({}, {"app": 1.0}, 1).of("app") == 0.1, "the others hear of this process in seconds"
    assert Shares({"app": 0.0}, {"app": 1.0}, 1).of("app") == 0.02


async def test_clients_that_ask_no_more_are_forgotten() -> None:
    clock = Clock()
    quotas = Quotas(QUOTA, clock=clock)
    quotas.replace({})
    for name in range(1000):
        quotas.take(str(uuid4()), new_id()) if name % 2 else quotas.take(f"app-{name}")
    assert len(quotas.needs(3.0)) == 1000
    for _ in range(40):
        clock.now += 3.0
        quotas.needs(3.0)
    assert quotas.needs(3.0) == {}
