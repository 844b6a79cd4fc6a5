"""Accounts over HTTP: opening one, and asking who one is."""

from fastapi import APIRouter
from starlette.responses import Response

import audit
from audit import audited
from china_time import day_of
from database import new_id, utc_now
from identity.accounts.commands import open_account
from identity.accounts.credentials import username_of
from identity.accounts.schemas import AccountOpened, Me, OpenAccount, RoleHeld
from identity.credentials.rules import require_password, require_username
from identity.parts import Parts
from identity.phones import put_on_file, require_phone
from identity.roles.queries import held_on
from webapi import Caller, access

router = APIRouter(prefix="/v1", tags=["accounts"])

OPEN = "identity.account.open"


@router.post(
    "/accounts",
    status_code=201,
    response_model=AccountOpened,
    summary="Open an account",
    openapi_extra=access(OPEN) | audited("identity.account.opened"),
)
async def open_account_(body: OpenAccount, caller: Caller, parts: Parts) -> Response:
    """Open an account with a username and a first password, for a person of an organisation in one's own scope.

    An account for a member whose affiliation has not arrived yet is checked when it does, and deactivated if the member
    belongs to an organisation outside that scope.
    """
    scopes = await caller.scopes(OPEN)
    username = require_username(body.username)
    phone = None if body.phone is None else require_phone(body.phone)
    password = require_password(body.password.get_secret_value(), username=username, also=[phone] if phone else [])
    encoding = await parts.passwords.hash(password)  # before the transaction: nothing waits for it in there
    async with caller.command() as command:
        account = await open_account(
            command.session,
            person_id=body.person_id,
            username=username,
            password_encoding=encoding,
            organisation_id=body.organisation_id,
            opener=caller.person_id,
            scopes=scopes,
            new_id=new_id,
            now=command.now,
        )
        if phone is not None:
            opened_for = account.account_id
            await put_on_file(
                command.session, parts.ring, account_id=opened_for, phone=phone, new_id=new_id, now=command.now
            )
        entry = audit.by(caller.principal, scopes).entry(
            "identity.account.opened", subject=account.account_id, organisation_id=account.organisation_id
        )
        await audit.record(command.session, entry, now=command.now)
        opened = AccountOpened(
            person_id=account.account_id,
            username=username,
            organisation_id=account.organisation_id,
            opened_at=account.opened_at,
        )
        return await command.respond(201, opened)


@router.get("/me", summary="Who am I", openapi_extra=access("self"))
async def me(caller: Caller) -> Me:
    """Say who is acting and which roles they hold today; a token shows those of the moment it was made."""
    person_id = caller.person_id
    async with caller.read() as session:
        username = await username_of(session, person_id)
        roles = (await session.execute(held_on(person_id, day_of(utc_now())))).all()
    held = [RoleHeld(role=role, organisation_id=organisation_id) for role, organisation_id in roles]
    return Me(person_id=person_id, username=username, roles=held)
