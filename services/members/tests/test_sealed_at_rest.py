"""What lies in the tables shows no name, identity number or phone number, and opens in its own place only."""

from uuid import UUID

import pytest

from database import Database, KeyRing, SealBroken, raw
from members.files.queries import Own, one_file
from members.files.sealing import SealedFile

from .provinces import Province, member_row


async def dump(database: Database) -> str:
    """Give every row of every table as text."""
    async with database.read() as session:
        connection = await raw(session)
        tables = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        rows = [await connection.fetch(f'select t::text from "{table["tablename"]}" t') for table in tables]  # noqa: S608
    return "\n".join(row[0] for each in rows for row in each)


def readings(text: str) -> set[str]:
    """Give the text itself and how PostgreSQL would print its bytes."""
    return {text, text.encode().hex()}


async def test_a_dump_holds_no_name_identity_number_or_phone(province: Province, database: Database) -> None:
    branch = await province.branch()
    body = member_row(branch, name="司马相如", phone="14298765432")
    answer = await province.registrar.post("/members", body, headers={"Idempotency-Key": "once"})
    person = UUID(answer.json()["person_id"])
    me = province.person(person_id=person)
    await me.post(f"/members/{person}/revisions", {"base_version": 1, "phone": "14211112222"})
    officer = province.person(("officer", branch))
    opened = await officer.get(f"/members/{person}", params={"purpose": "file_care"})
    assert opened.json()["name"] == "司马相如"
    everything = await dump(database)
    assert str(person) in everything
    for secret in ("司马相如", body["id_number"], "14298765432", "14211112222", body["id_number"][6:14]):
        assert not any(reading in everything for reading in readings(secret))


@pytest.mark.parametrize("field", ["name", "id_number", "phone"])
async def test_swapped_ciphertexts_do_not_open(
    province: Province, database: Database, ring: KeyRing, field: str
) -> None:
    branch = await province.branch()
    people = [await province.enrol(branch) for _ in range(2)]
    async with database.transaction() as session:
        await (await raw(session)).execute(
            f"update member_version a set {field} = b.{field} from member_version b where a.person_id <> b.person_id"  # noqa: S608
        )
    for person in people:
        async with database.read() as session:
            row = await one_file(session, person, reader=Own(person))
        assert row is not None
        with pytest.raises(SealBroken):
            SealedFile(ring, dict(row._mapping)).open(field)


async def test_an_older_version_put_in_place_of_the_newer_does_not_open(
    province: Province, database: Database, ring: KeyRing
) -> None:
    person = await province.enrol(await province.branch())
    me = province.person(person_id=person)
    await me.post(f"/members/{person}/revisions", {"base_version": 1, "phone": "14211112222"})
    async with database.transaction() as session:
        await (await raw(session)).execute(
            "update member_version a set phone = b.phone from member_version b where a.version = 2 and b.version = 1"
        )
    async with database.read() as session:
        row = await one_file(session, person, reader=Own(person))
    assert row is not None
    with pytest.raises(SealBroken):
        SealedFile(ring, dict(row._mapping)).open("phone")


async def test_without_its_data_key_a_file_is_unreadable(province: Province, database: Database, ring: KeyRing) -> None:
    person = await province.enrol(await province.branch())
    async with database.read() as session:
        row = await one_file(session, person, reader=Own(person))
    assert row is not None
    async with database.transaction() as session:
        await (await raw(session)).execute("update member_key set wrapped = null, destroyed_at = now()")
    async with database.read() as session:
        assert await one_file(session, person, reader=Own(person)) is None
    with pytest.raises(SealBroken):
        SealedFile(ring, {**row._mapping, "wrapped": None})
