"""Home shows each person what is theirs, and nothing that is done or over."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text

import orgtree
from contracts import Event, activities, feedback, identity, learning, members
from database import Database
from gateway.home import queries
from gateway.home.kinds import KINDS
from gateway.home.schemas import HomeItemOut
from gateway.worker import CONSUMERS

from ..events import NOW, Numbered, disturbed, established, hand_over

HANDLERS = {**CONSUMERS[0].handlers, **CONSUMERS[1].handlers}
COUNTY, BRANCH, OTHER = (UUID(int=number) for number in (11, 12, 13))
MEMBER, STRANGER, VILLAGER = (UUID(int=number) for number in (21, 22, 23))
ACTIVITY, COURSE, LESSON, CASE = (UUID(int=number) for number in (31, 32, 33, 34))
BASE: list[Numbered] = [
    (established(COUNTY, orgtree.ROOT_ID, "county"), 1),
    (established(BRANCH, COUNTY, "branch"), 1),
    (established(OTHER, COUNTY, "branch"), 1),
    (members.MemberAffiliatedV1(person_id=MEMBER, organisation_id=BRANCH), 1),
    (members.MemberAffiliatedV1(person_id=STRANGER, organisation_id=OTHER), 1),
]


def activity(kind: type[activities.ActivityState] = activities.ActivityScheduledV1) -> Event:
    return kind(
        activity_id=ACTIVITY,
        organisation_id=BRANCH,
        kind="branch_meeting",
        starts_at=NOW + timedelta(days=1),
        ends_at=NOW + timedelta(days=1, hours=2),
    )


def course(organisation_id: UUID = COUNTY) -> Event:
    return learning.CoursePublishedV1(
        course_id=COURSE,
        organisation_id=organisation_id,
        edition=1,
        title="手机防诈骗",
        lesson_ids=(LESSON,),
        published_at=NOW,
    )


def study(*, completed: bool, understood: bool | None = None, **places: UUID | None) -> Event:
    kind = learning.LessonProgressedV1 if understood is None else learning.UnderstandingReportedV1
    return kind(
        study_id=UUID(int=41),
        person_id=MEMBER,
        course_id=COURSE,
        lesson_id=LESSON,
        **{"affiliation_id": BRANCH, **places},
        progress=100 if completed else 10,
        completed=completed,
        understood=understood,
    )


def case(status: str) -> Event:
    kinds = {"open": feedback.CaseOpenedV1, "answered": feedback.CaseAnsweredV1, "confirmed": feedback.CaseConfirmedV1}
    return kinds.get(status, feedback.CaseAnsweredV1)(
        case_id=CASE,
        category="road",
        organisation_id=BRANCH,
        responsible_id=COUNTY,
        reporter_id=VILLAGER,
        status=status,
        opened_at=NOW,
        due_at=NOW - timedelta(hours=1),
    )


def account_list(kind: type[identity.AccountListState], status: str) -> Event:
    return kind(
        list_id=UUID(int=51),
        organisation_id=COUNTY,
        status=status,
        size=7,
        given_by=STRANGER,
        given_at=NOW,
        expires_at=NOW + timedelta(days=14),
    )


async def items_of(database: Database, person_id: UUID, *staff: str, **page: Any) -> list[HomeItemOut]:
    """Read a home; `staff` are permissions with the organisation on which they are held, as an audience names them."""
    remits = {permission: [UUID(place)] for permission, place in (each.split(":")[1:] for each in staff)}
    asked: dict[str, Any] = {"kinds": KINDS.values(), "now": NOW, "order": "since", "after": None, "limit": 50} | page
    async with database.look() as connection:
        items = await queries.home_of(connection, person_id=person_id, remits=remits, **asked)
    return [HomeItemOut.model_validate_json(orjson.dumps(item)) for item in items]


async def home(database: Database, person_id: UUID, *staff: str, **page: Any) -> list[str]:
    return [item.kind for item in await items_of(database, person_id, *staff, **page)]


async def test_a_meeting_is_on_the_home_of_its_branch_alone(database: Database) -> None:
    await hand_over(database, HANDLERS, [*BASE, (activity(), 1)])
    assert await home(database, MEMBER) == ["activity.attend"]
    assert await home(database, STRANGER) == []


async def test_who_attended_is_no_longer_asked_and_who_registered_still_is(database: Database) -> None:
    def part(kind: type[activities.ParticipationState], *, attended: bool) -> Event:
        return kind(
            participation_id=UUID(int=51),
            activity_id=ACTIVITY,
            person_id=MEMBER,
            organisation_id=BRANCH,
            affiliation_id=BRANCH,
            registered=True,
            attended=attended,
            mode="remote" if attended else None,
            provenance=("online",) if attended else (),
        )

    await hand_over(database, HANDLERS, [*BASE, (activity(), 1)])
    await hand_over(database, HANDLERS, [(part(activities.ParticipantRegisteredV1, attended=False), 1)])
    assert await home(database, MEMBER) == ["activity.attend"]
    await hand_over(database, HANDLERS, [(part(activities.AttendanceRecordedV1, attended=True), 2)])
    assert await home(database, MEMBER) == []


async def test_an_activity_leaves_when_it_is_closed_or_over(database: Database) -> None:
    await hand_over(database, HANDLERS, [*BASE, (activity(), 1)])
    assert await home(database, MEMBER, now=NOW + timedelta(days=2)) == []
    await hand_over(database, HANDLERS, [(activity(activities.ActivityClosedV1), 2)])
    assert await home(database, MEMBER) == []


async def test_a_course_stays_until_all_its_lessons_are_completed(database: Database) -> None:
    await hand_over(database, HANDLERS, [*BASE, (course(), 1), (study(completed=False), 1)])
    assert await home(database, MEMBER) == ["course.study"]
    await hand_over(database, HANDLERS, [(study(completed=True), 2)])
    assert await home(database, MEMBER) == []


async def test_a_course_of_the_province_is_there_for_who_has_no_branch(database: Database) -> None:
    await hand_over(database, HANDLERS, [*BASE, (course(orgtree.ROOT_ID), 1)])
    assert await home(database, VILLAGER) == ["course.study"]
    await hand_over(database, HANDLERS, [(course(COUNTY), 2)])
    assert await home(database, VILLAGER) == []


async def test_a_call_for_help_reaches_the_staff_of_the_branch_until_it_is_understood(database: Database) -> None:
    staff = f"staff:learning.needs.read:{BRANCH}"
    await hand_over(database, HANDLERS, [*BASE, (study(completed=True, understood=False), 1)])
    assert await home(database, STRANGER, staff) == ["learner.help"]
    assert await home(database, STRANGER) == []
    await hand_over(database, HANDLERS, [(study(completed=True, understood=True), 2)])
    assert await home(database, STRANGER, staff) == []


async def test_help_asked_by_someone_without_a_branch_reaches_the_courses_publisher(database: Database) -> None:
    staff = f"staff:learning.needs.read:{COUNTY}"
    asked = study(completed=True, understood=False, affiliation_id=None, asked_organisation_id=COUNTY)
    await hand_over(database, HANDLERS, [*BASE, (asked, 1)])
    assert await home(database, STRANGER, staff) == ["learner.help"]
    await hand_over(database, HANDLERS, [(study(completed=True, understood=True, affiliation_id=None), 2)])
    assert await home(database, STRANGER, staff) == []


@pytest.mark.parametrize("seed", range(2))
async def test_help_stays_with_those_who_were_asked_when_the_learner_moves(database: Database, seed: int) -> None:
    asked = study(completed=False, understood=False, asked_organisation_id=BRANCH)
    moved = study(completed=True, understood=False, affiliation_id=OTHER, asked_organisation_id=BRANCH)
    await hand_over(database, HANDLERS, disturbed([*BASE, (asked, 1), (moved, 2)], seed))
    assert await home(database, VILLAGER, f"staff:learning.needs.read:{BRANCH}") == ["learner.help"]
    assert await home(database, VILLAGER, f"staff:learning.needs.read:{OTHER}") == []


async def test_an_event_from_before_it_named_who_was_asked_is_about_the_own_branch(database: Database) -> None:
    nowhere = study(completed=True, understood=False, affiliation_id=None)
    staff = f"staff:learning.needs.read:{BRANCH}"
    await hand_over(database, HANDLERS, [*BASE, (study(completed=False, understood=False), 1)])
    assert await home(database, STRANGER, staff) == ["learner.help"]
    await hand_over(database, HANDLERS, [(nowhere, 2)])
    assert await home(database, STRANGER, staff) == []


async def test_a_case_waits_for_its_answer_then_for_its_confirmation(database: Database) -> None:
    staff = f"staff:feedback.case.answer:{COUNTY}"
    await hand_over(database, HANDLERS, [*BASE, (case("open"), 1)])
    assert (await home(database, MEMBER, staff), await home(database, VILLAGER)) == (["case.answer"], ["case.follow"])
    await hand_over(database, HANDLERS, [(case("answered"), 2)])
    assert (await home(database, MEMBER, staff), await home(database, VILLAGER)) == ([], ["case.confirm"])
    await hand_over(database, HANDLERS, [(case("confirmed"), 3)])
    assert (await home(database, MEMBER, staff), await home(database, VILLAGER)) == ([], [])


async def test_a_case_in_an_unknown_status_is_on_nobodys_home_until_it_is_in_a_known_one(database: Database) -> None:
    staff = f"staff:feedback.case.answer:{COUNTY}"
    await hand_over(database, HANDLERS, [*BASE, (case("open"), 1), (case("handed_on"), 2)])
    assert (await home(database, MEMBER, staff), await home(database, VILLAGER)) == ([], [])
    await hand_over(database, HANDLERS, [(case("answered"), 3)])
    assert (await home(database, MEMBER, staff), await home(database, VILLAGER)) == ([], ["case.confirm"])


async def test_an_overdue_case_says_so(database: Database) -> None:
    await hand_over(database, HANDLERS, [*BASE, (case("open"), 1)])
    (item,) = await items_of(database, VILLAGER)
    assert item.overdue
    assert item.href == f"/v1/cases/{CASE}"


@pytest.mark.parametrize("seed", range(4))
async def test_events_twice_and_out_of_order_give_the_same_home(database: Database, seed: int) -> None:
    events = [*BASE, (activity(), 1), (course(), 1), (study(completed=False), 1), (case("open"), 1)]
    events += [(case("answered"), 2), (study(completed=True, understood=False), 2)]
    await hand_over(database, HANDLERS, disturbed(events, seed))
    assert await home(database, MEMBER) == ["activity.attend"]
    assert await home(database, VILLAGER) == ["case.confirm"]
    assert await home(database, STRANGER, f"staff:learning.needs.read:{BRANCH}") == ["learner.help", "course.study"]


async def test_an_item_of_an_unknown_kind_is_left_out_and_the_page_is_full(database: Database) -> None:
    await hand_over(database, HANDLERS, [*BASE, (activity(), 1), (course(), 1), (case("open"), 1)])
    async with database.transaction() as session:
        await session.execute(
            text(
                "insert into home_item (key, version, audience, kind, subject_id, organisation_id, since, open, parts,"
                " facts) select 'survey.answer:' || number, version, audience, 'survey.answer', subject_id,"
                " organisation_id, since + interval '1 day', open, parts, facts from home_item"
                " cross join generate_series(1, 3) as number where kind = 'activity.attend'"
            )
        )
    assert await home(database, MEMBER) == ["activity.attend", "course.study"]
    assert await home(database, MEMBER, limit=2) == ["activity.attend", "course.study"]
    assert await home(database, MEMBER, limit=1) == ["activity.attend"]


def meetings(*due_in_days: int | None) -> list[Numbered]:
    """Make meetings of the branch that begin in so many days, and for each None a course, which is never due."""
    events: list[Numbered] = []
    for number, days in enumerate(due_in_days):
        if days is None:
            events.append((course().model_copy(update={"course_id": UUID(int=500 + number)}), 1))
            continue
        starts_at = NOW + timedelta(days=days)
        changed = {"activity_id": UUID(int=500 + number), "starts_at": starts_at, "ends_at": NOW + timedelta(days=3650)}
        events.append((activity().model_copy(update=changed), 1 + number % 3))
    return events


@pytest.mark.parametrize("order", ["since", "due"])
async def test_pages_follow_each_other_without_a_gap_in_either_order(database: Database, order: str) -> None:
    await hand_over(database, HANDLERS, [*BASE, (case("open"), 1), *meetings(3, None, -1, 3, None, 8, None, 1)])
    whole = await items_of(database, MEMBER, f"staff:feedback.case.answer:{COUNTY}", order=order)
    assert len({item.key for item in whole}) == len(whole) == 9
    paged: list[HomeItemOut] = []
    while True:
        last = paged[-1] if paged else None
        after = last and (last.since if order == "since" else last.due_at, last.key)
        page = await items_of(
            database, MEMBER, f"staff:feedback.case.answer:{COUNTY}", order=order, after=after, limit=2
        )
        paged += page
        if len(page) < 2:
            break
    assert [item.key for item in paged] == [item.key for item in whole]


async def test_what_is_due_soonest_stands_first_and_what_is_never_due_last(database: Database) -> None:
    await hand_over(database, HANDLERS, [*BASE, *meetings(3, None, -1, 8)])
    items = await items_of(database, MEMBER, order="due")
    due = [item.due_at and (item.due_at - NOW).days for item in items]
    assert due == [-1, 3, 8, None]
    assert [item.overdue for item in items] == [True, False, False, False]


async def test_a_section_is_what_its_kinds_are(database: Database) -> None:
    staff = f"staff:feedback.case.answer:{COUNTY}"
    await hand_over(database, HANDLERS, [*BASE, (activity(), 1), (course(), 1), (case("open"), 1)])
    for section, kinds in (
        ("todo", {"activity.attend", "case.answer"}),
        ("read", {"course.study"}),
        ("waiting", set()),
    ):
        wanted = [kind for kind in KINDS.values() if kind.section == section]
        assert set(await home(database, MEMBER, staff, kinds=wanted)) == kinds
    assert await home(database, VILLAGER) == ["case.follow"]
    assert [item.section for item in await items_of(database, VILLAGER)] == ["waiting"]


async def test_a_meeting_is_registered_for_until_it_begins_and_attended_from_then_on(database: Database) -> None:
    await hand_over(database, HANDLERS, [*BASE, (activity(), 1)])
    for now, operation, ways in (
        (NOW, "activities_register", [None]),
        (NOW + timedelta(days=1), "activities_report_attendance", ["in_person", "remote"]),
    ):
        (item,) = await items_of(database, MEMBER, now=now)
        assert {action.operation_id for action in item.actions} == {operation}
        assert [action.body and action.body["mode"] for action in item.actions] == ways


async def test_a_title_says_what_is_known_of_the_subject(database: Database) -> None:
    unheard_of = activity().model_copy(update={"activity_id": UUID(int=99), "kind": "tree_planting"})
    await hand_over(database, HANDLERS, [*BASE, (activity(), 1), (unheard_of, 1), (course(), 1)])
    titles = {(item.title.zh, item.title.en) for item in await items_of(database, MEMBER)}
    assert titles == {
        ("参加支部党员大会", "Take part: branch meeting"),
        ("参加活动", "Take part: activity"),
        ("学习《手机防诈骗》", 'Study "手机防诈骗"'),
    }


@pytest.mark.parametrize("seed", range(3))
async def test_a_list_of_accounts_waits_for_all_who_may_approve_it_but_its_giver(database: Database, seed: int) -> None:
    staff, elsewhere = (f"staff:identity.account.approve:{place}" for place in (COUNTY, OTHER))
    given, decided = identity.AccountListGivenV1, identity.AccountListDecidedV1
    waiting: list[Numbered] = [(account_list(given, "proposed"), 1)]
    await hand_over(database, HANDLERS, [*BASE, *disturbed(waiting, seed)])
    assert await home(database, MEMBER, staff) == ["account_list.approve"]
    assert await home(database, STRANGER, staff) == []
    assert await home(database, VILLAGER, elsewhere) == []
    assert await home(database, MEMBER, staff, now=NOW + timedelta(days=14)) == []
    await hand_over(database, HANDLERS, disturbed([*waiting, (account_list(decided, "approved"), 2)], seed))
    assert await home(database, MEMBER, staff) == []
