"""What a person gets of the activities they took part in."""

from activities.worker import CONSUMERS, OWN_DATA
from contracts.identity import PersonErasedV1
from database import Database
from privacy import Asked, compose_all
from testkit.county import BRANCH, County
from testkit.delivery import tell

from .meetings import scheduled


async def test_a_part_is_ones_own_taking_part_and_an_erasure_keeps_the_count(
    county: County, database: Database
) -> None:
    secretary = await county.member(BRANCH, ("branch_secretary", BRANCH))
    held = await scheduled(secretary)
    me, other = await county.member(BRANCH), await county.member(BRANCH)
    for person in (me, other):
        assert (await person.post(f"{held}/attendances", {"mode": "remote"})).status_code == 201
    async with database.read() as session:
        part = await compose_all(OWN_DATA, Asked(session, me.person_id))
        office = await compose_all(OWN_DATA, Asked(session, secretary.person_id))
    [taken] = part["participations"]
    assert (taken["title"], taken["mode"], part["branch_id"]) == ("三季度党员大会", "remote", BRANCH)
    assert [each["reported_by_oneself"] for each in part["attendance_reports"]] == [True]
    assert [each["scheduled"] for each in office["set_down_in_office"]] == [True]
    for stranger in (other.person_id, secretary.person_id):
        assert str(stranger) not in str(part)
    await tell(database, CONSUMERS[0].handlers, PersonErasedV1(person_id=me.person_id))
    listed = await secretary.all(f"{held}/participations")
    assert len(listed) == 2
