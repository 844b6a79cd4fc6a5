"""One's own passkeys over HTTP: made, listed, renamed, removed. Keys are never shown."""

from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import select
from starlette.responses import Response

from china_time import Moment
from database import KeyRing, new_id, page_of
from identity.factors.ownership import require_owner
from identity.factors.passkeys import commands
from identity.factors.passkeys.ceremonies import PasskeyRefused
from identity.factors.passkeys.schemas import AddPasskey, PasskeyOut, RegistrationBegun, RenamePasskey
from identity.factors.tables import Passkey
from identity.shared import Shared
from webapi import AuthenticatedCaller, Caller, Page, PageQuery, RefusedWithEffect, access, described, json_answer

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


@router.get(
    "", response_model=Page[PasskeyOut], openapi_extra=access("self") | described("我的通行密钥", "My passkeys")
)
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
    openapi_extra=access("self") | described("开始添加通行密钥", "Begin to add a passkey"),
)
async def begin_passkey(caller: Caller, shared: Shared) -> Response:
    """Give what the browser needs to make a passkey; it has to be on a page of this very origin."""
    owner = await require_owner(caller)
    async with caller.command() as command:
        ceremony_id, options = await commands.begin_registration(
            command.session,
            issuer=shared.parties.issuer,
            account_id=owner.account_id,
            bound_to=_binding(caller),
            new_id=new_id,
            now=command.now,
        )
        return await command.respond(201, RegistrationBegun(registration_id=ceremony_id, public_key=options))


@router.post(
    "",
    status_code=201,
    response_model=PasskeyOut,
    openapi_extra=access("self")
    | described(
        "添加通行密钥",
        "Add a passkey",
        example={
            "registration_id": "01930000-0000-7000-8000-000000000001",
            "name": "我的手机",
            "credential": {
                "id": "AQIDBA",
                "rawId": "AQIDBA",
                "type": "public-key",
                "response": {"clientDataJSON": "e30", "attestationObject": "o2M"},
            },
        },
    ),
)
async def add_passkey(body: AddPasskey, caller: Caller, shared: Shared) -> Response:
    """Keep the passkey that a device made, once it is proved that the person was verified here and now."""
    owner = await require_owner(caller)
    answer = commands.Answer(body.registration_id, body.credential.model_dump(), _binding(caller))
    async with caller.command() as command:
        try:
            passkey = await commands.add_passkey(
                command.session,
                shared.ring,
                owner,
                answer,
                issuer=shared.parties.issuer,
                transports=body.credential.response.transports,
                name=body.name,
                new_id=new_id,
                now=command.now,
            )
        except PasskeyRefused as refused:
            raise RefusedWithEffect(refused) from refused
        shown = _shown(passkey, shared.ring)
        return await command.respond(201, shown, location=f"/v1/me/passkeys/{shown.passkey_id}")


@router.patch(
    "/{passkey_id}",
    response_model=PasskeyOut,
    openapi_extra=access("self") | described("重命名通行密钥", "Rename a passkey", example={"name": "办公电脑"}),
)
async def rename_passkey(passkey_id: UUID, body: RenamePasskey, caller: Caller, shared: Shared) -> Response:
    """Give one of one's passkeys another name."""
    owner = await require_owner(caller)
    async with caller.command() as command:
        passkey = await commands.rename_passkey(
            command.session, shared.ring, owner, passkey_id=passkey_id, name=body.name, now=command.now
        )
        return await command.respond(200, _shown(passkey, shared.ring))


@router.delete(
    "/{passkey_id}", status_code=204, openapi_extra=access("self") | described("删除通行密钥", "Remove a passkey")
)
async def remove_passkey(passkey_id: UUID, caller: Caller, shared: Shared) -> Response:
    """Forget one of one's passkeys."""
    owner = await require_owner(caller)
    async with caller.command() as command:
        await commands.remove_passkey(command.session, shared.ring, owner, passkey_id=passkey_id, now=command.now)
        return await command.respond(204)
