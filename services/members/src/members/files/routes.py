"""Member files over HTTP: one's own in clear from two factors on, another's for a purpose and on record."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from audit import audited
from audit.attempts import refusals_recorded
from china_time import Day, day_of
from contracts import Code
from database import KeyRing, known, utc_now
from members.files import disclosure, queries, revision
from members.files.queries import FileRow, Own, Reader
from members.files.revision import FileUnknown
from members.files.rules.changes import NotForOneself, check_own_changes
from members.files.rules.purposes import PurposeMissing, fields_opened, recorded_purpose, roles_of
from members.files.schemas import MemberOut, ReviseMember, RevisionOutcome, VersionOut
from members.files.sealing import FIELDS
from rulebook import Refused
from webapi import (
    AuthenticatedCaller,
    Caller,
    Page,
    PageQuery,
    RecordedRead,
    access,
    assistable,
    described,
    json_answer,
)
from webapi.sealing import Ring
from webapi.step_up import TWO_FACTORS, reaches
from webapi.versions import IfMatch, IfNoneMatch, Tags, etag

READ = "members.file.read"
IMPORT = "members.file.import"
FRESH_FOR_PHONE: Final = timedelta(minutes=10)
"""How long after signing in somebody may put another phone on the own file: codes to it open the account."""

router = APIRouter(prefix="/v1", tags=["members"])


PurposeQuery = Annotated[
    Code | None,
    Query(
        description="What another's file is read for, which its person sees: it opens the fields that this needs. "
        "`attendance` (name), `contact` (name, phone), `verification` (name, identity number), `file_care` (all).",
    ),
]
REVISION_REFUSALS = {FileUnknown: "outside_scope", NotForOneself: "own_changes"}
REFUSALS = {FileUnknown: "outside_scope", PurposeMissing: "purpose_missing", Refused: "opening_purposes"}


@router.get(
    "/members",
    response_model=Page[MemberOut],
    openapi_extra=access(READ)
    | audited("members.file.listed")
    | described("党员档案列表", "The files of an organisation"),
)
async def list_members(
    organisation_id: UUID, page: PageQuery, caller: Caller, ring: Ring, purpose: PurposeQuery = None
) -> Response:
    """List the files of an organisation and of everything below it; a purpose opens what it may on lists."""
    stated = recorded_purpose(purpose, day_of(utc_now()))
    attempt = audit.by(caller.principal).entry("members.file.listed", organisation_id=organisation_id, purpose=stated)
    rules = {orgtree.OutsideRemit: "outside_scope", Refused: "opening_purposes"}
    async with refusals_recorded(caller, attempt, rules):
        remit = await caller.remit(READ)
        async with caller.recorded_read() as read:
            within = _where_allowed(caller, remit, purpose, read)
            await orgtree.require_within(read.session, organisation_id, within)
            rows = await queries.list_files(read.session, organisation_id=organisation_id, remit=within, page=page)
            by = audit.by(caller.principal, within)
            listed = by.entry("members.file.listed", organisation_id=organisation_id, purpose=purpose)
            await audit.record(read.session, listed, now=read.now)
            opened: frozenset[str] = frozenset()
            if purpose is not None:
                opened = await _open(read, rows[: page.limit], purpose, caller, within, on_list=True)
            shape = partial(disclosure.shown, ring=ring, opened=opened)
            return json_answer(page.of(rows, key=lambda row: [row.person_id], shape=shape))


@router.get(
    "/members/me", response_model=MemberOut, openapi_extra=access("self") | described("我的档案", "My own file")
)
@assistable("members.read_profile")
async def get_own_file(caller: Caller, ring: Ring) -> Response:
    """Read one's own file: in clear from two factors on, before masked.

    A helper who acts for its person sees it masked, and stands on the record.
    """
    return await _own_file(caller, ring, None, None)


@router.get(
    "/members/{person_id}",
    response_model=MemberOut,
    openapi_extra=access("self", READ) | audited("members.file.read") | described("查看一份党员档案", "One file"),
)
async def get_member(
    person_id: UUID,
    caller: Caller,
    ring: Ring,
    *,
    purpose: PurposeQuery = None,
    as_of: Annotated[Day | None, Query(description="As it was at the end of this day.")] = None,
    at_hand: IfNoneMatch,
) -> Response:
    """Read a file, as it is or as it was on a day: one's own, with its version as ETag, or another's for a purpose."""
    if person_id == caller.person_id and purpose is None:
        return await _own_file(caller, ring, as_of, at_hand)
    stated = recorded_purpose(purpose, day_of(utc_now()))
    attempt = audit.by(caller.principal).entry("members.file.read", subject=person_id, purpose=stated)
    async with refusals_recorded(caller, attempt, REFUSALS):
        remit = await caller.remit(READ)
        if purpose is None:
            raise PurposeMissing
        async with caller.recorded_read() as read:
            within = _where_allowed(caller, remit, purpose, read)
            row = await _file(read.session, person_id, as_of, within)
            opened = await _open(read, [row], purpose, caller, within, on_list=False)
            return json_answer(disclosure.shown(row, ring, opened=opened))


@router.post(
    "/members/{person_id}/revisions",
    response_model=RevisionOutcome,
    openapi_extra=access("self", IMPORT)
    | audited("members.file.revised")
    | described("修订党员档案", "Revise a file", example={"base_version": 3, "away": True}),
)
async def revise_member(person_id: UUID, body: ReviseMember, caller: Caller, ring: Ring, expected: IfMatch) -> Response:
    """Change a file against the version the change was made to; 409 with both values of what clashes.

    One of `base_version`, by which changes of other fields are merged, and If-Match, by which nothing is, is demanded.
    Whoever changes the own phone has signed in within ten minutes (RFC 9470). By one factor, the former number is told,
    and the new one proves nothing for a week.
    """
    own = person_id == caller.person_id
    expected.require_said(otherwise=body.base_version)
    if own and "phone" in body.changes:  # which opens the account
        caller.require_acr("1", FRESH_FOR_PHONE)
    attempt = audit.by(caller.principal).entry("members.file.revised", subject=person_id)
    async with refusals_recorded(caller, attempt, REVISION_REFUSALS):
        if own:
            check_own_changes(body.changes)
        remit = frozenset[UUID]() if own else await caller.remit(IMPORT)
        async with caller.command() as command:
            version = await revision.revise_member(
                command.session,
                person_id=person_id,
                base_version=body.base_version,
                expected=expected,
                changes=body.changes,
                own=own,
                two_factors=own and reaches(caller.principal, TWO_FACTORS),
                ring=ring,
                now=command.now,
                by=audit.by(caller.principal, remit),
            )
            return await command.respond(200, RevisionOutcome(person_id=person_id, version=version))


@router.get(
    "/members/{person_id}/versions",
    response_model=Page[VersionOut],
    openapi_extra=access("self", READ)
    | audited("members.file.history_read")
    | described("档案的历次版本", "The versions of a file"),
)
async def list_versions(
    person_id: UUID, page: PageQuery, caller: Caller, ring: Ring, purpose: PurposeQuery = None
) -> Response:
    """List the versions of a file, masked, the latest first; another's takes a purpose."""
    own = person_id == caller.person_id
    stated = recorded_purpose(purpose, day_of(utc_now()))
    attempt = audit.by(caller.principal).entry("members.file.history_read", subject=person_id, purpose=stated)
    async with refusals_recorded(caller, attempt, REFUSALS):
        remit = frozenset[UUID]() if own else await caller.remit(READ)
        if not own and purpose is None:
            raise PurposeMissing
        async with caller.recorded_read() as read:
            reader = Own(caller.person_id) if own else _where_allowed(caller, remit, purpose, read)
            rows = await queries.list_versions(read.session, person_id, reader=reader, page=page)
            if not rows:
                raise FileUnknown
            if not isinstance(reader, Own):
                entry = audit.by(caller.principal, reader).entry(
                    "members.file.history_read",
                    subject=person_id,
                    organisation_id=rows[0].organisation_id,
                    purpose=purpose,
                )
                await audit.record(read.session, entry, now=read.now)
            shape = partial(disclosure.shown_version, ring=ring)
            return json_answer(page.of(rows, key=lambda row: [row.version], shape=shape))


