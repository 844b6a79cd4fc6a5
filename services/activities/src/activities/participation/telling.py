"""What is told of participations anew; one that a restore lost is adopted, for attendance is what members live by."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from activities.participation.commands import state_of
from activities.participation.tables import AttendanceReport, Participation
from activities.scheduling.tables import Activity
from contracts.activities import (
    AttendanceRecordedV1,
    ParticipantRegisteredV1,
    ParticipationState,
    ParticipationWithdrawnV1,
)
from database import columns, raw
from messaging import Received, Telling, Told

# The event's time stands for what it leaves out: when each source spoke, and when the person took part. What an
# activity that is lost too has of participations is not adopted, nor what its person has begun anew since.
_ADOPT = """
    with lost as (
        select g.*, string_to_array(sources, ' ') as provenance, held.ends_at
        from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::text[],
                    $8::text[], $9::bigint[], $10::uuid[])
            as g (participation_id, activity_id, person_id, affiliation_id, registered_at, told_at, mode, sources,
                  version, reported_by)
        join activity held using (activity_id)
    ), adopted as (
        insert into participation as kept (participation_id, activity_id, person_id, affiliation_id, registered_at,
                                           mode, attended_at, provenance, version)
        select participation_id, activity_id, person_id, affiliation_id, registered_at, mode,
               case when mode is null then null
                    when provenance[1] in ('paper', 'late_sync') then least(told_at, ends_at) else told_at end,
               provenance, version
        from lost order by activity_id, person_id
        on conflict (activity_id, person_id) do update set
            affiliation_id = excluded.affiliation_id,
            registered_at = coalesce(kept.registered_at, excluded.registered_at),
            mode = excluded.mode, attended_at = coalesce(kept.attended_at, excluded.attended_at),
            provenance = excluded.provenance, version = excluded.version
        where kept.participation_id = excluded.participation_id
        returning kept.*
    ), noted as (
        insert into attendance_report (participation_id, source, mode, attended_at, reported_by, reported_at)
        select participation_id, source, adopted.mode, adopted.attended_at, reported_by, told_at
        from adopted join lost using (participation_id) cross join unnest(lost.provenance) as source
        on conflict do nothing
    )
    select participation_id from adopted
"""


def _tell(participation: Participation, organisation_id: UUID, reported_at: datetime | None) -> Telling:
    since = max(filter(None, (participation.registered_at, reported_at)))
    event = AttendanceRecordedV1 if since == reported_at else ParticipantRegisteredV1
    return Telling(event(**state_of(vars(participation), organisation_id)), participation.version, since)


async def adopt(session: AsyncSession, lost: Sequence[Received[ParticipationState]]) -> Collection[UUID]:
    """Take over who registered and took part."""
    rows = [
        (
            told.participation_id,
            told.activity_id,
            told.person_id,
            told.affiliation_id,
            each.time if told.registered else None,
            each.time,
            told.mode,
            " ".join(told.provenance),
            each.version,
            each.actor or told.person_id,
        )
        for each in lost
        for told in [each.event]
    ]
    return [row[0] for row in await (await raw(session)).fetch(_ADOPT, *columns(rows))] if rows else []


_REPORTED = select(func.max(AttendanceReport.reported_at)).where(
    AttendanceReport.participation_id == Participation.participation_id
)
TOLD = Told(
    ParticipationState,
    select(Participation, Activity.organisation_id, _REPORTED.scalar_subquery()).join(Activity),
    Participation.participation_id,
    _tell,
    withdrawn=ParticipationWithdrawnV1,
    adopt=adopt,
)
