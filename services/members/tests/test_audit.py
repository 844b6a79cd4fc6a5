"""Who reads a file stands on record, with purpose and office, and its person sees it."""

from typing import Any

import orgtree
from database import Database, new_id, raw

from .provinces import Province

COLUMNS = ("action", "decision", "rule", "purpose", "actor", "actor_role", "subject")


async def recorded(database: Database, *actions: str) -> list[tuple[Any, ...]]:
    async with database.read() as session:
        rows = await (await raw(session)).fetch("select * from audit.entry order by id")
    return [tuple(row[name] for name in COLUMNS) for row in rows if row["action"] in actions]


async def test_each_reading_of_a_file_stands_on_record_and_its_person_sees_it(
    province: Province, database: Database
) -> None:
    branch = await province.branch()
    person = await province.enrol(branch)
    officer = province.person(("officer", branch))
    assert (await officer.get(f"/members/{person}", params={"purpose": "contact"})).status_code == 200
    assert (await officer.get(f"/members/{person}/versions", params={"purpose": "file_care"})).status_code == 200
    assert await recorded(database, "members.file.read", "members.file.history_read") == [
        ("members.file.read", "allowed", None, "contact", officer.person_id, "officer", person),
        ("members.file.history_read", "allowed", None, "file_care", officer.person_id, "officer", person),
    ]
    seen = await province.person(person_id=person).all("/me/access-log/members")
    assert [(each["action"], each["purpose"]) for each in seen] == [
        ("members.file.history_read", "file_care"),
        ("members.file.read", "contact"),
        ("members.file.enrolled", None),
    ]
    assert {key: seen[0][key] for key in ("actor_role", "actor_organisation_id", "actor_organisation", "service")} == {
        "actor_role": "officer",
        "actor_organisation_id": str(branch),
        "actor_organisation": "红旗村党支部",
        "service": "members",
    }
    assert (await province.person().all("/me/access-log/members")) == []


async def test_a_purpose_that_belongs_to_another_role_opens_nothing(province: Province, database: Database) -> None:
    branch = await province.branch()
    person = await province.enrol(branch)
    secretary = province.person(("branch_secretary", branch))
    answer = await secretary.get(f"/members/{person}", params={"purpose": "file_care"})
    assert (answer.status_code, answer.json()["requirement"]) == (409, "purpose_of_the_role")
    assert (await secretary.get(f"/members/{person}", params={"purpose": "contact"})).status_code == 200
    read = [(row[1], row[2], row[3]) for row in await recorded(database, "members.file.read")]
    assert read == [("refused", "opening_purposes", "file_care"), ("allowed", None, "contact")]


async def test_refused_attempts_on_a_file_stand_on_record(province: Province, database: Database) -> None:
    person = await province.enrol(await province.branch())
    stranger, officer = province.person(), province.person(("officer", await province.branch()))
    query = {"purpose": "contact"}
    assert (await stranger.get(f"/members/{person}", params=query)).status_code == 403
    assert (await officer.get(f"/members/{person}", params=query)).status_code == 404
    assert await recorded(database, "members.file.read") == [
        ("members.file.read", "refused", "outside_scope", "contact", officer.person_id, None, person)
    ]
    assert await counted(database) == [(stranger.person_id, "members.file.read", 1)]


async def counted(database: Database) -> list[tuple[Any, ...]]:
    async with database.read() as session:
        return [
            tuple(row) for row in await (await raw(session)).fetch("select actor, action, times from audit.refusal")
        ]


async def test_nobody_writes_into_a_members_access_log(province: Province, database: Database) -> None:
    """Check 37: whoever lacks the permission stands in no log, and of who has it a made up purpose leaves one code."""
    branch = await province.branch()
    person, stranger, officer = await province.enrol(branch), province.person(), province.person(("officer", branch))
    paths = {f"/members/{person}": 409, f"/members/{person}/versions": 409, "/members": 409}
    for path, status in paths.items():
        query = {"purpose": "he.owes.me.money", **({"organisation_id": str(branch)} if path == "/members" else {})}
        assert (await stranger.get(path, params=query)).status_code == 403
        assert (await stranger.get(path, params=query)).status_code == 403
        assert (await officer.get(path, params=query)).status_code == status
    seen = await province.person(person_id=person).all("/me/access-log/members")
    assert [(each["action"], each["decision"], each["purpose"], each["actor"]) for each in seen] == [
        ("members.file.history_read", "refused", "unknown", str(officer.person_id)),
        ("members.file.read", "refused", "unknown", str(officer.person_id)),
        ("members.file.enrolled", "allowed", None, str(province.registrar.person_id)),
    ]
    async with database.read() as session:
        everything = str(await (await raw(session)).fetch("select * from audit.entry"))
    assert "money" not in everything
    assert sorted(await counted(database), key=str) == sorted(
        ((stranger.person_id, f"members.file.{done}", 2) for done in ("read", "history_read", "listed")), key=str
    )


