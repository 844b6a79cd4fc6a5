"""What a person gets of feedback's data, and that an erased one's words are gone for good."""

from uuid import UUID

import pytest
import pytest_asyncio

import privacy
from contracts.identity import ExportRequestedV1, PersonErasedV1
from database import Database, KeyRing, SealBroken, new_id, raw
from feedback.worker import CONSUMERS, OWN_DATA
from orgtree import ROOT_ID
from privacy import Asked, compose_all
from testkit.backups import backup, restore
from testkit.county import BRANCH, COUNTY, County, Person
from testkit.databases import TestDatabases
from testkit.delivery import tell
from webapi.sealing import SealingSettings

from .cases import WORDS, assign_roads, opened, problem

ANSWER = "已安排电工，明天修好。"


@pytest.fixture
def ring(settings: SealingSettings) -> KeyRing:
    return settings.ring


@pytest_asyncio.fixture
async def secretary(county: County) -> Person:
    await assign_roads(county.person(("registrar", ROOT_ID)))
    return county.person(("branch_secretary", COUNTY))


async def test_a_part_holds_own_cases_and_answers_and_nobody_elses_words(
    county: County, database: Database, secretary: Person, ring: KeyRing
) -> None:
    reporter, other = county.person(acr="2"), county.person(acr="2")
    case, _ = await opened(reporter), await opened(other, text="别人说的话")
    await secretary.post(f"/cases/{case['case_id']}/answers", {"text": ANSWER})
    export_id = new_id()
    await tell(database, CONSUMERS[0].handlers, ExportRequestedV1(export_id=export_id, person_id=reporter.person_id))
    path = f"/export-parts/feedback/{export_id}"
    assert (await reporter.get(path)).status_code == 202
    await privacy.Parts("feedback", OWN_DATA, ring).compose_all(database)
    assert (await reporter.get(path, only_state=True)).status_code == 204
    assert problem(await other.get(path)) == (404, "not_found")
    part = (await reporter.get(path)).json()
    async with database.read() as session:
        recorded = await (await raw(session)).fetch(
            "select actor from audit.entry where action like '%.export.fetched'"
        )
    assert [row["actor"] for row in recorded] == [reporter.person_id]
    [own] = part["data"]["cases"]
    assert own["case_id"] == case["case_id"]
    assert [(said["kind"], said["by_oneself"], said["text"]) for said in own["entries"]] == [
        ("opened", True, WORDS),
        ("answered", False, ANSWER),
    ]
    for stranger in (other.person_id, secretary.person_id, "别人说的话"):
        assert str(stranger) not in str(part)
    async with database.read() as session:
        theirs = await compose_all(OWN_DATA, Asked(session, secretary.person_id, ring))
    assert [said["text"] for said in theirs["answered_in_office"]] == [ANSWER]
    assert WORDS not in str(theirs)


async def test_what_an_erased_person_said_is_unreadable_and_still_counted(
    county: County, database: Database, secretary: Person
) -> None:
    reporter = county.person()
    case = await opened(reporter)
    for _ in range(2):
        await tell(database, CONSUMERS[0].handlers, PersonErasedV1(person_id=reporter.person_id))
    seen = (await secretary.get(f"/cases/{case['case_id']}")).json()
    assert [entry["text"] for entry in seen["entries"]] == [None]
    assert len((await secretary.get("/cases")).json()["items"]) == 1
    answered = await secretary.post(f"/cases/{case['case_id']}/answers", {"text": ANSWER})
    assert problem(answered) == (409, "reporter_erased")


async def test_nothing_in_a_case_leads_to_an_erased_person_and_who_answered_stays(
    county: County, database: Database, secretary: Person
) -> None:
    reporter = county.person()
    settled, waiting = await opened(reporter), await opened(reporter)
    await secretary.post(f"/cases/{settled['case_id']}/answers", {"text": ANSWER})
    assert (await reporter.post(f"/cases/{settled['case_id']}/confirmation", {})).status_code == 200
    await tell(database, CONSUMERS[0].handlers, PersonErasedV1(person_id=reporter.person_id))
    answers = [await secretary.get(f"/cases/{case['case_id']}") for case in (settled, waiting)]
    for answer in (*answers, await secretary.get("/cases")):
        assert answer.status_code == 200
        assert str(reporter.person_id) not in answer.text
    actors = [entry["actor_id"] for entry in answers[0].json()["entries"]]
    assert actors == [None, str(secretary.person_id), None]
    async with database.read() as session:
        kept = "select count(*) from feedback_case where reporter_id = $1"
        assert await (await raw(session)).fetchval(kept, reporter.person_id) == 0


