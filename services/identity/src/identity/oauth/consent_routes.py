"""What the person lets clients have, over HTTP: the list, and taking it back."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from identity.oauth.consents import consents_after, withdraw_consent
from webapi import Caller, Page, PageQuery, access, described

router = APIRouter(prefix="/v1/me/client-consents", tags=["accounts"])


class ClientConsentOut(BaseModel):
    """A client that the person lets have something of theirs."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    client_id: str
    name_zh: str
    name_en: str
    scopes: list[str] = Field(description="What it may ask for without asking the person again.")
    granted_at: datetime


@router.get("", openapi_extra=access("self") | described("我授权了哪些客户端", "Which clients I let have something"))
async def list_client_consents(caller: Caller, page: PageQuery) -> Page[ClientConsentOut]:
    """List the clients of others that may ask for tokens without asking the person, newest consent first."""
    async with caller.read() as session:
        rows = (await session.execute(consents_after(page, caller.person_id))).all()
    return page.of(rows, lambda row: (row.granted_at, row.client_id), ClientConsentOut.model_validate)


@router.delete(
    "/{client_id}",
    status_code=204,
    openapi_extra=access("self") | described("撤回对客户端的授权", "Take my consent back"),
)
async def withdraw_client_consent(
    client_id: Annotated[str, Path(min_length=1, max_length=200)], caller: Caller
) -> Response:
    """Take back all that a client was let have, and sign it out wherever it is signed in as the person."""
    async with caller.command() as command:
        await withdraw_consent(command.session, account_id=caller.person_id, client_id=client_id, now=command.now)
        return await command.respond(204)
