"""The HTTP application of feedback."""

import audit.routes
import messaging
import orgtree
import privacy
from audit.assisted import record_assisted
from feedback import own_data
from feedback.cases.commands import CaseIdTaken, PlaceUnknown, ReporterErased
from feedback.cases.queries import CaseUnknown
from feedback.cases.routes import router as cases_router
from feedback.cases.rules import CaseNotAnswered, CaseNotOpen, NotResponsible, NotTheReporter
from feedback.responsibilities.commands import ResponsibilityTaken
from feedback.responsibilities.routes import router as responsibilities_router
from feedback.responsibilities.rules import CategoryWithoutOwner
from feedback.settings import Settings
from webapi import NOT_FOUND, Application, Problem, create_app, heed_revocations, open_database

PROBLEMS: dict[type[Exception], Problem] = {
    orgtree.OutsideScope: NOT_FOUND,
    CaseUnknown: NOT_FOUND,
    PlaceUnknown: Problem(422, "place_unknown", "This place is not known.", "未找到该地点。"),
    CategoryWithoutOwner: Problem(
        422,
        "category_without_owner",
        "Nobody is responsible for this category in the whole tree on that day.",
        "该类别当日在全省范围内尚无负责组织。",
    ),
    ResponsibilityTaken: Problem(
        409,
        "responsibility_taken",
        "This id is taken, or this category and place have one from that day on already.",
        "该编号已被使用,或该类别在此地当日已有负责组织。",
    ),
    CaseIdTaken: Problem(409, "case_id_taken", "This id belongs to another case.", "该编号已用于另一事项。"),
    ReporterErased: Problem(
        409,
        "reporter_erased",
        "Who brought this case is erased, and what they said with them.",
        "该事项的提出人已注销，其内容已一并删除。",
    ),
    CaseNotOpen: Problem(409, "case_not_open", "The case has its answer already.", "该事项已答复。"),
    CaseNotAnswered: Problem(409, "case_not_answered", "The case has no answer yet.", "该事项尚未答复。"),
    NotResponsible: Problem(
        403, "not_responsible", "Another organisation must answer this case.", "该事项由其他组织负责答复。"
    ),
    NotTheReporter: Problem(
        403, "not_the_reporter", "Only the person who opened the case confirms its answer.", "仅提出人本人可确认答复。"
    ),
}


def create_application(settings: Settings) -> Application:
    """Compose the application."""
    ring = settings.ring
    database = open_database("feedback", settings)
    nats = messaging.NatsConnection(settings.nats_url, name="feedback-api")
    return create_app(
        "feedback",
        title="Feedback",
        description="What people say, and what is done about it.",
        settings=settings,
        database=database,
        routers=[
            cases_router,
            responsibilities_router,
            privacy.Parts("feedback", own_data.composer(ring), ring).router(),
            audit.routes.router("feedback"),
        ],
        problems=PROBLEMS,
        scope_resolver=orgtree.Permissions(database).scopes,
        record_assisted=record_assisted,
        checks={"nats": nats.ping},
        hooks=[nats.kept, heed_revocations(messaging.Tail(nats))],
    )
