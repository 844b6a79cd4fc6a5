"""Lists of accounts over HTTP: giving one, the second person's word on it, and what became of each row."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

import audit
from audit import audited
from database import new_id
from identity.account_lists import queries
from identity.account_lists.commands import APPROVE, OPEN, decide_about_list, give_list
from identity.account_lists.schemas import AccountListOut, AccountListRowOut, GiveAccountList, Status
from webapi import AuthenticatedCaller, Caller, IdsQuery, Page, PageQuery, access, described

router = APIRouter(prefix="/v1/account-lists", tags=["accounts"])

READ = "identity.account_list.read"


@router.post(
    "",
    status_code=201,
    response_model=AccountListOut,
    openapi_extra=access(OPEN)
    | audited("identity.account_list.given")
    | described(
        "提交开户名单",
        "Give a list of accounts to open",
        example={
            "organisation_id": "01930000-0000-7000-8000-000000000001",
            "rows": [
                {
                    "person_id": "01930000-0000-7000-8000-000000000002",
                    "organisation_id": "01930000-0000-7000-8000-000000000003",
                    "username": "zhangsan",
                }
            ],
        },
    ),
)
async def give_list_(body: GiveAccountList, caller: Caller) -> Response:
    """Give a list of up to 1,000 accounts to open for members of one's own remit; another person approves it.

    No password is given: whoever an account is for chooses it.
    """
    by = audit.by(caller.principal, await caller.remit(OPEN))
    async with caller.command() as command:
        list_id = await give_list(command.session, wanted=body, by=by, new_id=new_id, now=command.now)
        shown = await queries.one_list(command.session, list_id, by.remit, now=command.now)
        return await command.respond(201, shown, location=f"/v1/account-lists/{list_id}")


@router.get(
    "", openapi_extra=access(OPEN, APPROVE) | audited(READ) | described("开户名单", "The lists of accounts to open")
)
async def list_lists(
    caller: Caller,
    page: PageQuery,
    list_id: IdsQuery = None,
    status: Annotated[Status | None, Query(description="Those alone.")] = None,
) -> Page[AccountListOut]:
    """List the lists of one's own remit, newest first."""
    remit = await caller.remit(OPEN, APPROVE)
    async with caller.recorded_read() as read:
        await audit.record(read.session, audit.by(caller.principal, remit).entry(READ), now=read.now)
        return await queries.list_lists(read.session, page, remit, list_id, status, now=read.now)


@router.get(
    "/{list_id}",
    openapi_extra=access(OPEN, APPROVE)
    | audited(READ)
    | described("一份开户名单的进度", "How far a list of accounts is"),
)
async def get_list(list_id: UUID, caller: Caller) -> AccountListOut:
    """Say how a list of one's own remit stands, and how many of its accounts are opened."""
    async with _reading(caller, list_id) as (_, shown):
        return shown


@router.get(
    "/{list_id}/rows",
    openapi_extra=access(OPEN, APPROVE)
    | audited(READ)
    | described("开户名单的逐行结果", "The rows of a list of accounts, and what became of each"),
)
async def list_rows(list_id: UUID, caller: Caller, page: PageQuery) -> Page[AccountListRowOut]:
    """List the rows of a list of one's own remit; one that could not be opened says why."""
    async with _reading(caller, list_id) as (session, _):
        return await queries.list_rows(session, page, list_id)


@router.post(
    "/{list_id}/approval",
    response_model=AccountListOut,
    openapi_extra=access(APPROVE)
    | audited("identity.account_list.approved")
    | described("批准开户名单", "Approve a list of accounts"),
)
async def approve_list_(list_id: UUID, caller: Caller) -> Response:
    """Let the accounts of a list be opened, as the second person; what cannot be opened stops no other row."""
    return await _decided(caller, APPROVE, list_id, "approved")


@router.post(
    "/{list_id}/refusal",
    response_model=AccountListOut,
    openapi_extra=access(APPROVE)
    | audited("identity.account_list.refused")
    | described("驳回开户名单", "Refuse a list of accounts"),
)
async def refuse_list_(list_id: UUID, caller: Caller) -> Response:
    """Refuse a list for good; it may be given anew."""
    return await _decided(caller, APPROVE, list_id, "refused")


@router.delete(
    "/{list_id}",
    response_model=AccountListOut,
    openapi_extra=access(OPEN)
    | audited("identity.account_list.withdrawn")
    | described("撤回开户名单", "Withdraw a list of accounts"),
)
async def withdraw_list_(list_id: UUID, caller: Caller) -> Response:
    """Withdraw a list of one's own remit that nobody decided about."""
    return await _decided(caller, OPEN, list_id, "withdrawn")


@asynccontextmanager
async def _reading(caller: AuthenticatedCaller, list_id: UUID) -> AsyncIterator[tuple[AsyncSession, AccountListOut]]:
    """Open the recorded read of a list of the caller's remit."""
    remit = await caller.remit(OPEN, APPROVE)
    async with caller.recorded_read() as read:
        shown = await queries.one_list(read.session, list_id, remit, now=read.now)
        by, place = audit.by(caller.principal, remit), shown.organisation_id
        await audit.record(read.session, by.entry(READ, object_id=list_id, organisation_id=place), now=read.now)
        yield read.session, shown


async def _decided(caller: AuthenticatedCaller, permission: str, list_id: UUID, word: Status) -> Response:
    by = audit.by(caller.principal, await caller.remit(permission))
    async with caller.command() as command:
        await decide_about_list(command.session, list_id=list_id, word=word, by=by, now=command.now)
        return await command.respond(200, await queries.one_list(command.session, list_id, by.remit, now=command.now))
