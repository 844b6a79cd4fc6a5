"""Enrolling members over HTTP."""

from fastapi import APIRouter, Response

import audit
from audit import audited
from database import new_id
from members.enrolment import commands
from members.enrolment.rules import NewMember
from members.enrolment.schemas import EnrolMember, EnrolmentOutcome, ImportMembers
from members.files import disclosure, queries
from members.files.routes import IMPORT
from members.files.rules.personal_fields import PersonalFields
from members.files.schemas import MemberOut
from webapi import Caller, access, described
from webapi.sealing import Ring

router = APIRouter(prefix="/v1", tags=["members"])


@router.post(
    "/members",
    status_code=201,
    response_model=MemberOut,
    openapi_extra=access(IMPORT)
    | audited("members.file.enrolled")
    | described(
        "建立党员档案",
        "Enrol a member",
        example={
            "organisation_id": "01930000-0000-7000-8000-000000000002",
            "stage": "full",
            "name": "张三",
            "id_number": "11010519491231002X",
            "phone": "13800138000",
            "away": True,
            "smartphone": True,
        },
    ),
)
async def enrol_member(body: EnrolMember, caller: Caller, ring: Ring) -> Response:
    """Open a file for a member of a branch; 200 when it is there already and says the same."""
    by, member = audit.by(caller.principal, await caller.remit(IMPORT)), _new_member(body)
    async with caller.command() as command:
        outcome = await commands.enrol_member(command.session, member=member, ring=ring, now=command.now, by=by)
        number = member.fields.id_number
        row = await queries.file_by_id_number(command.session, number, ring=ring, remit=by.remit)
        shown = disclosure.shown(row, ring)
        status = 201 if outcome.added else 200
        return await command.respond(status, shown, location=f"/v1/members/{shown.person_id}")


@router.post(
    "/member-imports",
    response_model=EnrolmentOutcome,
    openapi_extra=access(IMPORT)
    | audited("members.file.imported")
    | described(
        "批量建立党员档案",
        "Import members",
        example={
            "rows": [
                {
                    "organisation_id": "01930000-0000-7000-8000-000000000002",
                    "stage": "full",
                    "name": "张三",
                    "id_number": "11010519491231002X",
                }
            ]
        },
    ),
)
async def import_members(body: ImportMembers, caller: Caller, ring: Ring) -> Response:
    """Open files for up to 1,000 members, all or none; rows that are on file already are counted as unchanged."""
    by, members = audit.by(caller.principal, await caller.remit(IMPORT)), [_new_member(row) for row in body.rows]
    async with caller.command() as command:
        outcome = await commands.import_members(command.session, members=members, ring=ring, now=command.now, by=by)
        return await command.respond(200, outcome)


def _new_member(body: EnrolMember) -> NewMember:
    return NewMember(
        person_id=body.person_id or new_id(),
        id_is_ours=body.person_id is None,
        organisation_id=body.organisation_id,
        stage=body.stage,
        away=body.away,
        smartphone=body.smartphone,
        fields=PersonalFields(body.name, body.id_number, body.phone),
    )
