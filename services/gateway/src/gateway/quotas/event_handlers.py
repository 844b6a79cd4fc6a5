"""Keeps what identity tells of clients, never going back to an earlier version."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Event
from contracts.identity import ClientQuotaSetV1, ClientWithdrawnV1
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
    client_principal_id = excluded.client_principal_id, version = excluded.version,
    requests_per_minute = excluded.requests_per_minute, suspended = excluded.suspended, origins = excluded.origins
where kept.version < excluded.version
"""
_SHUT_OUT = """
update client_quota set version = gone.version, suspended = true, origins = '{}'
from unnest($1::uuid[], $2::bigint[]) as gone(client_principal_id, version)
where client_quota.client_principal_id = gone.client_principal_id and client_quota.version < gone.version
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


async def project_withdrawals(session: AsyncSession, batch: Sequence[Received[ClientWithdrawnV1]]) -> None:
    """Let clients ask for nothing: one that is not known here would have what is anybody's."""
    gone = [(each.event.client_principal_id, each.version) for each in batch]
    await (await raw(session)).execute(_SHUT_OUT, *columns(gone))


HANDLERS: Mapping[type[Event], Handler] = {ClientQuotaSetV1: project_quotas, ClientWithdrawnV1: project_withdrawals}