async def _own_file(caller: AuthenticatedCaller, ring: KeyRing, day: date | None, at_hand: Tags | None) -> Response:
    """Answer with the caller's own file, in clear from two factors on; to a helper it is recorded, for its person."""
    helped = caller.principal.actor is not None
    if helped:
        async with caller.apart() as session:
            entry = audit.by(caller.principal).entry("members.file.read")
            await audit.record(session, entry, now=utc_now())
    async with caller.read() as session:
        row = await _file(session, caller.person_id, day, Own(caller.person_id))
    clear = reaches(caller.principal, TWO_FACTORS)
    tag = etag(row.version)
    if at_hand is not None and at_hand.has_weakly(tag) and not clear:  # what the client has may be masked
        return Response(status_code=304, headers={"etag": tag})
    clear_from = None if clear or helped else TWO_FACTORS
    return json_answer(disclosure.shown(row, ring, opened=FIELDS if clear else (), clear_from=clear_from))


async def _file(session: AsyncSession, person_id: UUID, day: date | None, reader: Reader) -> FileRow:
    return known(await queries.one_file(session, person_id, day=day, reader=reader), FileUnknown)


async def _open(
    read: RecordedRead,
    rows: Sequence[FileRow],
    purpose: str,
    caller: AuthenticatedCaller,
    remit: Collection[UUID],
    *,
    on_list: bool,
) -> frozenset[str]:
    """Give the fields to be shown in clear, after it was kept and recorded that they are."""
    opened = fields_opened(purpose, day_of(read.now), roles=_roles(caller, remit), on_list=on_list)
    by = audit.by(caller.principal, remit)
    await disclosure.record_openings(read.session, rows, purpose=purpose, fields=opened, now=read.now, by=by)
    return frozenset(opened)


def _where_allowed(
    caller: AuthenticatedCaller, remit: frozenset[UUID], purpose: str | None, read: RecordedRead
) -> frozenset[UUID]:
    """Give the part of the `remit` where the caller holds a role of the purpose; without a purpose all of them.

    A purpose that a role allows in one place allows nothing in another, where the same person holds other roles.
    """
    if purpose is None:
        return remit
    allowed = roles_of(purpose, day_of(read.now), held=_roles(caller, remit))
    held = caller.principal.roles
    return orgtree.Remit(grant for grant in held if grant.role in allowed and grant.organisation_id in remit)


def _roles(caller: AuthenticatedCaller, remit: Collection[UUID]) -> frozenset[str]:
    """Give the roles by which the caller reads files: those held where the permission is."""
    return frozenset(grant.role for grant in caller.principal.roles if grant.organisation_id in remit)
