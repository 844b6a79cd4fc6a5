"""Routes of cases: open, list, look at, answer, confirm."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

import audit
from audit import audited
from contracts import Code
from database import new_id
from feedback.cases import commands, queries
from feedback.cases.rules import CaseStatus
from feedback.cases.schemas import AnswerCase, CaseOut, CaseWithEntries, OpenCase
from webapi import Caller, IdsQuery, Page, PageQuery, access, assistable, described, json_answer, limited
from webapi.sealing import Ring
from webapi.versions import IfMatch

READ = "feedback.case.read"
ANSWER = "feedback.case.answer"

router = APIRouter(prefix="/v1/cases", tags=["cases"])


@router.post(
    "",
    status_code=201,
    response_model=CaseOut,
    openapi_extra=access("self")
    | limited(commands.CASES)
    | described(
        "反映诉求",
        "Open a case",
        example={
            "case_id": "01930000-0000-7000-8000-000000000007",
            "category": "roads",
            "organisation_id": "01930000-0000-7000-8000-000000000002",
            "text": "村口石桥的护栏断了一截。",
        },
    ),
)
@assistable("feedback.open_case")
async def open_case(body: OpenCase, caller: Caller, ring: Ring) -> Response:
    """Say something about a place; it reaches whoever is responsible there, with a deadline."""
    async with caller.command() as command:
        case_id, by = body.case_id or new_id(), audit.by(caller.principal)
        case = await commands.open_case(
            command.session, case_id=case_id, wanted=body, ring=ring, by=by, now=command.now
        )
        return await command.respond(201, CaseOut.model_validate(case), location=f"/v1/cases/{case_id}")


@router.get(
    "",
    response_model=Page[CaseOut],
    openapi_extra=access("self", READ) | audited("feedback.case.listed") | described("诉求列表", "Cases"),
)
@assistable("feedback.confirm_case")
async def list_cases(
    *,
    page: PageQuery,
    caller: Caller,
    case_id: IdsQuery = None,
    status: CaseStatus | None = None,
    category: Annotated[Code | None, Query()] = None,
    organisation_id: Annotated[UUID | None, Query(description="The place itself.")] = None,
    responsible_id: Annotated[UUID | None, Query(description="The organisation that must answer.")] = None,
    mine: Annotated[bool, Query(description="只列出自己反映的。— Those alone that one brought oneself.")] = False,
) -> Response:
    """List one's own cases, and for staff those of places and organisations within their remit, the latest first."""
    remit = frozenset[UUID]() if mine else await caller.remit_if_any(READ)
    async with caller.recorded_read() as read:
        listed = await queries.list_cases(
            read.session,
            page,
            person_id=caller.person_id,
            remit=remit,
            case_ids=case_id,
            status=status,
            category=category,
            organisation_id=organisation_id,
            responsible_id=responsible_id,
        )
        if remit:
            entry = audit.by(caller.principal, remit).entry("feedback.case.listed", organisation_id=organisation_id)
            await audit.record(read.session, entry, now=read.now)
        return json_answer(listed)


@router.get(
    "/{case_id}",
    response_model=CaseWithEntries,
    openapi_extra=access("self", READ) | audited("feedback.case.read") | described("查看一件诉求", "One case"),
)
@assistable("feedback.confirm_case")
async def get_case(case_id: UUID, caller: Caller, ring: Ring) -> Response:
    """Give a case with what was said and done."""
    remit = await caller.remit_if_any(READ)
    async with caller.recorded_read() as read:
        try:
            found = await queries.one_case(read.session, case_id, person_id=caller.person_id, remit=remit, ring=ring)
        except queries.CaseUnknown:
            caller.require_nothing_withheld()
            raise
        if found.reporter_id != caller.person_id or caller.principal.actor is not None:
            entry = audit.by(caller.principal, remit).entry(
                "feedback.case.read",
                subject=found.reporter_id,
                object_id=case_id,
                organisation_id=found.organisation_id,
            )
            await audit.record(read.session, entry, now=read.now)
        return json_answer(found)


@router.post(
    "/{case_id}/answers",
    status_code=201,
    response_model=CaseOut,
    openapi_extra=access(ANSWER)
    | audited("feedback.case.answered")
    | described("答复诉求", "Answer a case", example={"text": "护栏已修好，请看。"}),
)
async def answer_case(case_id: UUID, body: AnswerCase, caller: Caller, ring: Ring, expected: IfMatch) -> Response:
    """Answer a case for the organisation responsible for it."""
    by = audit.by(caller.principal, await caller.remit(ANSWER))
    visible = await caller.remit_if_any(READ)
    async with caller.command() as command:
        case = await commands.answer_case(
            command.session,
            case_id=case_id,
            text=body.text,
            expected=expected,
            visible=visible,
            ring=ring,
            by=by,
            now=command.now,
        )
        return await command.respond(201, CaseOut.model_validate(case))


@router.post(
    "/{case_id}/confirmation",
    response_model=CaseOut,
    openapi_extra=access("self") | described("确认诉求已解决", "Confirm that the answer settles it"),
)
@assistable("feedback.confirm_case")
async def confirm_answer(case_id: UUID, caller: Caller, expected: IfMatch) -> Response:
    """Confirm that the answer settles one's case."""
    by, visible = audit.by(caller.principal), await caller.remit_if_any(READ)
    async with caller.command() as command:
        case = await commands.confirm_answer(
            command.session, case_id=case_id, expected=expected, visible=visible, by=by, now=command.now
        )
        return await command.respond(200, CaseOut.model_validate(case))
