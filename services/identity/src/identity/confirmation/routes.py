"""Confirming accounts over HTTP."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

import audit
from audit import audited
from identity.challenges.commands import CodeRefused
from identity.confirmation.commands import CONFIRM, confirm_account
from identity.confirmation.schemas import AccountConfirmed, ConfirmAccount
from identity.shared import Shared
from webapi import Caller, RefusedWithEffect, access, described

router = APIRouter(prefix="/v1/accounts/{account_id}", tags=["accounts"])


@router.post(
    "/confirmation",
    status_code=201,
    response_model=AccountConfirmed,
    openapi_extra=access(CONFIRM)
    | audited("identity.account.confirmed")
    | described("当面确认账号属于本人", "Confirm that a person is the account's", example={"number": "1234 5678"}),
)
async def confirm_account_(account_id: UUID, body: ConfirmAccount, caller: Caller, shared: Shared) -> Response:
    """Confirm that the person of the account stands before one: by the number on their page.

    Where it was opened for them and no code reaches the phone on their member file, or where they set its password by a
    code to a phone alone. Whoever opened the account cannot do it, nor anybody whose office comes of them.
    """
    by = audit.by(caller.principal, await caller.remit(CONFIRM))
    async with caller.command() as command:
        account = await confirm_account(
            command.session, shared.ring, account_id=account_id, number=body.number, by=by, now=command.now
        )
        if account is None:
            raise RefusedWithEffect(CodeRefused())
        confirmed = AccountConfirmed(
            person_id=account_id, opened_by=account.opened_by, confirmed_by=by.actor, proven_at=command.now
        )
        return await command.respond(201, confirmed)
