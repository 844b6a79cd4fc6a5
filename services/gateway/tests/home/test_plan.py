"""A home is read from an index of each pair of audience and kind, as far as the page, however many items there are."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import asyncpg
import pytest_asyncio

import orgtree
from database import Database
from gateway.home import queries
from gateway.home.kinds import KINDS
from gateway.home.queries import Order

from ..events import NOW, hand_over
from .test_home import BASE, BRANCH, MEMBER

LIMIT = 21
ITEMS = 100_000
OFFICE = "feedback.case.answer"
OF = {"person": MEMBER, "members": BRANCH, OFFICE: BRANCH}
PAIRS = [(kind.whose(OF[kind.audience]), kind.name) for kind in KINDS.values() if kind.audience in OF]
"""Half of all items are in these, all of them on one home."""
READ_AT_MOST = 4 * LIMIT * len(PAIRS)
"""A page of each pair, of those of members at three places; and once more what is passed for it is over."""

_FILL = """
insert into home_item
    (key, version, audience, kind, subject_id, organisation_id, since, due_at, expires_at, open, parts, facts)
select 'item ' || n, 1,
       case n % 2 when 0 then pairs.audience else 'person:' || gen_random_uuid() end, pairs.kind,
       gen_random_uuid(), $4, $5::timestamptz - n * interval '1 second',
       case when n % 3 > 0 then $5 + n * interval '1 minute' end, case when n % 20 = 0 then $5 end, true, '{}', '{}'
from generate_series(1, $1::int) as n
join unnest($2::text[], $3::text[]) with ordinality as pairs(audience, kind, place)
  on place = 1 + n / 2 % cardinality($2)
"""


class Explained:
    """A connection that gives no rows, but keeps the plan by which a query was carried out."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.plan: dict[str, Any] = {}

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        told = await self._connection.fetchval(f"explain (analyze, format json) {query}", *arguments)
        self.plan = told[0]["Plan"]
        return []

    def reads(self) -> Iterator[tuple[str, float]]:
        """Give by which index items were read, if by any, and how many."""
        waiting = [self.plan]
        while waiting:
            node = waiting.pop()
            waiting += node.get("Plans", ())
            if node.get("Relation Name") == "home_item":
                each = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
                yield node.get("Index Name", node["Node Type"]), each * node["Actual Loops"]


@pytest_asyncio.fixture
async def filled(database: Database) -> Database:
    await hand_over(database, orgtree.HANDLERS, BASE)
    async with database.raw_transaction() as connection:
        audiences, kinds = zip(*PAIRS, strict=True)
        await connection.execute(_FILL, ITEMS, list(audiences), list(kinds), BRANCH, NOW)
        await connection.execute("analyze")
    return database


async def reads(database: Database, order: Order, after: Any, plans: str) -> Mapping[str, float]:
    """Read a home in an order, and give how many items were read by which index."""
    async with database.raw_transaction() as connection:
        await connection.execute(f"set local plan_cache_mode = {plans}")
        explained: Any = Explained(connection)
        await queries.home_of(
            explained,
            person_id=MEMBER,
            kinds=list(KINDS.values()),
            remits={OFFICE: [BRANCH]},
            now=NOW,
            order=order,
            after=after,
            limit=LIMIT,
        )
    return dict(explained.reads())


async def test_the_index_of_an_order_is_read_as_far_as_the_page(filled: Database) -> None:
    orders: tuple[tuple[Order, Any], ...] = (("since", NOW - timedelta(hours=20)), ("due", NOW + timedelta(days=40)))
    for plans in ("force_custom_plan", "force_generic_plan"):
        for order, middle in orders:
            for after in (None, (middle, "item 5")):
                read = await reads(filled, order, after, plans)
                assert read.keys() == {f"ix_home_item_{order}"}, (plans, after, read)
                assert LIMIT <= sum(read.values()) <= READ_AT_MOST, (plans, after, read)


async def test_without_its_index_far_more_would_be_read(filled: Database) -> None:
    orders: tuple[Order, ...] = ("since", "due")
    for order in orders:
        async with filled.raw_transaction() as connection:
            await connection.execute(f"drop index ix_home_item_{order}")
        read = await reads(filled, order, None, "auto")
        assert sum(read.values()) > 10 * READ_AT_MOST, read
