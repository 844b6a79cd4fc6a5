"""Enrolling members over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

import audit
from database import KeyRing, new_id
from members.enrolment import commands
from members.enrolment.rules import NewMember
from members.enrolment.schemas import EnrolMember, EnrolmentOutcome, ImportMembers
from members.files import openings, queries
from members.files.routes import IMPORT
from members.files.rules.personal_fields import PersonalFields
from members.files.schemas import MemberOut
from webapi import AuthenticatedCaller, Caller, Command, access
from webapi.sealing import Ring

router = APIRouter(prefix="/v1", tags=["members"])


@router.post("/members", status_code=201, response_model=MemberOut, openapi_extra=access(IMPORT))
async def enrol_member(body: EnrolMember, caller: Caller, ring: Ring) -> Response:
    """Open a file for a member of a branch; 200 when it is there already and says the same."""
    scopes = await caller.scopes(IMPORT)
    async with caller.command() as command:
        members = [_new_member(body)]
        outcome = await _enrol(command, members, scopes, ring, caller)
        shown = openings.shown(
            await queries.file_by_id_number(command.session, members[0].fields.id_number, ring=ring, scopes=scopes),
            ring,
        )
        enrolled = audit.by(caller.principal, scopes).entry(
            "members.file.enrolled", subject=shown.person_id, organisation_id=shown.organisation_id
        )
        await audit.record(command.session, enrolled, now=command.now)
        status = 201 if outcome.added else 200
        return await command.respond(status, shown, location=f"/v1/members/{shown.person_id}")


@router.post("/member-imports", response_model=EnrolmentOutcome, openapi_extra=access(IMPORT))
async def import_members(body: ImportMembers, caller: Caller, ring: Ring) -> Response:
    """Open files for up to 1,000 members, all or none; rows that are on file already are counted as unchanged."""
    scopes = await caller.scopes(IMPORT)
    async with caller.command() as command:
        outcome = await _enrol(command, [_new_member(row) for row in body.rows], scopes, ring, caller)
        by = audit.by(caller.principal, scopes)
        branches = sorted({row.organisation_id for row in body.rows})
        imported = [by.entry("members.file.imported", organisation_id=branch) for branch in branches]
        await audit.record_all(command.session, imported, now=command.now)
        return await command.respond(200, EnrolmentOutcome(added=outcome.added, unchanged=outcome.unchanged))


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


async def _enrol(
    command: Command, members: list[NewMember], scopes: frozenset[UUID], ring: KeyRing, caller: AuthenticatedCaller
) -> commands.Enrolled:
    return await commands.enrol_members(
        command.session,
        members=members,
        scopes=scopes,
        ring=ring,
        now=command.now,
        by=audit.by(caller.principal, scopes),
    )
