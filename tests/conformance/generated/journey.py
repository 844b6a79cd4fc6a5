"""The journey of tests/flows/test_journey.py through the client that openapi-python-client makes, told by JSON."""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from httpx import Timeout
from xiangqiao_client import AuthenticatedClient
from xiangqiao_client.api.activities import (
    activities_enter_sheet,
    activities_list_participations,
    activities_report_attendance,
    activities_schedule_activity,
)
from xiangqiao_client.api.feedback import (
    feedback_answer_case,
    feedback_confirm_answer,
    feedback_get_case,
    feedback_open_case,
)
from xiangqiao_client.api.gateway import gateway_home, gateway_overview
from xiangqiao_client.api.learning import (
    learning_get_course,
    learning_list_courses,
    learning_report_progress,
    learning_report_understanding,
)
from xiangqiao_client.api.members import members_get_organisation, members_list_members
from xiangqiao_client.models import (
    ActivityFacts,
    AnswerCase,
    EnterSheet,
    OpenCase,
    Problem,
    ReportAttendance,
    ReportProgress,
    ReportUnderstanding,
    ScheduleActivity,
)

TOLD = json.load(sys.stdin)


def client(username: str) -> Any:
    own = {"timeout": Timeout(20), "httpx_args": {"trust_env": False}}
    return AuthenticatedClient(TOLD["url"], TOLD["tokens"][username], **own)


def good(operation: Any, *path: Any, who: Any, **sent: Any) -> Any:
    """Ask, and give what is answered."""
    answer = operation.sync_detailed(*path, client=who, **sent)
    assert answer.status_code < 300, (answer.status_code, answer.content)
    assert answer.parsed is not None
    return answer.parsed


def refused(operation: Any, *path: Any, who: Any, **sent: Any) -> str:
    """Ask, and give the type of the problem."""
    problem = operation.sync(*path, client=who, **sent)
    assert isinstance(problem, Problem), problem
    return str(problem.type_)


def on_the_home(who: Any, wanted: Callable[[Any], bool]) -> Any:
    for _ in range(100):
        for item in good(gateway_home, who=who, limit=200).items:
            if wanted(item):
                return item
        time.sleep(0.1)
    raise AssertionError("not on the home within ten seconds")


def done(what: str) -> None:
    sys.stdout.write(f"ok: {what}\n")


officer, neighbour, secretary = client("officer.demo"), client("officer.neighbour"), client("secretary.demo")
away, member, villager = client("away.demo"), client("member.demo"), client("villager.demo")
county, branch = UUID(TOLD["county"]), UUID(TOLD["branch"])

assert good(members_get_organisation, county, who=officer).name
assert refused(members_get_organisation, county, who=neighbour) == "/problems/not_found"
assert refused(members_list_members, who=member, organisation_id=branch) == "/problems/permission_missing"
done("the own subtree and nothing beside it")

now = datetime.now(UTC)
body = ScheduleActivity(
    organisation_id=branch, kind="branch_meeting", title="支部党员大会", starts_at=now, ends_at=now + timedelta(hours=2)
)
meeting = good(activities_schedule_activity, who=secretary, body=body)
item = on_the_home(away, lambda item: item.subject_id == meeting.activity_id)
assert item.kind == "activity.attend"
assert isinstance(item.facts, ActivityFacts)
assert item.facts.activity_kind == meeting.kind
there = meeting.activity_id
attended = good(activities_report_attendance, there, who=away, body=ReportAttendance(mode="remote"))
sheet = good(activities_enter_sheet, there, who=secretary, body=EnterSheet(person_ids=[UUID(TOLD["away"])]))
assert (sheet.recorded, sheet.rows[0].participation_id) == (1, attended.participation_id)
parts = good(activities_list_participations, there, who=secretary).items
assert [part.provenance for part in parts] == [["online", "paper"]]
done("one attendance, online and on paper")

course = good(learning_get_course, good(learning_list_courses, who=member).items[0].course_id, who=member)
lesson = course.lessons[0].lesson_id
good(learning_report_progress, lesson, who=member, body=ReportProgress(progress=60))
assert good(learning_report_progress, lesson, who=member, body=ReportProgress(progress=40)).progress >= 60
good(learning_report_understanding, lesson, who=member, body=ReportUnderstanding(understanding="need_help"))
on_the_home(secretary, lambda item: item.kind == "learner.help" and item.subject_id == lesson)
good(learning_report_understanding, lesson, who=member, body=ReportUnderstanding(understanding="understood"))
done("help that reaches the branch")

case = OpenCase(case_id=uuid4(), category="roads", organisation_id=branch, text="村口的路坏了")
brought = good(feedback_open_case, who=villager, body=case)
assert good(feedback_open_case, who=villager, body=case).case_id == brought.case_id == case.case_id
on_the_home(secretary, lambda item: item.kind == "case.answer" and item.subject_id == brought.case_id)
good(feedback_answer_case, brought.case_id, who=secretary, body=AnswerCase(text="已派人维修"))
on_the_home(villager, lambda item: item.kind == "case.confirm" and item.subject_id == brought.case_id)
assert good(feedback_confirm_answer, brought.case_id, who=villager).status == "confirmed"
entries = good(feedback_get_case, brought.case_id, who=villager).entries
assert [entry.kind for entry in entries] == ["opened", "answered", "confirmed"]
done("a case, answered and confirmed")

figures = {figure.measure: figure.value for figure in good(gateway_overview, county, who=officer).figures}
assert figures["members.all"] > 1000
done("the county's figures")
