"""Gathers the check-ins of one moment and writes them in one transaction: a meeting's members all come at once.

A transaction for each would cost a commit for each; here whatever came while one batch was being written is the next
batch, so that nobody waits for a timer and a busy minute costs few commits.
"""

import asyncio
from collections import deque
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from activities.participation.commands import AttendanceReported, record_attendance
from activities.participation.schemas import ParticipationOut
from database import Database, utc_now

LARGEST_BATCH = 500


class _Waiting(NamedTuple):
    report: AttendanceReported
    outcome: asyncio.Future[ParticipationOut]


class Gathering:
    """Takes reports of attendance one by one; each is answered when the transaction that holds it has committed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Waiting] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def record(self, report: AttendanceReported) -> ParticipationOut:
        """Take down one report; raises what `record_attendance` refuses it for, or what the database failed with."""
        outcome: asyncio.Future[ParticipationOut] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(report, outcome))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="check-ins")
        return await outcome

    async def finish(self) -> None:
        """Return when everything that came has been written; the application calls it at its end."""
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        while self._waiting:
            await self._write_batch(self._next_batch(), utc_now())

    def _next_batch(self) -> list[_Waiting]:
        """Take up to `LARGEST_BATCH` reports, of one person and activity only the first: the second sees its effect."""
        batch: dict[tuple[UUID, UUID], _Waiting] = {}
        later: list[_Waiting] = []
        while self._waiting and len(batch) < LARGEST_BATCH:
            waiting = self._waiting.popleft()
            if waiting.report.key in batch:
                later.append(waiting)
            else:
                batch[waiting.report.key] = waiting
        self._waiting.extendleft(reversed(later))
        return list(batch.values())

    async def _write_batch(self, batch: list[_Waiting], now: datetime) -> None:
        try:
            async with self._database.raw_transaction() as connection:
                outcomes = await record_attendance(connection, [waiting.report for waiting in batch], now=now)
        except Exception as error:  # noqa: BLE001 - each of those who wait is told, and answers as any failed command
            for waiting in batch:
                if not waiting.outcome.done():
                    waiting.outcome.set_exception(error)
            return
        for report, outcome in batch:
            result = outcomes[report.key]
            if outcome.done():  # the client has gone; what it reported is taken down
                continue
            if isinstance(result, Exception):
                outcome.set_exception(result)
            else:
                outcome.set_result(result)
