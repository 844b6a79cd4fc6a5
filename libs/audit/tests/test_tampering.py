"""Whoever rules a service's database can break its audit, and each way of doing so is named."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta

import asyncpg
import pytest
import pytest_asyncio

import audit
from audit import chaining
from audit.chain import Link, Tree, follow, genesis
from audit.reading import Heard, heard_of, service_of, verify_database
from audit.verifying import Finding, Kind
from audit.witnessing import Witness
from china_time import CHINA
from contracts.activities import ActivitiesAuditCheckpointedV1
from database import Database, KeyRing, new_id, raw, utc_now
from messaging import Received

ENTRIES = 8
COLUMNS = ", ".join(Link._fields)
Verify = Callable[[], Awaitable[list[Finding]]]


class Told(ActivitiesAuditCheckpointedV1):
    """What the service of these tests publishes; it is called tester."""

    @classmethod
    def publisher(cls) -> str:
        return "tester"


async def record(database: Database, count: int) -> None:
    async with database.transaction() as session:
        for number in range(count):
            entry = audit.Entry(action=f"x.read.{number}", actor=new_id(), subject=new_id(), purpose="contact")
            await audit.record(session, entry, now=utc_now())
    await chaining.chain(database)


async def checkpoint(database: Database, witness: Witness, number: int) -> None:
    """Tell the witness how the chain stands, as the events do."""
    async with database.transaction() as session:
        connection = await raw(session)
        day = await connection.fetchrow("select * from audit.day")
        tree = await chaining._tree(connection, day)
        event = Told(day=day["day"], count=tree.size, head=day["head"].hex(), root=tree.root().hex())
        told = Received(event, number, new_id(), utc_now(), None, None, None)
        await witness.handlers[Told](session, [told])


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.parse(KeyRing.generate())


@pytest.fixture
def witness(ring: KeyRing) -> Witness:
    made = Witness(Told)
    made.ring = ring
    return made


@pytest_asyncio.fixture
async def verify(database: Database, superuser: asyncpg.Connection, witness: Witness, ring: KeyRing) -> Verify:
    """Eight entries, witnessed after the fifth and after the last; its word is taken before the attack."""
    await record(database, 5)
    await checkpoint(database, witness, 1)
    await record(database, ENTRIES - 5)
    await checkpoint(database, witness, 2)
    heard = await heard_of(superuser, await service_of(superuser), ring)

    async def verified() -> list[Finding]:
        return (await verify_database(superuser, heard, now=utc_now())).findings

    assert await verified() == []
    return verified


ATTACKS: dict[str, tuple[tuple[str, ...], Kind, int]] = {
    "altered": (("update audit.entry set subject = uuidv7() where position = 3",), "altered", 3),
    "altered with another purpose": (("update audit.entry set purpose = 'none' where position = 6",), "altered", 6),
    "deleted": (("delete from audit.entry where position = 4",), "missing", 4),
    "deleted and numbered anew": (
        (
            "delete from audit.entry where position = 4",
            "update audit.entry set position = position + 100 where position > 4",
            "update audit.entry set position = position - 101 where position > 100",
            "update audit.day set count = count - 1",
        ),
        "missing",
        4,
    ),
    "reordered": (
        (
            "update audit.entry set position = 99 where position = 3",
            "update audit.entry set position = 3 where position = 5",
            "update audit.entry set position = 5 where position = 99",
        ),
        "reordered",
        3,
    ),
    "tail cut": (("delete from audit.entry where position > 6",), "cut", 7),
    "tail cut and the day's record with it": (
        (
            "delete from audit.entry where position > 6",
            "update audit.day set count = 6, head = (select hash from audit.entry where position = 6)",
        ),
        "cut",
        7,
    ),
    "all deleted": (("delete from audit.entry", "delete from audit.day"), "day_missing", 0),
    "day altered": (("update audit.day set head = genesis",), "day_altered", 0),
    "emptied as if old": (
        ("delete from audit.entry", "update audit.day set forgotten_at = now()"),
        "removed_too_early",
        0,
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_broken_chain_is_named_at_its_first_wrong_entry(
    verify: Verify, superuser: asyncpg.Connection, attack: str
) -> None:
    """Check 28: altered, deleted, reordered, cut."""
    statements, kind, position = ATTACKS[attack]
    await superuser.execute(";".join(statements))
    found = await verify()
    assert [(each.kind, each.position or 0) for each in found] == [(kind, position)]


async def test_an_inserted_entry_is_named(verify: Verify, superuser: asyncpg.Connection) -> None:
    """Check 28: inserted."""
    await superuser.execute("update audit.entry set position = position + 100 where position > 4")
    await superuser.execute("update audit.entry set position = position - 99 where position > 100")
    await superuser.execute(
        """
        insert into audit.entry (happened_at, action, decision, day, position, previous, hash)
        select now(), 'x.forged', 'allowed', day, 5, hash, hash from audit.entry where position = 4
        """
    )
    [forged] = await links(superuser, "where position = 5")
    await superuser.execute("update audit.entry set hash = $1 where position = 5", follow(forged.previous, forged))
    await superuser.execute("update audit.day set count = count + 1")
    [found] = await verify()
    assert (found.kind, found.position, found.entry_id) == ("inserted", 5, forged.id)


async def test_a_chain_rewritten_from_end_to_end_is_caught_by_the_witness(
    verify: Verify, superuser: asyncpg.Connection
) -> None:
    await superuser.execute("update audit.entry set subject = uuidv7() where position = 7")
    head = await rewrite(superuser, await superuser.fetchval("select genesis from audit.day"))
    await superuser.execute("update audit.day set head = $1", head)
    [found] = await verify()
    assert (found.kind, found.position) == ("rewritten", 6)  # five were witnessed before, so it is the sixth or later


async def test_a_witness_whose_word_was_changed_is_not_believed(
    verify: Verify, superuser: asyncpg.Connection, ring: KeyRing
) -> None:
    await superuser.execute("update audit.witness set count = 4 where number = 1")
    heard = await heard_of(superuser, "tester", ring)
    report = await verify_database(superuser, heard, now=utc_now())
    assert [(each.kind, each.position) for each in report.findings] == [("signature", 4)]


async def test_a_signature_of_another_key_is_not_believed(
    verify: Verify, superuser: asyncpg.Connection, ring: KeyRing
) -> None:
    heard = await heard_of(superuser, "tester", ring)
    forged = Heard(heard.witnessed, dict.fromkeys(heard.keys, bytes(32)))
    report = await verify_database(superuser, forged, now=utc_now())
    assert [each.kind for each in report.findings] == ["signature"]


async def test_a_key_that_was_put_into_the_witnesss_database_is_not_believed(
    verify: Verify, superuser: asyncpg.Connection, database: Database, ring: KeyRing
) -> None:
    """Whoever rules both databases rewrites the chain, and signs it with a key of their own; the ring they lack."""
    await superuser.execute("delete from audit.witness")
    forger = Witness(Told)
    forger.ring = KeyRing.parse(KeyRing.generate())
    await superuser.execute("delete from audit.witness_key")
    await checkpoint(database, forger, 1)
    report = await verify_database(superuser, await heard_of(superuser, "tester", ring), now=utc_now())
    assert [each.kind for each in report.findings] == ["signature"]


async def test_a_checkpoint_is_kept_for_what_is_sealed_and_for_no_more(
    verify: Verify, superuser: asyncpg.Connection, database: Database
) -> None:
    day = await superuser.fetchval("select day from audit.day")
    connection = await database.connect()
    try:
        with pytest.raises(asyncpg.NoDataFoundError):
            await connection.fetchrow("select * from audit.tell($1, $2, $3)", day, ENTRIES + 1, b"")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "insert into audit.checkpoint values ($1, 1, 2000000000, '', '', now())",
                day,
            )
        number, head = await connection.fetchrow("select * from audit.tell($1, $2, $3)", day, ENTRIES, b"root")
    finally:
        await connection.close()
    assert (number, head) == (1, await superuser.fetchval("select head from audit.day"))


async def test_two_checkpoints_of_one_number_are_both_kept_and_one_event_once(
    verify: Verify, superuser: asyncpg.Connection, database: Database, witness: Witness
) -> None:
    """As after a restore of the service, whose numbers begin anew where its dump ends."""
    await checkpoint(database, witness, 1)
    assert await superuser.fetchval("select count(*) from audit.witness where number = 1") == 2


async def test_a_day_that_is_over_and_whose_end_nobody_witnessed_is_noticed(
    database: Database, superuser: asyncpg.Connection, witness: Witness, ring: KeyRing
) -> None:
    await record(database, 3)
    await grow_old(superuser, datetime.now(UTC).date() - timedelta(days=3))
    await checkpoint(database, witness, 1)
    await record(database, 2)  # today's: not over, so nobody need have heard of it
    heard = await heard_of(superuser, "tester", ring)
    assert (await verify_database(superuser, heard, now=utc_now())).findings == []
    [found] = (await verify_database(superuser, Heard([], heard.keys), now=utc_now())).findings
    assert (found.kind, found.position) == ("unwitnessed", 1)


async def test_the_end_of_a_day_is_not_demanded_of_the_witness_at_midnight_but_minutes_later(
    database: Database, superuser: asyncpg.Connection, ring: KeyRing
) -> None:
    today = datetime.now(CHINA).date()
    await record(database, 3)
    await grow_old(superuser, today - timedelta(days=1))
    await record(database, 2)
    heard = await heard_of(superuser, "tester", ring)
    midnight = datetime.combine(today, time(), CHINA)
    report = await verify_database(superuser, heard, now=midnight + timedelta(minutes=2))
    assert report.findings == []
    report = await verify_database(superuser, heard, now=midnight + timedelta(minutes=11))
    assert [(each.day, each.kind) for each in report.findings] == [(today - timedelta(days=1), "unwitnessed")]


async def test_what_is_never_sealed_is_noticed(verify: Verify, superuser: asyncpg.Connection) -> None:
    stale = await superuser.fetchval(
        "insert into audit.entry (happened_at, recorded_at, action, decision)"
        " values (now(), now() - interval '1 hour', 'x', 'allowed') returning id"
    )
    [found] = await verify()
    assert (found.kind, found.entry_id) == ("unsealed", stale)
    assert "未封存" in str(found)


async def test_old_days_go_and_the_days_after_them_still_verify(
    database: Database, superuser: asyncpg.Connection
) -> None:
    await record(database, 3)
    await grow_old(superuser, datetime.now(UTC).date() - timedelta(days=200))
    await record(database, 2)
    report = await verify_database(superuser, None, now=utc_now())
    assert (report.days, report.entries, report.findings) == (2, 5, [])
    await chaining.forget(database, keep_days=180)
    report = await verify_database(superuser, None, now=utc_now())
    assert (report.days, report.entries, report.findings) == (2, 2, [])


async def grow_old(superuser: asyncpg.Connection, day: date) -> None:
    """Have the only day's chain be of an earlier day."""
    head = genesis("tester", day, previous_day=None, previous_head=None)
    await superuser.execute("update audit.day set day = $1, genesis = $2", day, head)
    await superuser.execute("update audit.entry set day = $1", day)
    await superuser.execute("update audit.day set head = $1", await rewrite(superuser, head))


async def rewrite(superuser: asyncpg.Connection, head: bytes) -> bytes:
    """Chain all entries anew from `head` on, and give the new last hash."""
    for link in await links(superuser):
        written = follow(head, link)
        await superuser.execute("update audit.entry set previous = $2, hash = $3 where id = $1", link.id, head, written)
        head = written
    return head


async def links(connection: asyncpg.Connection, which: str = "") -> list[Link]:
    rows = await connection.fetch(f"select {COLUMNS} from audit.entry {which} order by position")  # noqa: S608
    return [Link(*row) for row in rows]


def test_the_tree_is_that_of_the_standard() -> None:
    """The roots of the test vectors of Certificate Transparency (RFC 6962 reference implementation)."""
    leaves = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    }
    assert {size: Tree(leaves[:size]).root().hex() for size in roots} == roots
