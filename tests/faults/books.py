"""The oracle's questions to a town: ledger, feedback's database, the stream, and each projection of the gateway."""

import asyncio
import time
from typing import Any

import asyncpg
import orjson
from nats.errors import Error as NatsError

import orgtree
from database import Database
from messaging import NatsConnection
from tests.faults import oracle, tree
from tests.faults.ledger import Ledger
from tests.faults.oracle import Fact, told, unlike
from tests.faults.stage import outbox_of, stream_of
from tests.faults.town import Addresses

STREAM = "EVT_FEEDBACK"
CONSUMERS = ("gateway-changes", "gateway-home", "gateway-overview")


async def of_feedback(ledger: Ledger, url: str) -> tuple[list[str], list[Fact]]:
    """Compare feedback's database with the ledger; gives the differences, and the outbox."""
    connection = await asyncpg.connect(url)
    cases = await connection.fetch("select case_id, reporter_id, organisation_id, status, version from feedback_case")
    entries = await connection.fetch("select case_id, version, kind from case_entry")
    parked = await connection.fetchval("select count(*) from parked")
    outbox = await outbox_of(connection)
    known = ledger.cases.values()
    found = [
        *told("refused for good", ledger.refused),
        *unlike(
            "cases",
            [(one.case_id, one.reporter_id, one.organisation_id, one.status, len(one.done)) for one in known],
            [tuple(row) for row in cases],
        ),
        *unlike(
            "entries",
            [(one.case_id, version, kind) for one in known for version, kind in enumerate(one.done, start=1)],
            [tuple(row) for row in entries],
        ),
        *told("parked in feedback", range(parked)),
        *oracle.unlike_ledger(ledger.steps(), outbox),
        *oracle.gaps(outbox),
    ]
    return found, outbox


async def of_gateway(ledger: Ledger, url: str, outbox: list[Fact]) -> list[str]:
    """Compare each projection of the gateway with the ledger, and what its consumers received with the outbox."""
    connection = await asyncpg.connect(url)
    try:
        contributions = await connection.fetch(
            "select aggregate_id, version, organisation_id, measures::text from contribution"
        )
        items = await connection.fetch("select key, version, open, audience from home_item")
        rollups = await connection.fetch("select organisation_id, measure, value from rollup where value <> 0")
        received = await connection.fetch("select consumer, event_id from inbox")
        parked = await connection.fetchval("select count(*) from parked")
        unfolded = await connection.fetchval("select count(*) from rollup_delta")
    finally:
        await connection.close()
    known = ledger.cases.values()
    totals = tree.totals((one.organisation_id, one.status) for one in known)
    return [
        *unlike(
            "contributions",
            [
                (
                    one.case_id,
                    len(one.done),
                    one.organisation_id,
                    _sorted({"cases.received": 1, f"cases.now.{one.status}": 1}),
                )
                for one in known
            ],
            [(*row[:3], _sorted(orjson.loads(row[3]))) for row in contributions],
        ),
        *unlike("home items", [item for one in known for item in _items(one)], [tuple(row) for row in items]),
        *unlike("totals", [(*key, value) for key, value in totals.items()], [tuple(row) for row in rollups]),
        *unlike(
            "received events",
            [(consumer, fact.event_id) for consumer in CONSUMERS for fact in outbox],
            [tuple(row) for row in received],
        ),
        *told("parked in the gateway", range(parked)),
        *told("deltas not folded", range(unfolded)),
        *told("totals unlike a recount", await recount(url)),
    ]


async def recount(url: str) -> list[orgtree.Difference]:
    """Count the kept totals anew."""
    database = Database(url, application_name="recount")
    async with database.read() as session:
        found = await orgtree.recount(session)
    await database.close()
    return found


async def differences(ledger: Ledger, addresses: Addresses, nats: NatsConnection) -> list[str]:
    """Ask everything."""
    found, outbox = await of_feedback(ledger, addresses.feedback)
    stream = await stream_of(nats, STREAM)
    return [*found, *oracle.unlike_outbox(outbox, stream), *await of_gateway(ledger, addresses.gateway, outbox)]


async def settled(ledger: Ledger, addresses: Addresses, nats: NatsConnection, *, seconds: float = 120) -> list[str]:
    """Ask until nothing differs any more, or for so many seconds; gives what still differs then."""
    deadline = time.monotonic() + seconds
    while (found := await _asked(ledger, addresses, nats)) and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
    return found


async def _asked(ledger: Ledger, addresses: Addresses, nats: NatsConnection) -> list[str]:
    """Ask everything; a broker that our own connection has not found again yet is a difference like any other."""
    try:
        return await differences(ledger, addresses, nats)
    except NatsError as error:
        return [f"the broker does not answer: {type(error).__name__}"]


def _sorted(measures: dict[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(measures.items()))


def _items(one: Any) -> list[tuple[str, int, bool, str]]:
    """Give the two items a case has on somebody's home: for who must answer, and for who brought it."""
    version = len(one.done)
    return [
        (f"case.answer:{one.case_id}", version, version == 1, f"staff:feedback.case.answer:{tree.TOWNSHIP}"),
        (f"case.confirm:{one.case_id}", version, version < 3, f"person:{one.reporter_id}"),
    ]
