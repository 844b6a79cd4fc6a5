"""Clients over HTTP: proposed by one person, reviewed by another, suspended and resumed."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

import audit
import orgtree
from audit import audited
from database import new_id
from identity.clients import commands, queries
from identity.clients.queries import shaped
from identity.clients.schemas import ClientOut, ClientTerms, ClientWithSecret, Decide, ProposeClient
from identity.clients.tables import Client
from webapi import AuthenticatedCaller, Caller, Page, PageQuery, Refusal, access, described, json_answer
from webapi.problems import PERMISSION_MISSING
from webapi.step_up import TWO_FACTORS
from webapi.validation import worded
from webapi.versions import Expected, IfMatch

router = APIRouter(prefix="/v1/clients", tags=["clients"])

REGISTER = "identity.client.register"
REVIEW = "identity.client.review"
READ = "identity.client.read"
_ClientId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        pattern=worded(
            r"^[a-z][a-z0-9-]*$",
            en="This must be lower-case letters, digits and hyphens, the first a letter.",
            zh="应为小写字母、数字或连字符，以字母开头。",
        ),
    ),
]
_Status = Annotated[
    Literal["proposed", "refused", "active", "suspended"] | None, Query(description="Of this status alone.")
]


@router.post(
    "",
    status_code=201,
    response_model=ClientOut,
    openapi_extra=access(REGISTER)
    | audited("identity.client.proposed")
    | described(
        "申请登记客户端",
        "Propose a client",
        example={
            "client_id": "village-bulletin",
            "name_zh": "村务公告",
            "name_en": "Village bulletin",
            "application_type": "web",
            "redirect_uris": ["https://bulletin.example/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "scopes": ["openid", "activities.read"],
            "token_endpoint_auth_method": "none",
            "requests_per_minute": 600,
        },
    ),
)
async def propose_client(body: ProposeClient, caller: Caller) -> Response:
    """Propose a front end or system that may ask for tokens; it gets none until somebody else approves it."""
    by = await _of_whole_system(caller, REGISTER)
    client_id = body.client_id or f"client-{secrets.token_hex(8)}"
    terms = ClientTerms.model_validate(body.model_dump(exclude={"client_id"}))
    async with caller.command() as command:
        client, proposal = await commands.propose_client(
            command.session,
            client_id=client_id,
            principal_id=new_id(),
            proposal_id=new_id(),
            terms=terms,
            by=by,
            now=command.now,
        )
        return await command.respond(201, shaped(client, proposal), location=f"/v1/clients/{client_id}")


@router.post(
    "/{client_id}/changes",
    status_code=202,
    response_model=ClientOut,
    openapi_extra=access(REGISTER)
    | audited("identity.client.proposed")
    | described(
        "申请变更客户端的登记内容",
        "Propose other terms for a client",
        example={
            "name_zh": "村务公告",
            "name_en": "Village bulletin",
            "application_type": "web",
            "redirect_uris": ["https://bulletin.example/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "scopes": ["openid", "activities.read", "learning.read"],
            "token_endpoint_auth_method": "none",
            "requests_per_minute": 1200,
        },
    ),
)
async def propose_client_change(client_id: _ClientId, body: ClientTerms, caller: Caller, expected: IfMatch) -> Response:
    """Propose other terms; those in force stay until somebody else approves. An earlier proposal is replaced."""
    by = await _of_whole_system(caller, REGISTER)
    async with caller.command() as command:
        client, proposal = await commands.propose_change(
            command.session,
            client_id=client_id,
            proposal_id=new_id(),
            terms=body,
            expected=expected,
            by=by,
            now=command.now,
        )
        return await command.respond(202, shaped(client, proposal))


@router.post(
    "/{client_id}/approval",
    response_model=ClientWithSecret,
    openapi_extra=access(REVIEW)
    | audited("identity.client.approved")
    | described(
        "批准客户端的申请", "Approve what is proposed", example={"proposal_id": "01930000-0000-7000-8000-000000000001"}
    ),
)
async def approve_client(client_id: _ClientId, body: Decide, caller: Caller, expected: IfMatch) -> Response:
    """Put a proposal of somebody else in force. A secret made by it is shown in this answer alone."""
    return await _reviewed(client_id, caller, expected, partial(commands.approve, proposal_id=body.proposal_id))


@router.post(
    "/{client_id}/refusal",
    response_model=ClientOut,
    openapi_extra=access(REVIEW)
    | audited("identity.client.refused")
    | described(
        "驳回客户端的申请", "Refuse what is proposed", example={"proposal_id": "01930000-0000-7000-8000-000000000001"}
    ),
)
async def refuse_client(client_id: _ClientId, body: Decide, caller: Caller, expected: IfMatch) -> Response:
    """Refuse a proposal of somebody else; what is in force stays."""
    return await _reviewed(client_id, caller, expected, partial(commands.refuse, proposal_id=body.proposal_id))


@router.post(
    "/{client_id}/suspension",
    response_model=ClientOut,
    openapi_extra=access(REVIEW) | audited("identity.client.suspended") | described("暂停客户端", "Suspend"),
)
async def suspend_client(client_id: _ClientId, caller: Caller, expected: IfMatch) -> Response:
    """Let a client get no more tokens, and none of its tokens through the gateway, until it is resumed."""
    return await _reviewed(client_id, caller, expected, partial(commands.set_suspended, suspended=True))


@router.post(
    "/{client_id}/resumption",
    response_model=ClientOut,
    openapi_extra=access(REVIEW) | audited("identity.client.resumed") | described("恢复客户端", "Resume"),
)
async def resume_client(client_id: _ClientId, caller: Caller, expected: IfMatch) -> Response:
    """Let a suspended client go on."""
    return await _reviewed(client_id, caller, expected, partial(commands.set_suspended, suspended=False))


@router.post(
    "/{client_id}/secret-rotations",
    status_code=201,
    response_model=ClientWithSecret,
    openapi_extra=access(REVIEW)
    | audited("identity.client.secret_rotated")
    | described("更换客户端密钥", "Give a client a new secret"),
)
async def rotate_client_secret(client_id: _ClientId, caller: Caller, expected: IfMatch) -> Response:
    """Make a new secret, shown in this answer alone, to somebody else than who proposed the client as it stands.

    The old one ends at once.
    """
    return await _reviewed(
        client_id, caller, expected, commands.rotate_secret, max_age=timedelta(minutes=10), status=201
    )


@router.get(
    "", openapi_extra=access(REGISTER, REVIEW) | audited(READ) | described("已登记的客户端", "The clients there are")
)
async def list_clients(caller: Caller, page: PageQuery, status: _Status = None) -> Page[ClientOut]:
    """List clients by their ids, each with the change that is proposed."""
    by = await _of_whole_system(caller, REGISTER, REVIEW)
    async with caller.recorded_read() as read:
        await audit.record(read.session, by.entry(READ), now=read.now)
        return await queries.list_clients(read.session, page, status)


@router.get(
    "/{client_id}",
    response_model=ClientOut,
    openapi_extra=access(REGISTER, REVIEW) | audited(READ) | described("查看一个客户端", "One client"),
)
async def read_client(client_id: _ClientId, caller: Caller) -> Response:
    """Give a client as it stands, with the change that is proposed."""
    by = await _of_whole_system(caller, REGISTER, REVIEW)
    async with caller.recorded_read() as read:
        await audit.record(read.session, by.entry(READ), now=read.now)
        return json_answer(await queries.client_by_id(read.session, client_id))


async def _reviewed(
    client_id: str,
    caller: AuthenticatedCaller,
    expected: Expected,
    command_: Callable[..., Awaitable[Client | commands.Registered]],
    *,
    max_age: timedelta | None = None,
    status: int = 200,
) -> Response:
    """Do with a client what takes a reviewer and a second factor, and show it: with its secret, where that is told."""
    by = await _of_whole_system(caller, REVIEW)
    if max_age is not None:
        caller.require_acr(TWO_FACTORS, max_age)
    async with caller.command() as command:
        done = await command_(command.session, client_id=client_id, expected=expected, by=by, now=command.now)
        if isinstance(done, Client):
            return await command.respond(status, shaped(done, None))
        shown = shaped(done.client, None).model_dump()
        return await command.respond(status, ClientWithSecret(**shown, client_secret=done.secret))


async def _of_whole_system(caller: AuthenticatedCaller, *permissions: str) -> audit.Actor:
    """Tell who acts, by a permission held on the root: clients belong to no organisation below it."""
    if orgtree.ROOT_ID not in await caller.remit(*permissions):
        raise Refusal(PERMISSION_MISSING, permission=permissions[0])
    return audit.by(caller.principal, {orgtree.ROOT_ID})
