"""A file is revised against the version it was read at; what clashes is shown, what does not is merged."""

import asyncio
from typing import Any
from uuid import UUID

from database import Database, new_id, raw

from .provinces import Person, Province


async def revise(by: Person, person: UUID, base_version: int, **changes: Any) -> Any:
    return await by.post(f"/members/{person}/revisions", {"base_version": base_version, **changes})


async def test_a_person_changes_the_own_phone_and_every_version_is_kept(province: Province) -> None:
    branch = await province.branch()
    person = await province.enrol(branch, phone="14200000001")
    me = province.person(person_id=person, acr="2")
    assert (await revise(me, person, 1, phone="14200000002")).json() == {"person_id": str(person), "version": 2}
    assert (await revise(me, person, 2, phone=None)).json()["version"] == 3
    assert (await me.get("/members/me")).json()["phone"] is None
    versions = await me.all(f"/members/{person}/versions")
    assert [(each["version"], each["phone"]) for each in versions] == [
        (3, None),
        (2, "142******02"),
        (1, "142******01"),
    ]
    recorded_by = [UUID(each["recorded_by"]) for each in versions]
    assert recorded_by == [person, person, province.registrar.person_id]


async def test_nobody_corrects_the_own_name_or_stage(province: Province) -> None:
    person = await province.enrol(await province.branch())
    for changes in ({"name": "另一名"}, {"stage": "full"}):
        refused = await revise(province.person(person_id=person), person, 1, **changes)
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not_for_oneself")


async def test_changes_to_different_fields_are_merged(province: Province) -> None:
    person = await province.enrol(await province.branch())
    me = province.person(person_id=person, acr="2")
    await revise(me, person, 1, phone="14200000002")
    merged = await revise(province.registrar, person, 1, away=True)
    assert merged.json()["version"] == 3
    file = (await me.get("/members/me")).json()
    assert (file["phone"], file["away"]) == ("14200000002", True)


async def test_a_stale_change_is_refused_with_both_values(province: Province) -> None:
    person = await province.enrol(await province.branch(), phone="14200000001")
    me = province.person(person_id=person, acr="2")
    await revise(me, person, 1, phone="14200000002")
    mine = await revise(me, person, 1, phone="14200000003")
    assert mine.status_code == 409
    assert mine.json()["version"] == 2
    assert mine.json()["conflicts"] == {"phone": {"stored": "14200000002", "sent": "14200000003"}}
    theirs = await revise(province.registrar, person, 1, phone="14200000003")
    assert theirs.json()["conflicts"] == {"phone": {"stored": "142******02", "sent": "14200000003"}}
    assert (await me.get("/members/me")).json()["version"] == 2


async def test_with_if_match_nothing_is_merged_and_one_of_both_is_demanded(province: Province) -> None:
    person = await province.enrol(await province.branch())
    me, path = province.person(person_id=person), f"/members/{person}/revisions"
    read = await me.get("/members/me")
    first = await me.post(path, {"away": True}, headers={"If-Match": read.headers["etag"], "Idempotency-Key": "a"})
    assert (first.status_code, first.json()["version"], first.headers["etag"]) == (200, 2, '"2"')
    repeated = await me.post(path, {"away": True}, headers={"If-Match": read.headers["etag"], "Idempotency-Key": "a"})
    assert (repeated.status_code, repeated.json()["version"], repeated.headers["etag"]) == (200, 2, '"2"')
    for past in (read.headers["etag"], 'W/"2"', '"9", "1"', '""', '"*"', '"1,2"'):
        stale = await me.post(path, {"smartphone": False}, headers={"If-Match": past})
        assert (stale.status_code, stale.json()["type"], stale.json()["version"]) == (412, "/problems/version_past", 2)
        assert stale.headers["etag"] == '"2"'
    assert (await me.post(path, {"smartphone": False}, headers={"If-Match": "2"})).status_code == 422
    unsaid = await me.post(path, {"smartphone": False})
    assert (unsaid.status_code, unsaid.json()["type"]) == (428, "/problems/version_required")
    for odd in ("2", '"2', '* , "2"', '"1" "2"', '"a b"', ","):
        assert (await me.post(path, {"smartphone": False}, headers={"If-Match": odd})).status_code == 422, odd
    for present in ('"1", "2"', "*", ',"a"\t,, W/"1", "2",'):
        assert (await me.post(path, {"smartphone": False}, headers={"If-Match": present})).json()["version"] == 3


async def test_a_stranger_learns_no_version_from_if_match(province: Province) -> None:
    person = await province.enrol(await province.branch())
    stranger = province.person(("registrar", await province.branch()))
    tried = await stranger.post(f"/members/{person}/revisions", {"away": True}, headers={"If-Match": '"9"'})
    assert (tried.status_code, tried.json()["type"]) == (404, "/problems/not_found")


async def test_the_same_change_sent_twice_is_one_version(province: Province) -> None:
    person = await province.enrol(await province.branch())
    me = province.person(person_id=person, acr="2")
    answers = [await revise(me, person, 1, away=True) for _ in range(2)]
    assert [answer.json()["version"] for answer in answers] == [2, 2]


async def test_of_two_changes_at_once_one_wins_and_versions_have_no_gap(province: Province, database: Database) -> None:
    person = await province.enrol(await province.branch())
    me = province.person(person_id=person, acr="2")
    answers = await asyncio.gather(*(revise(me, person, 1, phone=f"1420000000{n}") for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    async with database.read() as session:
        versions = await (await raw(session)).fetch("select version from member_version order by version")
    assert [row["version"] for row in versions] == [1, 2]


async def test_who_waited_for_another_change_is_told_of_it(province: Province, database: Database) -> None:
    person = await province.enrol(await province.branch())
    me = province.person(person_id=person, acr="2")
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with database.transaction() as session:
        await (await raw(session)).execute("select from member where person_id = $1 for update", person)
        answers = [asyncio.create_task(revise(me, person, 1, phone=f"1420000000{n}")) for n in range(2)]
        async with asyncio.timeout(10):
            waiters = 0
            while waiters < 2:
                await asyncio.sleep(0.01)
                async with database.read() as looking:
                    waiters = await (await raw(looking)).fetchval(waiting)
    assert sorted([(await answer).status_code for answer in answers]) == [200, 409]


async def test_an_unknown_base_and_an_empty_change_are_refused(province: Province) -> None:
    person = await province.enrol(await province.branch())
    me = province.person(person_id=person, acr="2")
    unknown = await revise(me, person, 9, away=True)
    assert (unknown.status_code, unknown.json()["type"]) == (422, "/problems/base_unknown")
    assert (await revise(me, person, 1)).status_code == 422
    assert (await revise(me, person, 1, away=None)).status_code == 422
    assert (await revise(me, person, 1, organisation_id=str(new_id()))).status_code == 422


async def test_a_stage_goes_forward_one_step(province: Province) -> None:
    person = await province.enrol(await province.branch(), stage="activist")
    refused = await revise(province.registrar, person, 1, stage="full")
    assert (refused.status_code, refused.json()["rule"]) == (409, "admission_stages")
    assert (await revise(province.registrar, person, 1, stage="development_target")).status_code == 200
