"""Member files over HTTP: masked, unless they are one's own or are opened for a purpose."""

from datetime import date
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import KeyRing
from members.acting import acting
from members.days import Day, day_of
from members.files import openings, queries, revision
from members.files.queries import FileRow
from members.files.revision import FileNotFound
from members.files.rules import check_own_changes, fields_opened
from members.files.schemas import (
    MemberOut,
    ReviseMember,
    RevisionOutcome,
    Version,
    VersionOut,
)
from members.files.sealing import FIELDS
from webapi import AuthenticatedCaller, Caller, Command, Page, PageQuery, json_answer

READ = "members.file.read"
IMPORT = "members.file.import"

router = APIRouter(prefix="/v1", tags=["members"])


def _key_ring(request: Request) -> KeyRing:
    ring: KeyRing = request.app.state.key_ring
    return ring


Keys = Annotated[KeyRing, Depends(_key_ring)]
PurposeQuery = Annotated[
    str | None,
    Query(
        max_length=40,
        description="Opens the fields this purpose needs, and is kept with the file for its person to see: "
        "`attendance` (name), `contact` (name, phone), `verification` (name, identity number), `file_care` (all).",
    ),
]


@router.get("/members", response_model=Page[MemberOut])
async def list_members(
    organisation_id: UUID, page: PageQuery, caller: Caller, keys: Keys, purpose: PurposeQuery = None
) -> Response:
    """List the files of an organisation and of everything below it."""
    scopes = await caller.scopes(READ)
    after = page.after(UUID)

    async def find(session: AsyncSession) -> list[FileRow]:
        await orgtree.require_within(session, organisation_id, scopes)
        return await queries.list_files(
            session,
            organisation_id=organisation_id,
            scopes=scopes,
            after=after[0] if after else None,
            limit=page.fetch,
        )

    def shape(rows: list[FileRow], opened: frozenset[str] = frozenset()) -> Page[MemberOut]:
        return page.of(rows, key=lambda row: [row.person_id], shape=partial(openings.shown, keys=keys, opened=opened))

    if purpose is None:
        async with caller.read() as session:
            rows = await find(session)
        return json_answer(shape(rows))
    async with caller.command() as command:
        rows = await find(command.session)
        people = [row.person_id for row in rows[: page.limit]]
        opened = await _open(command, people, purpose, caller, on_list=True)
        return await command.respond(200, shape(rows, opened))


@router.get("/members/me", response_model=MemberOut)
async def get_own_file(caller: Caller, keys: Keys) -> Response:
    """Read one's own file in clear; a helper who acts for its person sees it masked."""
    return await get_member(caller.person_id, caller, keys)


@router.get("/members/{person_id}", response_model=MemberOut)
async def get_member(
    person_id: UUID,
    caller: Caller,
    keys: Keys,
    *,
    purpose: PurposeQuery = None,
    as_of: Annotated[Day | None, Query(description="As it was at the end of this day.")] = None,
    if_none_match: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Read a file, as it is or as it was on a day. The ETag is its version; a file opened for a purpose has none."""
    own = person_id == caller.person_id
    helped = caller.principal.actor is not None  # who helps sees the file masked, whatever purpose they give
    scopes = None if own and not (helped and purpose) else await caller.scopes(READ)
    if purpose is not None:
        async with caller.command() as command:
            row = await _file(command.session, person_id, as_of, scopes)
            opened = await _open(command, [person_id], purpose, caller, on_list=False)
            return await command.respond(200, openings.shown(row, keys, opened=opened))
    async with caller.read() as session:
        row = await _file(session, person_id, as_of, scopes)
    etag = f'"{row.version}"'
    if if_none_match == etag:
        return Response(status_code=304, headers={"etag": etag})
    in_clear = own and not helped
    return json_answer(openings.shown(row, keys, opened=FIELDS if in_clear else ()), headers={"etag": etag})


@router.post("/members/{person_id}/revisions", response_model=RevisionOutcome)
async def revise_member(person_id: UUID, body: ReviseMember, caller: Caller, keys: Keys) -> Response:
    """Change a file against the version the change was made to; 409 with both values of what clashes."""
    own = person_id == caller.person_id
    if own:
        check_own_changes(body.changes)
    scopes = frozenset[UUID]() if own else await caller.scopes(IMPORT)
    async with caller.command() as command:
        version = await revision.revise_member(
            command.session,
            person_id=person_id,
            base_version=body.base_version,
            changes=body.changes,
            own=own,
            scopes=scopes,
            keys=keys,
            now=command.now,
            by=acting(caller.principal),
        )
        return await command.respond(200, RevisionOutcome(person_id=person_id, version=version))


@router.get("/members/{person_id}/versions")
async def list_versions(person_id: UUID, page: PageQuery, caller: Caller, keys: Keys) -> Page[VersionOut]:
    """List the versions of a file, the latest first."""
    scopes = None if person_id == caller.person_id else await caller.scopes(READ)
    before = page.after(Version)
    async with caller.read() as session:
        rows = await queries.list_versions(
            session, person_id, scopes=scopes, before=before[0] if before else None, limit=page.fetch
        )
    if not rows:
        raise FileNotFound
    return page.of(rows, key=lambda row: [row.version], shape=lambda row: openings.shown_version(row, keys))


async def _file(session: AsyncSession, person_id: UUID, day: date | None, scopes: frozenset[UUID] | None) -> FileRow:
    row = await queries.one_file(session, person_id, day=day, scopes=scopes)
    if row is None:
        raise FileNotFound
    return row


async def _open(
    command: Command, person_ids: list[UUID], purpose: str, caller: AuthenticatedCaller, *, on_list: bool
) -> frozenset[str]:
    """Give the fields to be shown in clear, after it was kept that they are."""
    opened = fields_opened(purpose, day_of(command.now), on_list=on_list)
    await openings.record_openings(
        command.session,
        person_ids=person_ids,
        purpose=purpose,
        fields=opened,
        now=command.now,
        by=acting(caller.principal),
    )
    return frozenset(opened)
