"""The audit of a service over HTTP: for the audit administrator, and for the person whom entries concern."""

from collections.abc import Collection
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

import orgtree
from audit.declaration import audited
from audit.entries import by, record
from audit.queries import AccessOut, EntryOut, list_concerning, list_entries
from china_time import Day
from contracts import Code
from database import raw
from webapi import Caller, Page, PageQuery, Refusal, access, cursor_of, described, json_answer
from webapi.problems import PERMISSION_MISSING

_Id = Annotated[int, Field(ge=1, lt=2**63)]


def access_log_target(service: str, *, before: int | None, limit: int) -> str:
    """Give path and query at which a service lists what concerns whoever asks: entries below the id `before`."""
    page = {"limit": limit} if before is None else {"limit": limit, "cursor": cursor_of([before])}
    return f"/v1/me/access-log/{service}?{urlencode(page)}"


def router(service: str, *, own: Collection[str] = ()) -> APIRouter:
    """Make the routes of a service's audit; the permission is `<service>.audit.read`, held on the root of the tree.

    `own` are actions of people's own that they see in their access log beside what others did.
    """
    read = f"{service}.audit.read"
    made = APIRouter(prefix="/v1", tags=["audit"])

    @made.get(
        f"/audit/{service}/entries",
        response_model=Page[EntryOut],
        openapi_extra=access(read) | audited(read) | described("审计记录", "The audit"),
    )
    async def list_audit_entries(
        *,
        page: PageQuery,
        caller: Caller,
        day: Annotated[Day | None, Query(description="Sealed on this day; what is new may not be yet.")] = None,
        subject: Annotated[UUID | None, Query(description="The person whom it concerns.")] = None,
        actor: Annotated[UUID | None, Query(description="Who acted.")] = None,
        action: Annotated[Code | None, Query()] = None,
    ) -> Response:
        """List who did what in this service, the latest first. That this was read is an entry too."""
        remit = await caller.remit(read)
        if orgtree.ROOT_ID not in remit:  # a chain is of the whole province
            raise Refusal(PERMISSION_MISSING, permission=read)
        before = page.after(_Id)
        async with caller.recorded_read() as reading:
            rows = await list_entries(
                await raw(reading.session),
                day=day,
                subject=subject,
                actor=actor,
                action=action,
                before=before[0] if before else None,
                limit=page.fetch,
            )
            entry = by(caller.principal, remit).entry(f"{service}.audit.read", subject=subject)
            await record(reading.session, entry, now=reading.now)
            shown = page.of(rows, key=lambda row: [row["id"]], shape=lambda row: EntryOut.model_validate(dict(row)))
            return json_answer(shown)

    @made.get(
        f"/me/access-log/{service}",
        response_model=Page[AccessOut],
        openapi_extra=access("self") | described("谁读取或改动了我的数据", "Who read or changed what is mine"),
    )
    async def list_own_accesses(page: PageQuery, caller: Caller) -> Response:
        """List what was done in this service that concerns oneself, by whom and for what purpose, the latest first."""
        before = page.after(_Id)
        async with caller.read() as session:
            entries = await list_concerning(
                await raw(session),
                caller.person_id,
                service=service,
                before=before[0] if before else None,
                limit=page.fetch,
                own=own,
            )
        return json_answer(page.of(entries, key=lambda entry: [entry.id]))

    return made
