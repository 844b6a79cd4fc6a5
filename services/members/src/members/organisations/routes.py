"""The organisation tree over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

import audit
from audit import about_nobody, audited
from china_time import Day
from database import new_id
from members.organisations import commands, queries
from members.organisations.rules import Kind, Level
from members.organisations.schemas import (
    EstablishOrganisation,
    ImportOrganisations,
    ImportOutcome,
    MoveOrganisation,
    OrganisationOut,
    OrganisationRow,
    RenameOrganisation,
)
from webapi import Caller, Page, PageQuery, access, described, json_answer
from webapi.versions import IfMatch

READ = "members.organisation.read"
ESTABLISH = "members.organisation.establish"
ESTABLISHED = audited("members.organisation.established")
NO_PEOPLE = about_nobody("it tells of organisations, not of people")

router = APIRouter(prefix="/v1", tags=["organisations"])

AsOf = Annotated[Day | None, Query(description="As it was on this day; now when left out.")]


@router.post(
    "/organisations",
    status_code=201,
    response_model=OrganisationOut,
    openapi_extra=access(ESTABLISH)
    | ESTABLISHED
    | described(
        "设立组织",
        "Establish an organisation",
        example={
            "organisation_id": "01930000-0000-7000-8000-000000000002",
            "parent_id": "01930000-0000-7000-8000-000000000001",
            "kind": "branch",
            "level": "branch",
            "name": "石桥村党支部",
            "division_code": "520424101201",
        },
    ),
)
async def establish_organisation(body: EstablishOrganisation, caller: Caller) -> Response:
    """Establish an organisation under its parent; 200 when it is there already and says the same."""
    by = audit.by(caller.principal, await caller.remit(ESTABLISH))
    row = OrganisationRow(**{**body.model_dump(), "organisation_id": body.organisation_id or new_id()})
    async with caller.command() as command:
        outcome = await commands.establish_organisations(command.session, rows=[row], by=by, now=command.now)
        shown = await queries.one_organisation(command.session, row.organisation_id, remit=by.remit)
        status = 201 if outcome.added else 200
        return await command.respond(status, shown, location=f"/v1/organisations/{row.organisation_id}")


@router.post(
    "/organisation-imports",
    response_model=ImportOutcome,
    openapi_extra=access(ESTABLISH)
    | ESTABLISHED
    | described(
        "批量设立组织",
        "Import organisations",
        example={
            "rows": [
                {
                    "organisation_id": "01930000-0000-7000-8000-000000000002",
                    "parent_id": "01930000-0000-7000-8000-000000000001",
                    "kind": "branch",
                    "level": "branch",
                    "name": "石桥村党支部",
                }
            ]
        },
    ),
)
async def import_organisations(body: ImportOrganisations, caller: Caller) -> Response:
    """Establish up to 1,000 organisations, all or none; rows that are there already are counted as unchanged."""
    by = audit.by(caller.principal, await caller.remit(ESTABLISH))
    async with caller.command() as command:
        outcome = await commands.establish_organisations(command.session, rows=body.rows, by=by, now=command.now)
        return await command.respond(200, outcome)


@router.post(
    "/organisations/{organisation_id}/moves",
    response_model=OrganisationOut,
    openapi_extra=access(ESTABLISH)
    | audited("members.organisation.moved")
    | described(
        "将组织划归另一上级", "Move an organisation", example={"parent_id": "01930000-0000-7000-8000-000000000001"}
    ),
)
async def move_organisation(
    organisation_id: UUID, body: MoveOrganisation, caller: Caller, expected: IfMatch
) -> Response:
    """Move an organisation, and all below it, under another parent; both must be in the caller's charge."""
    by = audit.by(caller.principal, await caller.remit(ESTABLISH))
    async with caller.command() as command:
        await commands.move_organisation(
            command.session, organisation_id=organisation_id, wanted=body, expected=expected, by=by, now=command.now
        )
        shown = await queries.one_organisation(command.session, organisation_id, remit=by.remit)
        return await command.respond(200, shown)


@router.post(
    "/organisations/{organisation_id}/renames",
    response_model=OrganisationOut,
    openapi_extra=access(ESTABLISH)
    | audited("members.organisation.renamed")
    | described("组织更名或改区划代码", "Rename an organisation", example={"name": "石桥新村党支部"}),
)
async def rename_organisation(
    organisation_id: UUID, body: RenameOrganisation, caller: Caller, expected: IfMatch
) -> Response:
    """Give an organisation another name or division code."""
    by = audit.by(caller.principal, await caller.remit(ESTABLISH))
    async with caller.command() as command:
        await commands.rename_organisation(
            command.session, organisation_id=organisation_id, wanted=body, expected=expected, by=by, now=command.now
        )
        shown = await queries.one_organisation(command.session, organisation_id, remit=by.remit)
        return await command.respond(200, shown)


@router.get(
    "/organisations", openapi_extra=access(READ) | NO_PEOPLE | described("组织列表", "The organisations in my remit")
)
async def list_organisations(
    page: PageQuery,
    caller: Caller,
    parent_id: UUID | None = None,
    level: Level | None = None,
    kind: Kind | None = None,
) -> Page[OrganisationOut]:
    """List the organisations in the caller's remit."""
    remit = await caller.remit(READ)
    async with caller.read() as session:
        return await queries.list_organisations(session, page, remit=remit, parent_id=parent_id, level=level, kind=kind)


@router.get(
    "/organisations/{organisation_id}",
    response_model=OrganisationOut,
    openapi_extra=access(READ) | NO_PEOPLE | described("查看一个组织", "One organisation"),
)
async def get_organisation(organisation_id: UUID, caller: Caller, as_of: AsOf = None) -> Response:
    """Read one organisation, as it is or as it was on a day."""
    remit = await caller.remit(READ)
    async with caller.read() as session:
        return json_answer(await queries.one_organisation(session, organisation_id, day=as_of, remit=remit))


@router.get(
    "/organisations/{organisation_id}/children",
    openapi_extra=access(READ) | NO_PEOPLE | described("直属下级组织", "What stands directly below"),
)
async def list_children(
    organisation_id: UUID, page: PageQuery, caller: Caller, as_of: AsOf = None
) -> Page[OrganisationOut]:
    """List what stands directly below an organisation, or stood there on a day."""
    remit = await caller.remit(READ)
    async with caller.read() as session:
        await queries.one_organisation(session, organisation_id, day=as_of, remit=remit)
        return await queries.list_organisations(session, page, remit=remit, day=as_of, parent_id=organisation_id)