async def test_a_person_sees_what_a_helper_read_in_an_assisted_session(province: Province) -> None:
    person, helper = await province.enrol(await province.branch()), new_id()
    assisted = province.person(person_id=person, actor=helper, actions=["members.read_profile"])
    assert (await assisted.get("/members/me")).status_code == 200
    seen = await province.person(person_id=person).all("/me/access-log/members")
    latest, call, _ = seen
    assert (latest["action"], latest["actor"]) == ("members.file.read", str(helper))
    assert call["action"] == "members.assisted.get_own_file"
    assert latest["assist_id"] == call["assist_id"] is not None


async def test_a_list_and_every_file_opened_on_it_stand_on_record(province: Province, database: Database) -> None:
    branch = await province.branch()
    people = sorted([await province.enrol(branch) for _ in range(2)])
    officer = province.person(("officer", branch))
    query = {"organisation_id": str(branch)}
    await officer.get("/members", params=query)
    await officer.get("/members", params={**query, "purpose": "attendance"})
    found = await recorded(database, "members.file.listed", "members.file.read")
    assert [(action, purpose, subject) for action, _, _, purpose, _, _, subject in found] == [
        ("members.file.listed", None, None),
        ("members.file.listed", "attendance", None),
        *[("members.file.read", "attendance", person) for person in people],
    ]


async def test_the_audit_is_read_by_its_administrator_alone_and_that_is_recorded(
    province: Province, database: Database
) -> None:
    branch = await province.branch()
    person = await province.enrol(branch)
    administrator = province.person(("audit_administrator", orgtree.ROOT_ID))
    found = await administrator.all("/audit/members/entries", subject=str(person))
    assert [each["action"] for each in found][-1] == "members.file.enrolled"
    assert [row[0] for row in await recorded(database, "members.audit.read")] == ["members.audit.read"]
    for other in (province.registrar, province.person(("audit_administrator", branch))):
        assert (await other.get("/audit/members/entries")).status_code == 403


async def test_a_refused_change_of_a_file_stands_on_record(province: Province, database: Database) -> None:
    person = await province.enrol(await province.branch())
    registrar, stranger = province.person(("registrar", await province.branch())), province.person()
    own = province.person(person_id=person)
    for who, change in ((registrar, {"away": True}), (stranger, {"away": True}), (own, {"name": "改名"})):
        answer = await who.post(f"/members/{person}/revisions", {"base_version": 1, **change})
        assert answer.status_code in {403, 404}
    assert [row[1:3] for row in await recorded(database, "members.file.revised")] == [
        ("refused", "outside_scope"),
        ("refused", "own_changes"),
    ]
    assert await counted(database) == [(stranger.person_id, "members.file.revised", 1)]


async def test_of_several_offices_the_one_that_allows_the_reading_stands_on_record(
    province: Province, database: Database
) -> None:
    county = await province.establish()
    here, beside = await province.branch(county), await province.branch()
    person, other = await province.enrol(here), await province.enrol(beside)
    offices = ("branch_secretary", here), ("officer", beside), ("branch_secretary", county), ("officer", county)
    reader = province.person(*offices)
    for branch in (here, beside):
        query = {"organisation_id": str(branch), "purpose": "attendance"}
        assert (await reader.get("/members", params=query)).status_code == 200
    for each, purpose in ((person, "contact"), (person, "file_care"), (other, "contact")):
        assert (await reader.get(f"/members/{each}", params={"purpose": purpose})).status_code == 200
        assert (await reader.get(f"/members/{each}/versions", params={"purpose": purpose})).status_code == 200
    async with database.read() as session:
        rows = await (await raw(session)).fetch(
            "select * from audit.entry where actor = $1 order by id", reader.person_id
        )
    kept = [(row["action"], row["purpose"], row["actor_role"], row["actor_organisation_id"]) for row in rows]
    nearest, theirs, carer = ("branch_secretary", here), ("officer", beside), ("officer", county)
    assert kept == [
        ("members.file.listed", "attendance", *nearest),
        ("members.file.read", "attendance", *nearest),
        ("members.file.listed", "attendance", *theirs),
        ("members.file.read", "attendance", *theirs),
        ("members.file.read", "contact", *nearest),
        ("members.file.history_read", "contact", *nearest),
        ("members.file.read", "file_care", *carer),
        ("members.file.history_read", "file_care", *carer),
        ("members.file.read", "contact", *theirs),
        ("members.file.history_read", "contact", *theirs),
    ]
