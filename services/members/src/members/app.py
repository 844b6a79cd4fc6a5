"""The HTTP application of members."""

import audit.routes
import messaging
import orgtree
import privacy
from audit.assisted import record_assisted
from members import own_data
from members.enrolment.commands import EnrolledMeanwhile
from members.enrolment.routes import router as enrolment_router
from members.files.revision import BaseUnknown, FileNotFound, StaleFile
from members.files.routes import router as files_router
from members.files.rules.changes import NotForOneself
from members.files.rules.purposes import PurposeMissing
from members.organisations.commands import ChangedMeanwhile, OrganisationNotFound, ParentNotFound, RootStays
from members.organisations.routes import router as organisations_router
from members.refused_rows import RowsRefused
from members.settings import Settings
from rulebook import Refused
from webapi import NOT_FOUND, Application, Problem, create_app, heed_revocations, open_database

PROBLEMS = {
    orgtree.OutsideScope: NOT_FOUND,
    OrganisationNotFound: NOT_FOUND,
    FileNotFound: NOT_FOUND,
    ParentNotFound: Problem(
        422, "parent_unknown", "There is no such parent within your scope.", "上级组织不存在或不在您的管理范围内。"
    ),
    RootStays: Problem(409, "root_stays", "The root of the tree cannot be moved.", "根组织不能移动。"),
    ChangedMeanwhile: Problem(
        409,
        "changed_meanwhile",
        "Another request did this just now; send it again.",
        "另一请求刚刚作了更改，请重新提交。",
    ),
    EnrolledMeanwhile: Problem(
        409,
        "enrolled_meanwhile",
        "Another request enrolled one of these people just now; send it again.",
        "另一请求刚刚登记了其中的人员，请重新提交。",
    ),
    RowsRefused: Problem(
        422, "rows_refused", "Rows are wrong; nothing was done.", "部分行有误，未作任何更改。", ("rows",)
    ),
    Refused: Problem(
        409,
        "refused_by_rule",
        "A rule does not allow this.",
        "规则不允许此操作。",
        ("rule", "requirement", "holds_from", "details"),
    ),
    BaseUnknown: Problem(422, "base_unknown", "The file has no such version.", "档案没有该版本。"),
    StaleFile: Problem(409, "stale", "The file was changed since.", "档案在此期间已被更改。", ("version", "conflicts")),
    PurposeMissing: Problem(
        422,
        "purpose_missing",
        "Say by `purpose` what the file is read for; its person will see it.",
        "请以 purpose 说明用途,档案本人可以看到。",
    ),
    NotForOneself: Problem(
        403,
        "not_for_oneself",
        "People change their own phone number, and whether they are away or have a smartphone; no more.",
        "本人只能修改联系电话、外出情况和智能手机使用情况。",
    ),
}


def create_application(settings: Settings) -> Application:
    """Compose the application."""
    ring = settings.ring
    database = open_database("members", settings)
    nats = messaging.NatsConnection(settings.nats_url, name="members-api")
    return create_app(
        "members",
        title="Members",
        description="The organisation tree and the people in it.",
        settings=settings,
        database=database,
        routers=[
            organisations_router,
            enrolment_router,
            files_router,
            privacy.Parts("members", own_data.composer(ring), ring).router(),
            audit.routes.router("members"),
        ],
        problems=PROBLEMS,
        scope_resolver=orgtree.Permissions(database).scopes,
        record_assisted=record_assisted,
        checks={"nats": nats.ping},
        hooks=[nats.kept, heed_revocations(messaging.Tail(nats))],
    )
