"""Fills the read models anew from the events, beside the live ones, and puts them in place."""

from collections.abc import Sequence
from typing import NamedTuple

import messaging
import orgtree
from database import Database
from gateway.settings import Settings
from gateway.worker import HOME, OVERVIEW
from messaging import Consumer, NatsConnection, RebuildReport
from orgtree.migrations import PROJECTION_TABLES


class ReadModel(NamedTuple):
    """A consumer and all the tables that its handlers write."""

    consumer: Consumer
    tables: Sequence[str]
    has_rollups: bool


READ_MODELS = {
    "overview": ReadModel(OVERVIEW, (*PROJECTION_TABLES, "contribution"), has_rollups=True),
    "home": ReadModel(HOME, ("home_item", "home_participation", "home_study"), has_rollups=False),
}


async def rebuild(database: Database, nats: NatsConnection, name: str) -> RebuildReport:
    """Rebuild one read model while the live one goes on; raises what `messaging.rebuild` raises."""
    model = READ_MODELS[name]
    settle = orgtree.fold_here if model.has_rollups else None
    return await messaging.rebuild(database, nats, model.consumer, tables=model.tables, settle=settle)


async def rebuild_overview(settings: Settings, database: Database) -> str:
    """Fill tree and figures anew from the events, beside the live ones."""
    return await _rebuilt(settings, database, "overview")


async def rebuild_home(settings: Settings, database: Database) -> str:
    """Fill home anew from the events, beside the live one."""
    return await _rebuilt(settings, database, "home")


async def _rebuilt(settings: Settings, database: Database, name: str) -> str:
    nats = await messaging.connect(settings.nats_url, name="gateway")
    try:
        report = await rebuild(database, nats, name)
    finally:
        await nats.close()
    differing = [table.table for table in report.tables if not table.equal]
    outcome = f"differed from the live one in {', '.join(differing)}" if differing else "equal to the live one"
    return f"{name}: {report.events} events in {report.seconds:.1f} s, {outcome}; in place"
