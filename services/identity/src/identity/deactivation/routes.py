"""Taking accounts out of use and bringing them back, over HTTP."""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

import audit
from audit import audited
from identity.deactivation.commands import deactivate_account, reactivate_account
from identity.shared import Shared
from webapi import AuthenticatedCaller, Caller, access, described
from webapi.bodies import Shown

router = APIRouter(prefix="/v1/accounts/{account_id}", tags=["accounts"])

DEACTIVATE = "identity.account.deactivate"


class AccountInUse(Shown):
    """Whether an account is in use."""

    person_id: UUID
    in_use: bool


@router.post(
    "/deactivation",
    response_model=AccountInUse,
    openapi_extra=access(DEACTIVATE)
    | audited("identity.account.deactivated")
    | described("停用账号", "Take an account out of use"),
)
async def deactivate(account_id: UUID, caller: Caller, shared: Shared) -> Response:
    """Take the account of somebody in one's remit out of use; all their sessions end, everywhere and at once."""
    command = partial(deactivate_account, ring=shared.ring, lapses=shared.lapses)
    return await _change(caller, account_id, command, in_use=False)


@router.post(
    "/reactivation",
    response_model=AccountInUse,
    openapi_extra=access(DEACTIVATE)
    | audited("identity.account.reactivated")
    | described("重新启用账号", "Bring an account back into use"),
)
async def reactivate(account_id: UUID, caller: Caller) -> Response:
    """Bring an account in one's remit back into use, with the credentials and roles it had."""
    return await _change(caller, account_id, reactivate_account, in_use=True)


async def _change(
    caller: AuthenticatedCaller, account_id: UUID, command_: Callable[..., Awaitable[None]], *, in_use: bool
) -> Response:
    by = audit.by(caller.principal, await caller.remit(DEACTIVATE))
    async with caller.command() as command:
        await command_(command.session, account_id=account_id, by=by, now=command.now)
        return await command.respond(200, AccountInUse(person_id=account_id, in_use=in_use))
