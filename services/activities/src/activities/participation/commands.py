"""Commands on participation: register for an activity, and take down who took part from whatever source says so."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import asyncpg
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
import rulebook
from activities.participation.rules import (
    ActivityClosed,
    NotAMemberThere,
    ParticipationMode,
    Sourced,
    Times,
    check_can_register,
    source_of_own_report,
    source_of_paper_list,
)
from activities.participation.schemas import ParticipationOut
from activities.scheduling.commands import ActivityUnknown
from activities.scheduling.tables import Activity
from contracts import Origin
from contracts.activities import AttendanceRecordedV1, ParticipantRegisteredV1
from database import columns, known, raw
from messaging import Publication, append

# What is asked of (activity, person) pairs: the activity, locked against being closed meanwhile, and whether the person
# may take part: as a member of the organisation that holds it or of one below, or because they already do.
_JUDGE = """
    select activity_id, person_id, held.organisation_id, held.starts_at, held.ends_at, held.status,
           case when held.organisation_id = any(tree.ancestors) then own.organisation_id
                else part.affiliation_id end as affiliation_id
    from unnest($1::uuid[], $2::uuid[]) as asked (activity_id, person_id)
    join activity held using (activity_id)
    left join affiliation own using (person_id)
    left join organisation tree on tree.organisation_id = own.organisation_id
    left join participation part using (activity_id, person_id)
    for share of held
"""
_REGISTER = """
    insert into participation as kept
        (participation_id, activity_id, person_id, affiliation_id, registered_at, provenance, version)
    values ($1, $2, $3, $4, $5, '{}', 1)
    on conflict (activity_id, person_id) do update set
        registered_at = coalesce(kept.registered_at, excluded.registered_at),
        version = kept.version + (kept.registered_at is null)::int
    returning kept.*, old.version is distinct from new.version as changed
"""
# In the order of the key, so that two transactions lock the same people in the same order.
_RECORD = """
    with given as (
        select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[],
                             $8::uuid[])
            as g (participation_id, activity_id, person_id, affiliation_id, mode, source, attended_at, reported_by)
    ), recorded as (
        insert into participation as kept
            (participation_id, activity_id, person_id, affiliation_id, mode, attended_at, provenance, version)
        select participation_id, activity_id, person_id, affiliation_id, mode, attended_at, array[source], 1
        from given order by activity_id, person_id
        on conflict (activity_id, person_id) do update set
            affiliation_id = case when kept.attended_at is null then excluded.affiliation_id
                                  else kept.affiliation_id end,
            mode = coalesce(kept.mode, excluded.mode),
            attended_at = coalesce(kept.attended_at, excluded.attended_at),
            provenance = case when kept.provenance @> excluded.provenance then kept.provenance
                              else kept.provenance || excluded.provenance end,
            version = kept.version + (not kept.provenance @> excluded.provenance)::int
        returning kept.*, old.version is distinct from new.version as changed
    ), noted as (
        insert into attendance_report (participation_id, source, mode, attended_at, reported_by, reported_at)
        select recorded.participation_id, given.source, given.mode, given.attended_at, given.reported_by, $9
        from recorded join given using (activity_id, person_id)
        where recorded.changed
    )
    select * from recorded
