"""Keeps the logs: what is gone leaves them after 35 days, and a new epoch begins where places in them mean no more."""

import logging
from datetime import timedelta
from typing import Final

import asyncpg

from background import Job
from database import Database, count_of
from gateway.change_log import LOGS
from gateway.changes.queries import DONE

log = logging.getLogger(__name__)

KEPT_FOR: Final = timedelta(days=35)
_MARK = f"insert into change_mark (txid, marked_at) values ({DONE}, now()) on conflict do nothing"  # noqa: S608 - constants
_OLDEST = "select txid from change_mark where marked_at <= now() - $1::interval order by txid desc limit 1"
_NEXT_EPOCH = "update change_log set epoch = epoch + 1"
# Of another cluster: these tables were restored from a dump, and its transaction ids mean nothing here.
_RESTORED = """
update change_log set epoch = epoch + 1, purged_to = '0', cluster = (select system_identifier from pg_control_system())
where cluster <> (select system_identifier from pg_control_system())
"""


async def begin_epoch(connection: asyncpg.Connection) -> None:
    """Let no cursor of before hold any more, in the transaction that changes what the places in a log mean."""
    await connection.execute(_NEXT_EPOCH)


async def keep(database: Database) -> None:
    """Mark how far the logs are, purge what was gone before the oldest mark, and notice a restored database."""
    async with database.raw_transaction() as connection:
        if count_of(await connection.execute(_RESTORED)):
            await connection.execute("delete from change_mark")
            for each in LOGS:
                await connection.execute(f"update {each} set txid = default")  # noqa: S608 - one of `LOGS`
            log.warning("changes_restored")
        await connection.execute(_MARK)
        oldest = await connection.fetchval(_OLDEST, KEPT_FOR)
        if oldest is None:
            return
        for each in LOGS:
            await connection.execute(f"delete from {each} where gone and txid < $1::xid8", oldest)  # noqa: S608 - as above
        await connection.execute("update change_log set purged_to = $1::xid8", oldest)
        await connection.execute("delete from change_mark where txid < $1::xid8", oldest)


KEEPING = Job("keep_changes", timedelta(hours=6), keep)
