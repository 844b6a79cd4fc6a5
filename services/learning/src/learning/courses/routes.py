"""Routes of courses and lessons: publish, list, look at."""

from uuid import UUID

from fastapi import APIRouter, Response

import audit
from audit import about_nobody, audited
from database import new_id
from learning.courses import commands, queries
from learning.courses.rules import Draft
from learning.courses.schemas import CourseOut, CourseSummary, LessonOut, LessonSummary, PublishCourse
from webapi import AuthenticatedCaller, Caller, IdsQuery, Page, PageQuery, access, assistable, described, json_answer

PUBLISH = "learning.course.publish"
NEEDS = "learning.needs.read"
NO_PEOPLE = about_nobody("it tells what can be learned, and of nobody else")

router = APIRouter(prefix="/v1", tags=["courses"])


async def staff_remit(caller: AuthenticatedCaller) -> frozenset[UUID]:
    """Give the organisations whose courses the caller sees as staff: who publishes them, and who helps learners."""
    return await caller.remit_if_any(PUBLISH) | await caller.remit_if_any(NEEDS)


@router.post(
    "/courses",
    status_code=201,
    response_model=CourseOut,
    openapi_extra=access(PUBLISH)
    | audited("learning.course.published")
    | described(
        "发布课程",
        "Publish a course",
        example={
            "course_id": "01930000-0000-7000-8000-000000000006",
            "organisation_id": "01930000-0000-7000-8000-000000000002",
            "title": "茶树冬管",
            "lessons": [
                {"title": "修剪", "kind": "text", "body": "霜降之后开始修剪。"},
                {"title": "施肥", "kind": "video", "url": "https://media.example/tea.mp4"},
            ],
        },
    ),
)
async def publish_course(body: PublishCourse, caller: Caller) -> Response:
    """Publish an edition of a course for everyone at and below an organisation."""
    by = audit.by(caller.principal, await caller.remit(PUBLISH))
    course_id = body.course_id or new_id()
    lessons = [
        Draft(each.lesson_id or new_id(), each.lesson_id is not None, each.title, each.kind, each.body, each.url)
        for each in body.lessons
    ]
    async with caller.command() as command:
        await commands.publish_edition(
            command.session,
            course_id=course_id,
            edition=body.edition,
            organisation_id=body.organisation_id,
            title=body.title,
            lessons=lessons,
            by=by,
            now=command.now,
        )
        shown = await queries.one_edition(command.session, course_id, body.edition)
        return await command.respond(201, shown, location=f"/v1/courses/{course_id}")


@router.get(
    "/courses",
    response_model=Page[CourseSummary],
    openapi_extra=access("self", PUBLISH, NEEDS) | NO_PEOPLE | described("课程列表", "Courses"),
)
@assistable("learning.study")
async def list_courses(
    page: PageQuery, caller: Caller, course_id: IdsQuery = None, organisation_id: UUID | None = None
) -> Response:
    """List the courses open to the caller, the latest published first."""
    remit = await staff_remit(caller)
    async with caller.read() as session:
        listed = await queries.list_courses(
            session,
            page,
            person_id=caller.person_id,
            remit=remit,
            course_ids=course_id,
            organisation_id=organisation_id,
        )
    return json_answer(listed)


@router.get(
    "/courses/{course_id}",
    response_model=CourseOut,
    openapi_extra=access("self", PUBLISH, NEEDS) | NO_PEOPLE | described("查看一门课程", "One course"),
)
@assistable("learning.study")
async def get_course(course_id: UUID, caller: Caller) -> Response:
    """Give a course with its lessons, in the edition the caller is learning, otherwise the newest."""
    remit = await staff_remit(caller)
    async with caller.read() as session:
        found = await queries.one_course(session, course_id, person_id=caller.person_id, remit=remit)
    return json_answer(found)


@router.get(
    "/lessons",
    response_model=Page[LessonSummary],
    openapi_extra=access("self", PUBLISH, NEEDS) | NO_PEOPLE | described("课的列表", "Lessons"),
)
@assistable("learning.study")
async def list_lessons(
    page: PageQuery, caller: Caller, lesson_id: IdsQuery = None, course_id: UUID | None = None
) -> Response:
    """List the lessons open to the caller without their content, by id, in the edition the caller is learning."""
    remit = await staff_remit(caller)
    async with caller.read() as session:
        listed = await queries.list_lessons(
            session, page, person_id=caller.person_id, remit=remit, lesson_ids=lesson_id, course_id=course_id
        )
    return json_answer(listed)


@router.get(
    "/lessons/{lesson_id}",
    response_model=LessonOut,
    openapi_extra=access("self", PUBLISH, NEEDS) | NO_PEOPLE | described("查看一节课", "One lesson"),
)
@assistable("learning.study")
async def get_lesson(lesson_id: UUID, caller: Caller) -> Response:
    """Give a lesson with its content, in the edition the caller is learning."""
    remit = await staff_remit(caller)
    async with caller.read() as session:
        found = await queries.one_lesson(session, lesson_id, person_id=caller.person_id, remit=remit)
    return json_answer(found)
