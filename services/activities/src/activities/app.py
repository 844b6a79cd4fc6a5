"""The HTTP application of activities."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import audit.routes
import messaging
import orgtree
import privacy
import rulebook
from activities import own_data
from activities.participation.gathering import Gathering
from activities.participation.routes import router as participation_router
from activities.participation.rules import ActivityClosed, ActivityOver, NotAMemberThere
from activities.scheduling.commands import ActivityIdTaken, ActivityUnknown
from activities.scheduling.routes import router as scheduling_router
from activities.scheduling.rules import EndsBeforeItStarts, LastsTooLong, NotYetBegun
from activities.settings import Settings
from audit.assisted import record_assisted
from webapi import NOT_FOUND, Application, Problem, create_app, heed_revocations, open_database

PROBLEMS: dict[type[Exception], Problem] = {
    orgtree.OutsideScope: NOT_FOUND,
    ActivityUnknown: NOT_FOUND,
    ActivityIdTaken: Problem(
        409, "activity_id_taken", "This id belongs to another activity.", "该编号已用于另一项活动。"
    ),
    ActivityClosed: Problem(
        409,
        "activity_closed",
        "The activity is closed; its attendance is final.",
        "活动已结束登记,出席情况不能再更改。",
    ),
    ActivityOver: Problem(409, "activity_over", "The activity is over.", "活动已经结束。"),
    NotYetBegun: Problem(409, "not_yet_begun", "The activity has not begun yet.", "活动尚未开始。"),
    EndsBeforeItStarts: Problem(
        422, "ends_before_it_starts", "The end must be after the start.", "结束时间须晚于开始时间。"
    ),
    LastsTooLong: Problem(422, "lasts_too_long", "An activity lasts 31 days at most.", "活动最长为 31 天。"),
    NotAMemberThere: Problem(
        403,
        "not_a_member_there",
        "Only members of the organisation that holds it, or of one below, take part.",
        "仅限主办组织及其下级组织的成员参加。",
    ),
    rulebook.NoVersionHolds: Problem(
        422, "no_rule_holds", "No rule is known here for the day of this activity.", "该活动日期没有适用的规则。"
    ),
    rulebook.Refused: Problem(
        409,
        "refused_by_rule",
        "A rule does not allow this.",
        "规则不允许此操作。",
        ("rule", "requirement", "zh", "en", "holds_from", "source", "details"),
    ),
}


def create_application(settings: Settings) -> Application:
    """Compose the application; at its end it finishes the check-ins it has begun to write."""
    database = open_database("activities", settings)
    nats = messaging.NatsConnection(settings.nats_url, name="activities-api")
    gathering = Gathering(database)

    @asynccontextmanager
    async def running(_: Application) -> AsyncIterator[None]:
        yield
        await gathering.finish()

    application = create_app(
        "activities",
        title="Activities",
        description="Organisational life: meetings, registration, attendance.",
        settings=settings,
        database=database,
        routers=[
            scheduling_router,
            participation_router,
            privacy.Parts("activities", own_data.compose).router(),
            audit.routes.router("activities"),
        ],
        problems=PROBLEMS,
        scope_resolver=orgtree.Permissions(database).scopes,
        record_assisted=record_assisted,
        checks={"nats": nats.ping},
        hooks=[nats.kept, heed_revocations(messaging.Tail(nats)), running],
    )
    application.state.gathering = gathering
    return application
