"""What a person gets of their member file, and that an erased one's is unreadable for good."""

from contracts.identity import PersonErasedV1
from database import Database, KeyRing, raw
from members.worker import HANDLERS, OWN_DATA
from privacy import Asked, compose_all
from testkit.backups import backup, restore
from testkit.databases import TestDatabases
from testkit.delivery import tell

from .provinces import Province, member_row
from .test_sealed_at_rest import dump


async def test_a_part_is_the_own_file_in_clear_and_nobody_elses(
    province: Province, database: Database, ring: KeyRing
) -> None:
    branch = await province.branch()
    body = member_row(branch, name="诸葛明亮")
    person_id = await province.enrol(branch, name=body["name"], id_number=body["id_number"])
    await province.enrol(branch, name="司马仲达")
    me = province.person(person_id=person_id)
    await me.post(f"/members/{person_id}/revisions", {"base_version": 1, "phone": "14200001111"})
    officer = province.person(("officer", branch), acr="2")
    opened = await officer.get(f"/members/{person_id}", params={"purpose": "contact"})
    assert opened.status_code == 200, opened.text
    async with database.read() as session:
        part = await compose_all(OWN_DATA, Asked(session, person_id, ring))
    assert [(each["version"], each["name"], each["phone"]) for each in part["file"]] == [
        (1, "诸葛明亮", "14212345678"),
        (2, "诸葛明亮", "14200001111"),
    ]
    assert {each["id_number"] for each in part["file"]} == {body["id_number"]}
    assert [each["purpose"] for each in part["file_openings"]] == ["contact"]
    for stranger in ("司马仲达", str(officer.person_id)):
        assert stranger not in str(part)


async def test_an_erased_file_is_gone_for_everybody_and_its_branch_counts_on(
    province: Province, database: Database, ring: KeyRing
) -> None:
    branch = await province.branch()
    body = member_row(branch)
    person_id = await province.enrol(branch, id_number=body["id_number"])
    other = await province.enrol(branch)
    for _ in range(2):
        await tell(database, HANDLERS, PersonErasedV1(person_id=person_id))
    officer = province.person(("officer", branch), acr="2")
    purpose = {"purpose": "contact"}
    for path in (f"/members/{person_id}", f"/members/{person_id}/versions"):
        assert (await officer.get(path, params=purpose)).status_code == 404
    listed = await officer.all("/members", organisation_id=str(branch))
    assert [each["person_id"] for each in listed] == [str(other)]
    me = province.person(person_id=person_id)
    assert (await me.get("/members/me")).status_code == 404
    refused = await me.post(f"/members/{person_id}/revisions", {"base_version": 1, "away": True})
    assert refused.status_code == 404
    async with database.read() as session:
        row = await (await raw(session)).fetchrow(
            "select id_number_index, phone_index, extract(month from birth_month)::int as month, wrapped "
            "from member join member_key using (person_id) where person_id = $1",
            person_id,
        )
        counted = await (await raw(session)).fetchval(
            "select members from composition where organisation_id = $1", branch
        )
        assert (await compose_all(OWN_DATA, Asked(session, person_id, ring)))["file"] == []
    assert tuple(row) == (None, None, 1, None)
    assert counted == 2
    again = member_row(branch, id_number=body["id_number"])
    assert (await province.registrar.post("/members", again)).status_code == 201  # the number is free
    spent = member_row(branch, person_id=person_id)
    assert (await province.registrar.post("/members", spent)).status_code == 422  # the id is not


async def test_a_restored_backup_forgets_again(
    province: Province, database: Database, ring: KeyRing, databases: TestDatabases
) -> None:
    branch = await province.branch()
    person_id = await province.enrol(branch, name="欧阳修远")
    taken = await backup(databases, database.dsn)
    await tell(database, HANDLERS, PersonErasedV1(person_id=person_id))
    address = await restore(databases, taken, database.dsn)
    restored = Database(address, application_name="restored")
    try:
        async with restored.read() as session:
            assert (await compose_all(OWN_DATA, Asked(session, person_id, ring)))["file"][0]["name"] == "欧阳修远"
        await tell(restored, HANDLERS, PersonErasedV1(person_id=person_id), version=2)
        async with restored.read() as session:
            assert (await compose_all(OWN_DATA, Asked(session, person_id, ring)))["file"] == []
            wrapped = await (await raw(session)).fetch("select wrapped from member_key where wrapped is not null")
        assert wrapped == []
        assert "欧阳修远" not in await dump(restored)
    finally:
        await restored.close()
        await databases.drop(address)
