"""Keeps what identity tells of clients, never going back to an earlier version."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Event
from contracts.identity import ClientQuotaSetV1
from database import columns, raw
from messaging import Handler, Received

_KEEP = """
insert into client_quota as kept (client_id, client_principal_id, version, requests_per_minute, suspended, origins)
select distinct on (client_id)
    client_id, client_principal_id, version, requests_per_minute, suspended, string_to_array(origins, ' ')
from unnest($1::text[], $2::uuid[], $3::bigint[], $4::integer[], $5::boolean[], $6::text[])
    as new(client_id, client_principal_id, version, requests_per_minute, suspended, origins)
order by client_id, version desc
on conflict (client_id) do update set
    version = excluded.version, requests_per_minute = excluded.requests_per_minute, suspended = excluded.suspended,
    origins = excluded.origins
where kept.version < excluded.version
"""


async def project_quotas(session: AsyncSession, batch: Sequence[Received[Any]]) -> None:
    """Keep the newest quota of each client; only one that is told to be active may ask."""
    numbered = [(each.event, each.version) for each in batch]
    rows = [
        (
            quota.client_id,
            quota.client_principal_id,
            version,
            quota.requests_per_minute,
            quota.status != "active",
            " ".join(quota.origins),
        )
        for quota, version in numbered
    ]
    await (await raw(session)).execute(_KEEP, *columns(rows))


HANDLERS: Mapping[type[Event], Handler] = {ClientQuotaSetV1: project_quotas}
