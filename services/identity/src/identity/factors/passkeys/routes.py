"""One's own passkeys over HTTP: made, listed, renamed, removed. Keys are never shown."""

from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import select
from starlette.responses import Response

from china_time import Moment
from database import KeyRing, new_id, page_of
from identity.accounts.credentials import username_of
from identity.factors.ownership import require_owner, tell_owner
from identity.factors.passkeys import commands
from identity.factors.passkeys.ceremonies import PasskeyRefused, registration_options, verified_registration
from identity.factors.passkeys.schemas import AddPasskey, PasskeyOut, RegistrationBegun, RenamePasskey
from identity.factors.tables import Passkey
from identity.shared import Shared
from webapi import AuthenticatedCaller, Caller, Page, PageQuery, RefusedWithEffect, access, json_answer

router = APIRouter(prefix="/v1/me/passkeys", tags=["ways in"])


def _shown(passkey: Passkey, ring: KeyRing) -> PasskeyOut:
    return PasskeyOut(
        passkey_id=passkey.passkey_id,
        name=commands.name_of(ring, passkey),
        synced=passkey.backup_eligible,
        backed_up=passkey.backed_up,
        suspected=passkey.suspected_at is not None,
        added_at=passkey.added_at,
        last_used_at=passkey.last_used_at,
    )


def _binding(caller: AuthenticatedCaller) -> str:
    return caller.principal.session_id or ""


@router.get("", response_model=Page[PasskeyOut], summary="My passkeys", openapi_extra=access("self"))
async def list_passkeys(page: PageQuery, caller: Caller, shared: Shared) -> Response:
    """List one's passkeys in the order they were added."""
    mine, after = select(Passkey).where(Passkey.account_id == caller.person_id), page.after(Moment, UUID)
    ordered = page_of(mine, Passkey.added_at, Passkey.passkey_id, after=after, limit=page.fetch)
    async with caller.read() as session:
        rows = (await session.scalars(ordered)).all()
    shape = page.of(rows, key=lambda row: (row.added_at, row.passkey_id), shape=lambda row: _shown(row, shared.ring))
    return json_answer(shape)


@router.post(
    "/registrations",
    status_code=201,
    response_model=RegistrationBegun,
    summary="Begin to add a passkey",
    openapi_extra=access("self"),
)
async def begin_passkey(caller: Caller, shared: Shared) -> Response:
    """Give what the browser needs to make a passkey; it has to be on a page of this very origin."""
    await require_owner(caller)
    async with caller.command() as command:
        name = await username_of(command.session, caller.person_id)
        begun = await commands.begin_ceremony(
            command.session,
            purpose="registration",
            account_id=caller.person_id,
            bound_to=_binding(caller),
            new_id=new_id,
            now=command.now,
        )
        options = registration_options(
            shared.parties.issuer,
            challenge=begun.challenge,
            account_id=caller.person_id,
            account_name=name or "·",
            existing=await commands.existing_keys(command.session, caller.person_id),
        )
        return await command.respond(201, RegistrationBegun(registration_id=begun.ceremony_id, public_key=options))


@router.post("", status_code=201, response_model=PasskeyOut, summary="Add a passkey", openapi_extra=access("self"))
async def add_passkey(body: AddPasskey, caller: Caller, shared: Shared) -> Response:
    """Keep the passkey that a device made, once it is proved that the person was verified here and now."""
    await require_owner(caller)
    async with caller.command() as command:
        challenge = await commands.end_ceremony(
            command.session,
            ceremony_id=body.registration_id,
            purpose="registration",
            account_id=caller.person_id,
            bound_to=_binding(caller),
            now=command.now,
        )
        if challenge is None:
            raise RefusedWithEffect(PasskeyRefused())
        try:
            key = verified_registration(shared.parties.issuer, body.credential.model_dump(), challenge=challenge)
        except PasskeyRefused as refused:
            raise RefusedWithEffect(refused) from refused
        passkey = await commands.add_passkey(
            command.session,
            shared.ring,
            passkey_id=new_id(),
            account_id=caller.person_id,
            key=key,
            transports=body.credential.response.transports,
            name=body.name,
            now=command.now,
        )
        await tell_owner(
            command.session,
            shared.ring,
            account_id=caller.person_id,
            change="passkey.added",
            object_id=passkey.passkey_id,
            language=caller.language,
            now=command.now,
        )
        shown = _shown(passkey, shared.ring)
        return await command.respond(201, shown, location=f"/v1/me/passkeys/{shown.passkey_id}")


@router.patch("/{passkey_id}", response_model=PasskeyOut, summary="Rename a passkey", openapi_extra=access("self"))
async def rename_passkey(passkey_id: UUID, body: RenamePasskey, caller: Caller, shared: Shared) -> Response:
    """Give one of one's passkeys another name."""
    await require_owner(caller)
    async with caller.command() as command:
        passkey = await commands.rename_passkey(
            command.session, shared.ring, account_id=caller.person_id, passkey_id=passkey_id, name=body.name
        )
        await tell_owner(
            command.session,
            shared.ring,
            account_id=caller.person_id,
            change="passkey.renamed",
            object_id=passkey_id,
            language=caller.language,
            now=command.now,
        )
        return await command.respond(200, _shown(passkey, shared.ring))


@router.delete("/{passkey_id}", status_code=204, summary="Remove a passkey", openapi_extra=access("self"))
async def remove_passkey(passkey_id: UUID, caller: Caller, shared: Shared) -> Response:
    """Forget one of one's passkeys."""
    await require_owner(caller)
    async with caller.command() as command:
        await commands.remove_passkey(command.session, account_id=caller.person_id, passkey_id=passkey_id)
        await tell_owner(
            command.session,
            shared.ring,
            account_id=caller.person_id,
            change="passkey.removed",
            object_id=passkey_id,
            language=caller.language,
            now=command.now,
        )
        return await command.respond(204)