async def test_a_restored_backup_forgets_again(
    county: County, database: Database, secretary: Person, ring: KeyRing, databases: TestDatabases
) -> None:
    """Check 25: the words of cases."""
    del secretary
    reporter = county.person()
    case = await opened(reporter)
    dump = await backup(databases, database.dsn)
    await tell(database, CONSUMERS[0].handlers, PersonErasedV1(person_id=reporter.person_id))
    address = await restore(databases, dump, database.dsn)
    restored = Database(address, application_name="restored")
    try:
        async with restored.read() as session:
            assert WORDS in str(await compose_all(OWN_DATA, Asked(session, reporter.person_id, ring)))
        await tell(restored, CONSUMERS[0].handlers, PersonErasedV1(person_id=reporter.person_id), version=2)
        async with restored.read() as session:
            assert WORDS not in str(await compose_all(OWN_DATA, Asked(session, reporter.person_id, ring)))
            key = await (await raw(session)).fetchval(
                "select data_key from feedback_case where case_id = $1", UUID(case["case_id"])
            )
        assert key is None
    finally:
        await restored.close()
        await databases.drop(address)


async def test_a_part_that_cannot_be_composed_keeps_no_other_waiting(
    county: County, database: Database, secretary: Person, ring: KeyRing
) -> None:
    del secretary
    broken, whole = county.person(acr="2"), county.person(acr="2")
    await opened(broken)
    async with database.transaction() as session:
        await (await raw(session)).execute("update feedback_case set data_key = $1", KeyRing.generate().encode())
    first, second = new_id(), new_id()
    await tell(database, CONSUMERS[0].handlers, ExportRequestedV1(export_id=first, person_id=broken.person_id))
    await tell(database, CONSUMERS[0].handlers, ExportRequestedV1(export_id=second, person_id=whole.person_id))
    async with database.read() as session:
        with pytest.raises(SealBroken):
            await compose_all(OWN_DATA, Asked(session, broken.person_id, ring))
    await privacy.Parts("feedback", OWN_DATA, ring).compose_all(database)
    assert (await whole.get(f"/export-parts/feedback/{second}")).status_code == 200
    assert (await broken.get(f"/export-parts/feedback/{first}")).status_code == 202


async def test_a_part_goes_after_a_day_and_with_its_person(county: County, database: Database, ring: KeyRing) -> None:
    person, parts = county.person(acr="2"), privacy.Parts("feedback", OWN_DATA, ring)
    old, new = new_id(), new_id()
    for export_id in (old, new):
        await tell(database, CONSUMERS[0].handlers, ExportRequestedV1(export_id=export_id, person_id=person.person_id))
    await parts.compose_all(database)
    async with database.transaction() as session:
        await (await raw(session)).execute(
            "update export_part set asked_at = asked_at - interval '25 hours' where export_id = $1", old
        )
    assert (await person.get(f"/export-parts/feedback/{old}")).status_code == 404
    await parts.compose_all(database)
    async with database.read() as session:
        assert await (await raw(session)).fetchval("select array_agg(export_id) from export_part") == [new]
    await tell(database, CONSUMERS[0].handlers, PersonErasedV1(person_id=person.person_id))
    await tell(database, CONSUMERS[0].handlers, ExportRequestedV1(export_id=new_id(), person_id=person.person_id))
    async with database.read() as session:
        assert await (await raw(session)).fetchval("select count(*) from export_part") == 0


async def test_a_branch_that_was_told_of_is_in_the_part(county: County, database: Database, ring: KeyRing) -> None:
    member = await county.member(BRANCH)
    async with database.read() as session:
        assert (await compose_all(OWN_DATA, Asked(session, member.person_id, ring)))["branch_id"] == BRANCH
