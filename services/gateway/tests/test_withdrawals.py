"""What its owner lost and withdrew is on no home, in no figure and seen by nobody, until it is brought again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import orgtree
from contracts import EVENT_TYPES, Event, activities, feedback, identity, learning, members
from database import Database, raw
from gateway.contributions.event_handlers import FACTS
from gateway.home.composing import item_of
from gateway.worker import CONSUMERS
from messaging.versions import ordered

from .changes.test_log import part
from .events import NOW, Numbered, composed, golden, hand_over
from .home.test_home import (
    ACTIVITY,
    BASE,
    BRANCH,
    CASE,
    COURSE,
    MEMBER,
    VILLAGER,
    activity,
    case,
    course,
    study,
)

STUDY, PART, LIST = UUID(int=41), UUID(int=51), UUID(int=61)
GIVEN, QUOTA = golden(identity.AccountListGivenV1), golden(identity.ClientQuotaSetV1)
HISTORY: list[Numbered] = [
    (activity(), 1),
    (part(attended=True), 2),
    (course(), 1),
    (study(completed=False, understood=False, asked_organisation_id=BRANCH), 3),
    (case("open"), 1),
    (GIVEN, 1),
    (QUOTA, 4),
]
WITHDRAWN: list[Event] = [
    activities.ActivityWithdrawnV1(activity_id=ACTIVITY),
    activities.ParticipationWithdrawnV1(participation_id=PART, activity_id=ACTIVITY, person_id=MEMBER),
    learning.CourseWithdrawnV1(course_id=COURSE),
    learning.LessonStudyWithdrawnV1.model_validate(study(completed=False).model_dump()),
    feedback.CaseWithdrawnV1(case_id=CASE),
    identity.AccountListWithdrawnV1(list_id=GIVEN.aggregate_id),
    identity.ClientWithdrawnV1(client_principal_id=QUOTA.aggregate_id),
]
KEPT = ("home_item", "home_done", "contribution", "client_quota", "rollup", "rollup_own", "rollup_person")


async def tell(database: Database, events: list[Numbered]) -> None:
    for consumer in CONSUMERS:
        heard = [(event, version) for event, version in events if type(event) in consumer.handlers]
        await hand_over(database, consumer.handlers, heard)
    await orgtree.fold(database)


def in_epoch(epoch: int, events: list[Numbered]) -> list[Numbered]:
    return [(event, ordered(epoch, version)) for event, version in events]


async def fetch(database: Database, query: str, *arguments: Any) -> list[Any]:
    async with database.read() as session:
        return list(await (await raw(session)).fetch(query, *arguments))


async def shown(database: Database) -> dict[str, Any]:
    """Give all that people see of it."""
    return {
        "home": await fetch(database, "select kind, audience, subject_id from home_item where open order by key"),
        "done": await fetch(database, "select person_id, subject_id from home_done where done"),
        "figures": await fetch(database, "select * from rollup as t order by t"),
        "changes": await fetch(
            database,
            "select scope, subject_id, audience from change where not gone and scope <> 'profile' order by 1, 2, 3",
        ),
        "clients": await fetch(database, "select client_id from client_quota where not suspended"),
    }


async def kept(database: Database) -> dict[str, list[Any]]:
    logged = "select scope, subject_id, audience, version, gone, part from change as t order by 1, 2, 3"
    tables = {table: await fetch(database, f"select * from {table} as t order by t") for table in KEPT}  # noqa: S608
    return {**tables, "change": await fetch(database, logged)}


async def test_what_is_withdrawn_is_gone_everywhere_whatever_older_comes_and_stands_again_when_it_is_brought_again(
    database: Database,
) -> None:
    await tell(database, [*BASE, *HISTORY])
    before = await shown(database)
    assert all(before.values())
    await tell(database, in_epoch(2, [(event, 0) for event in WITHDRAWN]))
    assert await shown(database) == {
        "home": [("case.tell_again", f"person:{VILLAGER}", CASE)],
        "done": [(GIVEN.given_by, GIVEN.aggregate_id)],  # type: ignore[attr-defined]
        "figures": [],
        "changes": [],
        "clients": [],
    }
    assert await fetch(database, "select from contribution where person is not null or measures <> '{}'") == []
    async with database.transaction() as session:
        assert await orgtree.recount(session) == []
        assert await orgtree.mend_by_facts(session, FACTS) == (0, 0)
    gone = await kept(database)
    await tell(database, [*HISTORY, *reversed(HISTORY)])
    assert await kept(database) == gone
    await tell(database, in_epoch(2, [(event, 1) for event, _ in HISTORY]))
    assert await shown(database) == before


async def test_a_reporter_whose_case_was_lost_says_it_again_by_one_action_under_its_id(database: Database) -> None:
    await tell(database, [*BASE, (case("answered"), 2)])
    await tell(database, in_epoch(2, [(feedback.CaseWithdrawnV1(case_id=CASE), 0)]))
    [row] = await fetch(database, "select *, facts::text as facts, 'x' as organisation_name from home_item where open")
    shown = item_of(row, NOW)
    assert (shown["section"], shown["due_at"], "请再说一次" in shown["title"]["zh"]) == ("todo", None, True)
    [action] = shown["actions"]
    assert (action["operation_id"], action["needs"]) == ("feedback_open_case", ("text",))
    assert action["body"] == {"case_id": str(CASE), "category": "road", "organisation_id": str(BRANCH)}
    await tell(database, in_epoch(2, [(case("open"), 1)]))
    kinds = await fetch(database, "select kind from home_item where open and audience like 'person:%'")
    assert kinds == [("case.follow",)]


async def test_who_had_settled_a_case_that_was_lost_is_asked_nothing(database: Database) -> None:
    await tell(database, [*BASE, (case("confirmed"), 3)])
    await tell(database, in_epoch(2, [(feedback.CaseWithdrawnV1(case_id=CASE), 0)]))
    assert await fetch(database, "select from home_item where open") == []


async def test_what_a_withdrawn_branch_counts_is_in_no_total_until_it_is_there_again(database: Database) -> None:
    await tell(database, [*BASE, (composed(BRANCH, over=7), 1), (case("open"), 1)])
    before = await shown(database)
    await tell(database, in_epoch(2, [(members.OrganisationWithdrawnV1(organisation_id=BRANCH), 0)]))
    assert (await shown(database))["figures"] == []
    async with database.read() as session:
        assert await orgtree.ancestors_of(session, BRANCH) == ()
        assert await orgtree.recount(session) == []
    await tell(database, in_epoch(2, [(BASE[1][0], 1)]))
    assert await shown(database) == before


async def test_who_is_affiliated_no_more_belongs_nowhere(database: Database) -> None:
    await tell(database, BASE)
    await tell(database, in_epoch(2, [(members.AffiliationWithdrawnV1(person_id=MEMBER), 0)]))
    async with database.read() as session:
        assert await orgtree.affiliation_of(session, MEMBER) is None
    assert await fetch(database, "select gone from change where audience = $1", f"person:{MEMBER}") == [(True,)]


async def test_a_call_for_help_that_a_restore_undid_is_on_no_home(database: Database) -> None:
    await tell(database, [*BASE, (study(completed=False, understood=False, asked_organisation_id=BRANCH), 2)])
    await tell(database, in_epoch(2, [(study(completed=True), 2)]))
    assert await fetch(database, "select from home_item where open") == []


def test_whoever_keeps_a_state_forgets_what_is_withdrawn_of_it() -> None:
    withdrawn = {event.aggregate: event for event in EVENT_TYPES.values() if event.type.endswith(".withdrawn.v1")}
    deaf: list[Callable[..., Any] | str] = [
        f"{consumer.name}: {event.__name__}"
        for consumer in CONSUMERS
        for event in consumer.handlers
        if event.aggregate in withdrawn and withdrawn[event.aggregate] not in consumer.handlers
    ]
    assert deaf == []
