"""One's own account over HTTP: who one is; password and phone, changed by who has just signed in."""

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

import audit
from china_time import day_of
from database import new_id, utc_now
from identity.accounts.credentials import encoding_of, username_of
from identity.challenges.commands import Asking, CodeRefused, answer, issue
from identity.challenges.rules import CODE_LIFETIME
from identity.credentials.passwords import TooManySignIns
from identity.credentials.rules import PasswordUnchanged, PasswordWrong, normalised_password
from identity.factors.ownership import require_owner
from identity.own_account.commands import change_phone
from identity.own_account.schemas import ChangePassword, CodeSent, ConfirmPhone, Me, OwnPhone, PhoneToConfirm, RoleHeld
from identity.roles.queries import held_on
from identity.shared import IdentityShared, Shared
from identity.sign_in.password_change import change_password, chosen_password
from identity.throttling.guesses import begin_guess, forgive, take_back
from identity.throttling.rates import subject_of
from webapi import AuthenticatedCaller, Caller, RefusedWithEffect, access, described
from webapi.normal_forms import international

router = APIRouter(prefix="/v1/me", tags=["accounts"])

PURPOSE = "phone"


@router.get("", openapi_extra=access("self") | described("我是谁", "Who am I"))
async def me(caller: Caller) -> Me:
    """Say who is acting and which roles they hold today; a token shows those of the moment it was made."""
    person_id = caller.person_id
    async with caller.read() as session:
        username = await username_of(session, person_id)
        roles = (await session.execute(held_on(person_id, day_of(utc_now())))).all()
    held = [RoleHeld(role=role, organisation_id=organisation_id) for role, organisation_id in roles]
    return Me(person_id=person_id, username=username, roles=held)


@router.post(
    "/password",
    status_code=204,
    openapi_extra=access("self")
    | described(
        "修改本人密码",
        "Change my password",
        example={"old_password": "一个只说一次的口令", "new_password": "桥下的水向东流了三年"},
    ),
)
async def change_password_(body: ChangePassword, caller: Caller, shared: Shared) -> Response:
    """Replace the password by another; all other sessions end, and the phone on file gets a notice."""
    await require_owner(caller)
    me = caller.person_id
    async with caller.read() as session:
        encoding = await encoding_of(session, me)
    old = body.old_password.get_secret_value()
    await _require_old(shared, caller, encoding, old)
    new = body.new_password.get_secret_value()
    if normalised_password(new) == normalised_password(old):
        raise PasswordUnchanged
    replacement = await chosen_password(shared, me, new)
    async with caller.command() as command:
        await change_password(
            command.session,
            shared.ring,
            account_id=me,
            encoding=replacement,
            keeping=UUID(family) if (family := caller.principal.session_id) else None,
            language=caller.language,
            new_id=new_id,
            now=command.now,
        )
        return await command.respond(204)


@router.post(
    "/phone",
    status_code=202,
    response_model=CodeSent,
    openapi_extra=access("self")
    | described("登记本人的新手机号", "Name a new phone of mine", example={"phone": "13800138000"}),
)
async def name_phone(body: PhoneToConfirm, caller: Caller, shared: Shared, request: Request) -> Response:
    """Send a code to a phone number that is to be mine; whether somebody else has it is told once it is confirmed."""
    await require_owner(caller)
    phone = international(body.phone)
    async with caller.command() as command:
        challenge_id = await issue(
            command.session,
            shared.ring,
            purpose=PURPOSE,
            phone=phone,
            account_id=caller.person_id,
            asking=Asking(caller.language, shared.client_address(request), shared.codes_per_address),
            now=command.now,
            new_id=new_id,
        )
        sent = CodeSent(challenge_id=challenge_id, expires_at=command.now + CODE_LIFETIME)
        return await command.respond(202, sent)


@router.post(
    "/phone/confirmation",
    response_model=OwnPhone,
    openapi_extra=access("self")
    | described(
        "确认本人的新手机号",
        "Confirm my new phone",
        example={"challenge_id": "01930000-0000-7000-8000-000000000001", "code": "123456"},
    ),
)
async def confirm_phone(body: ConfirmPhone, caller: Caller, shared: Shared) -> Response:
    """Take over the number that the code was sent to; the former number gets a notice."""
    await require_owner(caller)
    async with caller.command() as command:
        verdict = await answer(
            command.session,
            shared.ring,
            challenge_id=body.challenge_id,
            purpose=PURPOSE,
            code=body.code,
            now=command.now,
        )
        if verdict.phone is None or verdict.account_id != caller.person_id:
            raise RefusedWithEffect(CodeRefused())
        await change_phone(
            command.session,
            shared.ring,
            by=audit.by(caller.principal),
            phone=verdict.phone,
            lapses=shared.lapses,
            language=caller.language,
            new_id=new_id,
            now=command.now,
        )
        return await command.respond(200, OwnPhone(ends_in=verdict.phone[-4:]))


async def _require_old(shared: IdentityShared, caller: AuthenticatedCaller, encoding: str | None, typed: str) -> None:
    """Raise `PasswordWrong`, `TooOften` for who guesses with a stolen token, or `TooManySignIns`, which counts not."""
    now, subject = utc_now(), subject_of(shared.ring, "own_password", str(caller.person_id))
    async with shared.database.transaction() as session:
        guess = await begin_guess(session, subject, now=now)
    try:
        verdict = await shared.passwords.verify(encoding, typed)
    except TooManySignIns:
        async with shared.database.transaction() as session:
            await take_back(session, guess)
        raise
    if not verdict.matches:
        raise PasswordWrong
    async with shared.database.transaction() as session:
        await forgive(session, guess)