"""

Refusal: TypeAlias = ActivityUnknown | ActivityClosed | NotAMemberThere | rulebook.Refused
"""Why a report of attendance is not taken down."""

Outcomes: TypeAlias = dict[tuple[UUID, UUID], ParticipationOut | Refusal]
"""What became of each report, by activity and person."""


class AttendanceReported(NamedTuple):
    """One source's word that a person takes part.

    `participation_id` is the id of their participation if this makes it. `said_at` is the time a person's own device
    kept while it was offline. `origin` says whose word it is.
    """

    participation_id: UUID
    activity_id: UUID
    person_id: UUID
    mode: ParticipationMode
    on_paper: bool
    said_at: datetime | None
    origin: Origin

    @property
    def key(self) -> tuple[UUID, UUID]:
        """The activity and the person: there is one participation for each."""
        return self.activity_id, self.person_id


async def register(
    session: AsyncSession, *, participation_id: UUID, activity_id: UUID, by: audit.Actor, now: datetime
) -> ParticipationOut:
    """Register whoever asks for an activity; registering again changes nothing.

    Raises `ActivityUnknown`, `NotAMemberThere`, `ActivityClosed` and `ActivityOver`.
    """
    connection = await raw(session)
    facts = known(await connection.fetchrow(_JUDGE, [activity_id], [by.person_id]), ActivityUnknown)
    if facts["affiliation_id"] is None:
        raise NotAMemberThere
    check_can_register(_times(facts), now)
    branch = facts["affiliation_id"]
    row = await connection.fetchrow(_REGISTER, participation_id, activity_id, by.person_id, branch, now)
    if row["changed"]:
        event = ParticipantRegisteredV1(**state_of(row, facts["organisation_id"]))
        await append(session, [Publication(event, row["version"], by.origin)])
    return _out(row)


async def record_attendance(
    connection: asyncpg.Connection, reports: Sequence[AttendanceReported], *, now: datetime
) -> Outcomes:
    """Take down who took part, each report on its own: gives for each key the participation, or why it was refused.

    The keys of `reports` are distinct. One participation results for a person however many sources report it; a
    source that is known already changes nothing. Three statements, whatever the number of reports.
    """
    facts = {
        (row["activity_id"], row["person_id"]): row
        for row in await connection.fetch(_JUDGE, [r.activity_id for r in reports], [r.person_id for r in reports])
    }
    outcomes: Outcomes = {}
    origins: dict[tuple[UUID, UUID], Origin] = {}
    rows: list[tuple[Any, ...]] = []
    for report in reports:
        try:
            affiliation_id, sourced = _judge(report, facts.get(report.key), now)
        except (ActivityUnknown, ActivityClosed, NotAMemberThere, rulebook.Refused) as refusal:
            outcomes[report.key] = refusal
            continue
        origins[report.key] = report.origin
        ids = (report.participation_id, *report.key, affiliation_id)
        rows.append((*ids, report.mode, sourced.source, sourced.attended_at, report.origin.actor))
    if not rows:
        return outcomes
    publications = []
    for row in await connection.fetch(_RECORD, *columns(rows), now):
        key = row["activity_id"], row["person_id"]
        outcomes[key] = _out(row)
        if row["changed"]:
            event = AttendanceRecordedV1(**state_of(row, facts[key]["organisation_id"]))
            publications.append(Publication(event, row["version"], origins[key]))
    await append(connection, publications)
    return outcomes


async def record_sheet(
    session: AsyncSession,
    *,
    activity_id: UUID,
    entries: Sequence[tuple[UUID, UUID]],
    mode: ParticipationMode,
    by: audit.Actor,
    now: datetime,
) -> dict[UUID, ParticipationOut | NotAMemberThere]:
    """Take down a paper list: `entries` are (participation id, person id), each person once.

    Gives for each person the participation, or why the name was refused. Raises `ActivityUnknown` for an activity
    outside the remit, and `ActivityClosed` or `rulebook.Refused` for the list as a whole.
    """
    visible = orgtree.within(Activity.organisation_id, by.remit)
    found = select(Activity).where(Activity.activity_id == activity_id, visible)
    activity = known(await session.scalar(found.with_for_update(read=True)), ActivityUnknown)
    source_of_paper_list(Times(activity.starts_at, activity.ends_at, activity.status == "closed"), now=now)
    origin = by.origin
    reports = [
        AttendanceReported(participation_id, activity_id, person_id, mode, on_paper=True, said_at=None, origin=origin)
        for participation_id, person_id in entries
    ]
    outcomes: dict[UUID, ParticipationOut | NotAMemberThere] = {}
    for (_, person_id), outcome in (await record_attendance(await raw(session), reports, now=now)).items():
        if isinstance(outcome, Exception) and not isinstance(outcome, NotAMemberThere):
            raise outcome
        outcomes[person_id] = outcome
    recorded = [
        by.entry("activities.attendance.recorded", subject=person_id, object_id=activity_id)
        for _, person_id in entries
        if isinstance(outcomes[person_id], ParticipationOut)
    ]
    await audit.record_all(session, recorded, now=now)
    return outcomes


def _judge(report: AttendanceReported, facts: asyncpg.Record | None, now: datetime) -> tuple[UUID, Sourced]:
    """Give the branch and the source under which a report is taken down, or raise why it is not."""
    if facts is None:
        raise ActivityUnknown
    if facts["affiliation_id"] is None:
        raise NotAMemberThere
    if report.on_paper:
        return facts["affiliation_id"], source_of_paper_list(_times(facts), now=now)
    helped = report.origin.on_behalf_of is not None
    return facts["affiliation_id"], source_of_own_report(_times(facts), said_at=report.said_at, helped=helped, now=now)


def _times(facts: asyncpg.Record) -> Times:
    return Times(facts["starts_at"], facts["ends_at"], facts["status"] == "closed")


def _out(row: asyncpg.Record) -> ParticipationOut:
    return ParticipationOut.model_validate(dict(row))


def state_of(row: Mapping[str, Any], organisation_id: UUID) -> dict[str, Any]:
    """Give a participation as its events carry it."""
    return {
        **row,
        "organisation_id": organisation_id,
        "registered": row["registered_at"] is not None,
        "attended": row["attended_at"] is not None,
        "provenance": tuple(row["provenance"]),
    }
