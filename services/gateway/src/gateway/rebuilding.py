"""Sets read models right: fills them anew from the events beside the live ones, or mends the rollups by the facts."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import asyncpg

import messaging
import orgtree
from database import Database
from gateway.changes import own_data as changes_own_data
from gateway.changes.keeping import begin_epoch
from gateway.contributions import event_handlers as contributions
from gateway.contributions import own_data as contributions_own_data
from gateway.erasing import forget_erased
from gateway.home import own_data as home_own_data
from gateway.settings import Settings
from gateway.worker import CHANGES, HOME, OVERVIEW
from messaging import Consumer, NatsConnection, RebuildReport
from messaging.rebuilding import HistoryIncomplete, Hook, LastHook, RebuildUnderWay
from orgtree.migrations import PROJECTION_TABLES
from privacy import OwnData
from webapi import CannotStart


class ReadModel(NamedTuple):
    """A consumer, all the tables that its handlers write, and what else a rebuild does to them."""

    consumer: Consumer
    tables: Sequence[str]
    settle: Hook | None = None
    before_switch: LastHook | None = None


async def _in_new_epoch(connection: asyncpg.Connection, *, own_data: OwnData) -> None:
    """Forget all who are erased, and let every reader of the logs begin anew: places in a rebuilt one are others."""
    await forget_erased(connection, own_data=own_data)
    await begin_epoch(connection)


READ_MODELS = {
    "overview": ReadModel(
        OVERVIEW,
        (*PROJECTION_TABLES, "contribution"),
        settle=orgtree.fold_here,
        before_switch=partial(forget_erased, own_data=contributions_own_data),
    ),
    "home": ReadModel(
        HOME, ("home_item", "home_done", "home_change"), before_switch=partial(_in_new_epoch, own_data=home_own_data)
    ),
    "changes": ReadModel(CHANGES, ("change",), before_switch=partial(_in_new_epoch, own_data=changes_own_data)),
}


async def rebuild(database: Database, nats: NatsConnection, name: str) -> RebuildReport:
    """Rebuild one read model while the live one goes on; raises what `messaging.rebuild` raises."""
    model = READ_MODELS[name]
    return await messaging.rebuild(
        database, nats, model.consumer, tables=model.tables, settle=model.settle, before_switch=model.before_switch
    )


async def rebuild_overview(settings: Settings, database: Database) -> str:
    """Fill tree and figures anew from the events, beside the live ones."""
    return await _rebuilt(settings, database, "overview")


async def rebuild_home(settings: Settings, database: Database) -> str:
    """Fill home anew from the events, beside the live one."""
    return await _rebuilt(settings, database, "home")


async def rebuild_changes(settings: Settings, database: Database) -> str:
    """Fill the log of changes anew from the events, beside the live one; its readers begin anew."""
    return await _rebuilt(settings, database, "changes")


async def mend_rollups(_: Settings, database: Database) -> str:
    """Set the kept figures to what a recount of the contributions gives."""
    async with database.transaction() as session:
        own_values, totals = await orgtree.mend_by_facts(session, contributions.FACTS)
    return f"{own_values} own values and {totals} totals set right"


async def _rebuilt(settings: Settings, database: Database, name: str) -> str:
    nats = await messaging.connect(settings.nats_url, name="gateway")
    try:
        await _require(nats)
        report = await rebuild(database, nats, name)
    except RebuildUnderWay as error:
        raise CannotStart("another rebuild is under way; wait until it has ended.") from error
    except HistoryIncomplete as error:
        raise CannotStart(
            f"the stream {error} no longer holds its first events, so nothing can be rebuilt from it; "
            "the read model stays as it is; mend-rollups sets the figures right by their own facts."
        ) from error
    finally:
        await nats.close()
    differing = [table.table for table in report.tables if not table.equal]
    outcome = f"differed from the live one in {', '.join(differing)}" if differing else "equal to the live one"
    return f"{name}: {report.events} events in {report.seconds:.1f} s, {outcome}; in place"


async def _require(nats: NatsConnection) -> None:
    try:
        await nats.ping()
    except ConnectionError as error:
        raise CannotStart(f"{error}; start it or correct XIANGQIAO_NATS_URL, then try again.") from error
