"""Accounts over HTTP: opening one."""

from fastapi import APIRouter
from starlette.responses import Response

import audit
from audit import audited
from database import new_id
from identity.accounts.commands import OPEN, PhoneOfAnother, open_account
from identity.accounts.phones import put_on_file
from identity.accounts.schemas import AccountOpened, OpenAccount
from identity.credentials.rules import require_username
from identity.shared import Shared
from webapi import Caller, access, described
from webapi.normal_forms import international

router = APIRouter(prefix="/v1", tags=["accounts"])


@router.post(
    "/accounts",
    status_code=201,
    response_model=AccountOpened,
    openapi_extra=access(OPEN)
    | audited("identity.account.opened", "identity.account.first_password_given")
    | described(
        "开立账号",
        "Open an account",
        example={
            "organisation_id": "01930000-0000-7000-8000-000000000001",
            "username": "zhangsan",
            "password": "一个只说一次的口令",
        },
    ),
)
async def open_account_(body: OpenAccount, caller: Caller, shared: Shared) -> Response:
    """Open an account with a username and a first password, for a person of an organisation in one's own remit.

    An account that was opened by a list and has no password yet is given this one, by the same username. One for a
    member opens nothing until they have proven that it is theirs: at the first sign-in, by a code to the phone on
    their file, which hears of the opening, or by an officer who sees them. They give it a phone themselves. An account
    for a member whose affiliation has not arrived yet is checked when it does, and deactivated if the member
    belongs to an organisation outside that remit.
    """
    by = audit.by(caller.principal, await caller.remit(OPEN))
    if body.person_id is not None and body.phone is not None:
        raise PhoneOfAnother
    username = require_username(body.username)
    phone = None if body.phone is None else international(body.phone)
    typed, also = body.password.get_secret_value(), [phone] if phone else []
    # Before the transaction: nothing waits for it in there.
    encoding = await shared.passwords.choose(caller.person_id, typed, username=username, also=also)
    async with caller.command() as command:
        account = await open_account(
            command.session,
            person_id=body.person_id,
            username=username,
            password_encoding=encoding,
            organisation_id=body.organisation_id,
            by=by,
            new_id=new_id,
            now=command.now,
        )
        person_id = account.account_id
        if phone is not None:
            await put_on_file(
                command.session, shared.ring, account_id=person_id, phone=phone, new_id=new_id, now=command.now
            )
        opened = AccountOpened(
            person_id=person_id,
            username=username,
            organisation_id=account.organisation_id,
            opened_at=account.opened_at,
        )
        return await command.respond(201, opened)
