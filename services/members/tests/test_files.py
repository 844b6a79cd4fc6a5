"""Member files over HTTP: enrolled, masked, opened for a purpose, and hidden from those they are not for."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi.routing import APIRoute

import orgtree
from audit import Actor
from china_time import day_of
from contracts.identity import ExportRequestedV1
from database import Database, KeyRing, new_id, raw, utc_now
from members.enrolment.commands import enrol_member
from members.enrolment.rules import NewMember
from members.files.revision import revise_member
from members.files.routes import router
from members.files.rules.personal_fields import PersonalFields
from members.worker import HANDLERS, OWN_DATA
from privacy import Parts
from testkit.delivery import tell
from webapi.access import declared
from webapi.versions import ANYTHING

from .provinces import Province, id_number, member_row


async def openings(database: Database) -> list[tuple[Any, ...]]:
    async with database.read() as session:
        rows = await (await raw(session)).fetch(
            "select person_id, reader_id, on_behalf_of, purpose, fields from file_access order by person_id"
        )
    return [tuple(row) for row in rows]


async def test_a_member_is_enrolled_in_a_branch_and_shown_masked(province: Province) -> None:
    branch = await province.branch()
    body = member_row(branch, name="欧阳建国", phone="14212345678", away=True)
    answer = await province.registrar.post("/members", body)
    assert answer.status_code == 201
    shown = answer.json()
    assert answer.headers["location"] == f"/v1/members/{shown['person_id']}"
    officer = province.person(("officer", branch))
    listed = await officer.get("/members", params={"organisation_id": str(branch)})
    assert listed.json()["items"] == [shown]
    shown.pop("recorded_at")
    assert shown == {
        "person_id": shown["person_id"],
        "organisation_id": str(branch),
        "version": 1,
        "stage": "full",
        "away": True,
        "smartphone": True,
        "name": "欧***",
        "id_number": f"5****************{body['id_number'][-1]}",
        "phone": "142******78",
        "opened": [],
        "clear_from": None,
    }


async def test_an_unchanged_file_is_not_sent_again(province: Province) -> None:
    branch = await province.branch()
    person = await province.enrol(branch)
    answer = await province.person(person_id=person).get("/members/me")
    assert answer.headers["etag"] == '"1"'
    masked, clear = (province.person(person_id=person, acr=acr) for acr in ("1", "2"))
    for at_hand in ('"1"', 'W/"1"', '"0", W/"1"', "*"):
        answer = await masked.get(f"/members/{person}", headers={"If-None-Match": at_hand})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"'), at_hand
    for other in ('"0"', '"*"', '"0,1"'):
        assert (await masked.get(f"/members/{person}", headers={"If-None-Match": other})).status_code == 200, other
    shown = await clear.get(f"/members/{person}", headers={"If-None-Match": '"1"'})  # it may have it masked
    assert (shown.status_code, shown.headers["etag"]) == (200, '"1"')


async def test_an_officer_sees_files_of_the_own_subtree_and_nothing_beside_or_above(province: Province) -> None:
    """Check 2: files, one by one and listed."""
    county, other = await province.establish(), await province.establish()
    mine, theirs = await province.branch(county), await province.branch(other)
    people = {await province.enrol(mine) for _ in range(3)}
    stranger = await province.enrol(theirs)
    officer = province.person(("officer", county))
    listed = await officer.all("/members", organisation_id=str(county))
    assert {UUID(item["person_id"]) for item in listed} == people
    for place in (orgtree.ROOT_ID, other, theirs, new_id()):
        assert (await officer.get("/members", params={"organisation_id": str(place)})).status_code == 404
    for path in (f"/members/{stranger}", f"/members/{stranger}/versions", f"/members/{new_id()}"):
        assert (await officer.get(path, params={"purpose": "contact"})).status_code == 404
    registrar = province.person(("registrar", county))
    revision = await registrar.post(f"/members/{stranger}/revisions", {"base_version": 1, "away": True})
    assert revision.status_code == 404


async def test_a_registrar_enrols_in_branches_of_the_own_subtree_alone(province: Province) -> None:
    county, other = await province.establish(), await province.branch()
    registrar = province.person(("registrar", county))
    for branch, requirement in ((other, "unknown"), (county, "branch")):
        refused = await registrar.post("/members", member_row(branch))
        assert [row["requirement"] for row in refused.json()["rows"]] == [requirement]


async def test_a_purpose_opens_what_it_needs_and_is_kept_with_the_file(province: Province, database: Database) -> None:
    branch = await province.branch()
    body = member_row(branch)
    person = UUID((await province.registrar.post("/members", body)).json()["person_id"])
    officer = province.person(("officer", branch))
    opened = await officer.get(f"/members/{person}", params={"purpose": "contact"})
    assert (opened.json()["name"], opened.json()["phone"]) == (body["name"], body["phone"])
    assert opened.json()["id_number"].count("*") == 16
    assert opened.json()["opened"] == ["name", "phone"]
    known = {"If-None-Match": opened.headers["etag"]}
    again = await officer.get(f"/members/{person}", params={"purpose": "contact"}, headers=known)
    assert again.status_code == 200  # each reading of another's file is on record, so none is left out
    assert await openings(database) == [(person, officer.person_id, None, "contact", ["name", "phone"])] * 2


async def test_without_a_purpose_nobody_reads_anothers_file_and_a_made_up_one_opens_nothing(
    province: Province, database: Database
) -> None:
    branch = await province.branch()
    person = await province.enrol(branch)
    officer = province.person(("officer", branch))
    for path in (f"/members/{person}", f"/members/{person}/versions"):
        refused = await officer.get(path)
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/purpose_missing")
    refused = await officer.get(f"/members/{person}", params={"purpose": "curiosity"})
    assert (refused.status_code, refused.json()["rule"]) == (409, "opening_purposes")
    assert "contact" in refused.json()["detail"]
    assert await openings(database) == []


async def test_a_page_is_opened_for_names_alone_and_kept_for_each_that_was_shown(
    province: Province, database: Database
) -> None:
    branch = await province.branch()
    people = sorted([await province.enrol(branch) for _ in range(3)])
    officer = province.person(("officer", branch))
    query = {"organisation_id": str(branch), "purpose": "attendance", "limit": 2}
    page = (await officer.get("/members", params=query)).json()
    assert [item["name"] for item in page["items"]] == ["欧阳建国"] * 2
    assert all("*" in item["id_number"] for item in page["items"])
    assert [row[0] for row in await openings(database)] == people[:2]
    refused = await officer.get("/members", params={**query, "purpose": "verification"})
    assert (refused.status_code, refused.json()["requirement"]) == (409, "one_file_at_a_time")


async def test_a_person_reads_the_own_file_in_clear_and_a_helper_reads_it_masked(province: Province) -> None:
    body = member_row(await province.branch())
    person = UUID((await province.registrar.post("/members", body)).json()["person_id"])
    own = (await province.person(person_id=person, acr="2").get("/members/me")).json()
    assert own["clear_from"] is None
    assert [own[field] for field in ("name", "id_number", "phone")] == [body["name"], body["id_number"], body["phone"]]
    by_id = (await province.person(person_id=person, acr="2").get(f"/members/{person}")).json()
    assert by_id == own
    helper = province.person(person_id=person, actor=new_id(), actions=["members.read_profile"])
    helped = (await helper.get("/members/me")).json()
    assert (helped["opened"], helped["clear_from"]) == ([], None)
    assert "*" in helped["name"]
    assert (await helper.get(f"/members/{person}", params={"purpose": "file_care"})).status_code == 403


async def test_by_one_factor_the_own_file_is_masked_wherever_it_is_shown(
    province: Province, database: Database, ring: KeyRing
) -> None:
    """Check 33: each way to the own file, which are all the routes that are for oneself."""
    body = member_row(await province.branch())
    person = UUID((await province.registrar.post("/members", body)).json()["person_id"])
    fields = [str(body[field]) for field in ("name", "id_number", "phone")]
    weak, strong = (province.person(person_id=person, acr=acr) for acr in ("1", "2"))
    reads = ["/members/me", f"/members/{person}", f"/members/{person}?as_of={day_of(utc_now())}"]
    for path in (*reads, f"/members/{person}/versions"):
        shown = await weak.get(path)
        assert shown.status_code == 200, path
        assert not any(field in shown.text for field in fields), path
        if path in reads:
            assert (shown.json()["opened"], shown.json()["clear_from"]) == ([], "2"), path
            clear = (await strong.get(path)).text
            assert all(field in clear for field in fields), path
    await weak.post(f"/members/{person}/revisions", {"base_version": 1, "phone": "14200000007"})
    clash = await weak.post(f"/members/{person}/revisions", {"base_version": 1, "phone": "14200000008"})
    assert clash.json()["conflicts"] == {"phone": {"stored": "142******07", "sent": "14200000008"}}
    export_id = new_id()
    requested = ExportRequestedV1(export_id=export_id, person_id=person)
    await tell(database, HANDLERS, requested)
    await Parts("members", OWN_DATA, ring).compose_all(database)
    path = f"/export-parts/members/{export_id}"
    assert (await weak.get(path)).json()["type"] == "/problems/step_up_required"
    assert str(body["id_number"]) in (await strong.get(path)).text
    own = {route.path for route in router.routes if isinstance(route, APIRoute) and "self" in declared(route)}
    of_one = "/v1/members/{person_id}"
    assert own == {"/v1/members/me", of_one, f"{of_one}/versions", f"{of_one}/revisions"}, "ask it above, too"


async def test_who_is_no_member_has_no_file(province: Province) -> None:
    assert (await province.person().get("/members/me")).status_code == 404
    assert (await province.person().get(f"/members/{new_id()}")).status_code == 403


async def test_sending_an_enrolment_again_adds_nothing(province: Province, published: Any) -> None:
    body = member_row(await province.branch())
    answers = [await province.registrar.post("/members", body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert len(await published("affiliation")) == 1


async def test_two_enrolments_of_one_identity_number_at_once_make_one_file(
    province: Province, database: Database
) -> None:
    branches = [await province.branch() for _ in range(4)]
    number = id_number()
    bodies = [member_row(branch, id_number=number, person_id=new_id()) for branch in branches]
    answers = await asyncio.gather(*(province.registrar.post("/members", body) for body in bodies))
    assert [answer.status_code for answer in answers].count(201) == 1
    assert {answer.status_code for answer in answers} <= {201, 409, 422}
    async with database.read() as session:
        connection = await raw(session)
        assert await connection.fetchval("select count(*) from member") == 1
        assert await connection.fetchval("select sum(members) from composition") == 1
        assert await connection.fetchval("select count(*) from outbox where type like '%affiliated%'") == 1


async def test_a_file_is_told_as_it_was_on_a_day(province: Province, database: Database, ring: KeyRing) -> None:
    branch, person, now = await province.branch(), new_id(), datetime.now(UTC)
    last_year = now - timedelta(days=365)
    file = NewMember(person, False, branch, "full", False, True, PersonalFields("张三", id_number(), "14200000001"))
    by = Actor(actor=new_id(), remit=[orgtree.ROOT_ID])
    async with database.transaction() as session:
        await enrol_member(session, member=file, ring=ring, now=last_year, by=by)
    async with database.transaction() as session:
        changes, oneself = {"phone": "14200000002", "away": True}, by._replace(remit=())
        await revise_member(
            session,
            person_id=person,
            base_version=1,
            expected=ANYTHING,
            changes=changes,
            own=True,
            two_factors=True,
            ring=ring,
            now=now,
            by=oneself,
        )
    officer = province.person(("officer", branch))
    then = {"purpose": "contact", "as_of": str(day_of(now - timedelta(days=1)))}
    was = (await officer.get(f"/members/{person}", params=then)).json()
    assert (was["version"], was["phone"], was["away"]) == (1, "14200000001", False)
    now_is = (await officer.get(f"/members/{person}", params={"purpose": "contact"})).json()
    assert (now_is["version"], now_is["phone"], now_is["away"]) == (2, "14200000002", True)
    before = {"purpose": "contact", "as_of": str(day_of(last_year - timedelta(days=1)))}
    assert (await officer.get(f"/members/{person}", params=before)).status_code == 404


async def test_no_personal_field_comes_back_in_a_refusal(province: Province) -> None:
    branch = await province.branch()
    spoilt = [
        member_row(branch, id_number="522701197005170000"),
        member_row(branch, phone="4711-personal"),
        member_row(branch, stage="personal-stage", name="personal-name"),
    ]
    for body in spoilt:
        refused = await province.registrar.post("/members", body)
        assert refused.status_code == 422
        assert not any(str(body[field]) in refused.text for field in ("name", "id_number", "phone"))


async def test_staff_open_nobodys_file_by_one_factor(province: Province, database: Database) -> None:
    """Check 15: each way to a file."""
    branch = await province.branch()
    person = await province.enrol(branch)
    weak, strong = (province.person(("officer", branch), acr=acr) for acr in ("1", "2"))
    lists = f"/members?organisation_id={branch}"
    for path in (
        f"/members/{person}?purpose=contact",
        f"/members/{person}",
        f"/members/{person}/versions?purpose=contact",
        f"{lists}&purpose=attendance",
        lists,
    ):
        refused = await weak.get(path)
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/step_up_required"), path
        assert 'acr_values="2"' in refused.headers["www-authenticate"]
    assert await openings(database) == []
    assert (await strong.get(f"/members/{person}?purpose=contact")).status_code == 200
    assert (await province.person(person_id=person, acr="1").get(f"/members/{person}")).status_code == 200


async def test_a_purpose_opens_files_only_where_a_role_of_it_is_held(province: Province, database: Database) -> None:
    """Officer in one county, secretary of a branch in another: what the officer may is not for that branch."""
    here, there = await province.branch(), await province.branch()
    mine, others = await province.enrol(here), await province.enrol(there)
    both = province.person(("officer", here), ("branch_secretary", there))
    care = {"purpose": "file_care"}
    assert (await both.get(f"/members/{mine}", params=care)).status_code == 200
    for path in (f"/members/{others}", f"/members/{others}/versions"):
        assert (await both.get(path, params=care)).status_code == 404
        assert (await both.get(path, params={"purpose": "contact"})).status_code == 200
    kept = {(row[0], row[3]) for row in await openings(database)}
    assert kept == {(mine, "file_care"), (others, "contact")}
    async with database.read() as session:
        rows = await (await raw(session)).fetch(
            "select subject, actor_role, actor_organisation_id from audit.entry"
            " where actor = $1 and decision = 'allowed' and action = 'members.file.read'",
            both.person_id,
        )
    assert {tuple(row) for row in rows} == {(mine, "officer", here), (others, "branch_secretary", there)}


async def test_the_audit_names_the_office_that_covers_the_file_and_gave_the_permission(
    province: Province, database: Database
) -> None:
    county, other = await province.establish(), await province.establish()
    branch, elsewhere = await province.branch(county), await province.branch(other)
    near, far = await province.enrol(branch), await province.enrol(elsewhere)
    held = [("officer", county), ("officer", other), ("officer", branch), ("helper", elsewhere), ("registrar", branch)]
    for roles in (held, held[::-1]):
        reader = province.person(*roles)
        for person in (near, far):
            assert (await reader.get(f"/members/{person}", params={"purpose": "contact"})).status_code == 200
        async with database.read() as session:
            rows = await (await raw(session)).fetch(
                "select subject, actor_role, actor_organisation_id from audit.entry where actor = $1", reader.person_id
            )
        assert {tuple(row) for row in rows} == {(near, "officer", branch), (far, "officer", other)}
