"""What a person gets of learning's data, and that nobody is asked to visit who is erased."""

import orgtree
from contracts.identity import PersonErasedV1
from database import Database
from learning.worker import CONSUMERS, OWN_DATA
from orgtree import ROOT_ID
from privacy import Asked, compose_all
from testkit.county import BRANCH, County
from testkit.delivery import tell

from .lessons import published_course


async def test_a_part_is_ones_own_study_alone(county: County, database: Database) -> None:
    course = await published_course(county.person(("registrar", ROOT_ID)), ROOT_ID)
    lesson_id = course["lessons"][0]["lesson_id"]
    me, other = await county.member(BRANCH), await county.member(BRANCH)
    for person, progress in ((me, 40), (other, 77)):
        await person.send("PUT", f"/lessons/{lesson_id}/progress", {"progress": progress})
    async with database.read() as session:
        part = await compose_all(OWN_DATA, Asked(session, me.person_id))
    assert [(each["title"], each["progress"]) for each in part["studies"]] == [("怎样用手机缴纳医保", 40)]
    assert [each["title"] for each in part["enrolments"]] == ["数字技能入门"]
    assert part["published_in_office"] == []
    assert str(other.person_id) not in str(part)


async def test_an_erased_person_waits_for_no_help_and_the_count_follows(county: County, database: Database) -> None:
    course = await published_course(county.person(("registrar", ROOT_ID)), ROOT_ID)
    lesson_id = course["lessons"][0]["lesson_id"]
    asking = [await county.member(BRANCH) for _ in range(2)]
    for person in asking:
        await person.post(f"/lessons/{lesson_id}/understanding", {"understanding": "need_help"})
    for _ in range(2):
        await tell(database, CONSUMERS[0].handlers, PersonErasedV1(person_id=asking[0].person_id))
    await orgtree.fold(database)
    secretary = county.person(("branch_secretary", BRANCH))
    waiting = await secretary.all(f"/lessons/{lesson_id}/help-requests", organisation_id=str(BRANCH))
    assert [each["person_id"] for each in waiting] == [str(asking[1].person_id)]
    needs = await secretary.all("/help-requests", organisation_id=str(BRANCH))
    assert [each["people_here"] for each in needs] == [1]
