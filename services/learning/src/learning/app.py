"""The HTTP application of learning."""

import audit.routes
import messaging
import orgtree
import privacy
from audit.assisted import record_assisted
from learning import own_data
from learning.courses.commands import CourseIdTaken, CourseUnknown, LessonIdTaken
from learning.courses.queries import LessonUnknown
from learning.courses.routes import router as courses_router
from learning.courses.rules import EditionOutOfOrder, LessonEmpty, LessonTwice
from learning.help_requests.queries import NotOwnStaff
from learning.help_requests.routes import router as help_requests_router
from learning.settings import Settings
from learning.study.routes import router as study_router
from webapi import NOT_FOUND, Application, Problem, create_app, heed_revocations, open_database

PROBLEMS: dict[type[Exception], Problem] = {
    orgtree.OutsideScope: NOT_FOUND,
    CourseUnknown: NOT_FOUND,
    LessonUnknown: NOT_FOUND,
    CourseIdTaken: Problem(
        409,
        "course_id_taken",
        "This id belongs to another course, or this edition has other content.",
        "该编号已用于另一门课程,或该版次内容不同。",
    ),
    LessonIdTaken: Problem(
        409, "lesson_id_taken", "This id belongs to a lesson elsewhere.", "该编号已用于其他课程的课时。"
    ),
    EditionOutOfOrder: Problem(
        409, "edition_out_of_order", "Editions follow one another.", "版次须依次发布。", ("expected",)
    ),
    LessonTwice: Problem(422, "lesson_twice", "A lesson stands there twice.", "同一课时出现了两次。"),
    LessonEmpty: Problem(
        422,
        "lesson_empty",
        "A lesson lacks its content: a text its body, audio and video their url, a quiz one of the two.",
        "课时缺少内容:文字须有正文,音视频须有链接,测验须有其一。",
        ("position",),
    ),
    NotOwnStaff: Problem(
        403,
        "not_own_staff",
        "Only the staff of the organisation that was asked sees who asked.",
        "仅被求助组织的工作人员可见求助人。",
    ),
}


def create_application(settings: Settings) -> Application:
    """Compose the application."""
    database = open_database("learning", settings)
    nats = messaging.NatsConnection(settings.nats_url, name="learning-api")
    return create_app(
        "learning",
        title="Learning",
        description="What people can learn, and where they need help.",
        settings=settings,
        database=database,
        routers=[
            courses_router,
            study_router,
            help_requests_router,
            privacy.Parts("learning", own_data.compose).router(),
            audit.routes.router("learning"),
        ],
        problems=PROBLEMS,
        scope_resolver=orgtree.Permissions(database).scopes,
        record_assisted=record_assisted,
        checks={"nats": nats.ping},
        hooks=[nats.kept, heed_revocations(messaging.Tail(nats))],
    )
