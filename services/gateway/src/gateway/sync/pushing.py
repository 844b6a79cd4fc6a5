"""Sends each act to its owner: those about one thing in order, four things at a time, for twenty seconds in all.

The envelopes of one person take turns in a process: a device that sends again while its first sending is still under
way finds the receipts of that one, and nobody has more than four acts under way.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from time import monotonic
from typing import Any, Final, NamedTuple
from uuid import UUID
from weakref import WeakValueDictionary

import orjson
from prometheus_client import Counter

from database import raw, utc_now
from gateway.forwarding.asking import Asking
from gateway.forwarding.exchange import Fetched
from gateway.forwarding.failures import ForwardingFailure
from gateway.forwarding.headers import Headers
from gateway.forwarding.limits import KIB, Timeouts
from gateway.forwarding.refusals import of_failure
from gateway.quotas.buckets import TOO_MANY_REQUESTS, Quotas
from gateway.sync import receipts
from gateway.sync.kinds import KINDS, request_of
from gateway.sync.receipts import Receipt, hash_of, without_the_subject
from gateway.sync.rules import can_wait_for, clock_refusal, settled, version_of
from gateway.sync.schemas import Op, OpResult
from webapi import AuthenticatedCaller
from webapi.problems import KEY_REUSED, Problem, Refusal, problem_response, retry_after

SECONDS: Final = 20.0
AT_ONCE: Final = 4
TURN_SECONDS: Final = 5.0
MOST_WAITING: Final = 4
"""How many envelopes of one person may wait for their turn."""
LARGEST_ANSWER: Final = 256 * KIB
LARGEST_PROBLEM: Final = 2 * KIB
"""A longer one is told without what its owner adds: a device that reads slowly holds two hundred of them here."""
_RETRY_SECONDS: Final = 5
_REFUSED: Final = (403, 404)

RESULTS: Final = Counter("gateway_sync_results", "Acts that devices sent, by kind and result.", ["kind", "result"])

REFUSED: Final = {
    problem.code: problem
    for problem in (
        Problem(422, "op_reused", "Another act was sent under this id.", "该编号已用于另一项操作。"),
        Problem(
            422,
            "other_person",
            "This was done by somebody else: it is sent when they are signed in.",
            "这是其他人的操作，须由其本人登录后提交。",
        ),
        Problem(422, "unknown_kind", "Acts of this kind are not known here.", "无法识别该类操作。"),
        Problem(422, "acted_in_future", "The device's clock is ahead: set it right.", "设备时间过快，请校准时间。"),
        Problem(
            422,
            "acted_too_long_ago",
            "This was done more than 90 days ago: do it anew.",
            "该操作距今已超过 90 天，请重新办理。",
        ),
        Problem(422, "depends_on", "What this depends on was not done.", "其所依赖的操作未能完成。"),
    )
}

log = logging.getLogger(__name__)


class _Settled(NamedTuple):
    op: Op
    result: OpResult
    receipt: Receipt | None = None
    """To be kept, where its owner had the last word."""


class _Turn:
    """The turn of one person's envelopes."""

    def __init__(self) -> None:
        self.taken = asyncio.Lock()
        self.waiting = 0


_turns: Final[WeakValueDictionary[UUID, _Turn]] = WeakValueDictionary()
_under_way: Final[set[asyncio.Task[None]]] = set()


class Pushing:
    """The acts of one envelope on their way; each leads to one result. `begin` comes before `results`."""

    def __init__(
        self, asking: Asking, quotas: Quotas, caller: AuthenticatedCaller, headers: Headers, ops: Sequence[Op]
    ) -> None:
        self._asking = asking
        self._quotas = quotas
        self._caller = caller
        self._language = caller.language  # the request may be over before its acts are
        self._headers = [each for each in headers if each[0] in {b"authorization", b"accept-language"}]
        self._ops = ops
        self._now = utc_now()
        self._ends = 0.0
        self._places = asyncio.Semaphore(AT_ONCE)
        self._known: Mapping[UUID, Receipt] = {}
        self._results: dict[UUID, asyncio.Future[str]] = {}
        self._settled: asyncio.Queue[_Settled] = asyncio.Queue()
        self._told: asyncio.Queue[OpResult | None] = asyncio.Queue()
        self._working: asyncio.Task[None]

    async def begin(self) -> None:
        """Begin once it is this envelope's turn; raises the 429 problem `too_many_requests` if that takes too long."""
        turn = _turns.setdefault(self._caller.person_id, _Turn())
        refused = Refusal(TOO_MANY_REQUESTS, headers={"retry-after": retry_after(_RETRY_SECONDS)})
        if turn.waiting >= MOST_WAITING:
            raise refused
        turn.waiting += 1
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await turn.taken.acquire()
        except TimeoutError:
            raise refused from None
        finally:
            turn.waiting -= 1
        self._ends = monotonic() + SECONDS
        self._working = asyncio.create_task(self._work(turn), name="push")
        _under_way.add(self._working)
        self._working.add_done_callback(_over)

    async def results(self) -> AsyncIterator[OpResult]:
        """Give each result once its receipt is kept, in the order in which they come.

        If the device leaves, nothing more is begun; what was begun goes on to its receipt.
        """
        try:
            while (result := await self._told.get()) is not None:
                yield result
            await self._working
        finally:
            self._ends = 0.0

    async def _work(self, turn: _Turn) -> None:
        try:
            loop = asyncio.get_running_loop()
            self._results = {op.op_id: loop.create_future() for op in self._ops}
            asked_for = {*self._results, *(op.after for op in self._ops if op.after is not None)}
            async with self._caller.read() as session:
                self._known = await receipts.find(await raw(session), self._caller.person_id, asked_for)
            subjects: dict[UUID, list[tuple[int, Op]]] = {}
            for number, op in enumerate(self._ops):
                subjects.setdefault(op.subject_id, []).append((number, op))
            async with AsyncExitStack() as stack:
                tasks = [asyncio.create_task(self._in_order(acts), name="push") for acts in subjects.values()]
                stack.push_async_callback(_end, tasks)
                await self._tell()
        finally:
            turn.taken.release()
            self._told.put_nowait(None)

    async def _tell(self) -> None:
        """Keep the receipts of what is settled, as much at once as there is, and tell the results."""
        left = len(self._ops)
        while left:
            batch = [await self._settled.get()]
            while not self._settled.empty():
                batch.append(self._settled.get_nowait())
            await self._keep(batch)
            left -= len(batch)
            for each in batch:
                RESULTS.labels(each.op.kind if each.op.kind in KINDS else "_other", each.result.result).inc()
                self._told.put_nowait(each.result)

    async def _keep(self, batch: Sequence[_Settled]) -> None:
        kept = [(each.op, each.receipt) for each in batch if each.receipt is not None]
        if kept:
            principal = self._caller.principal
            async with self._caller.apart() as session:
                await receipts.keep(await raw(session), principal.person_id, principal.actor, kept, now=self._now)

    async def _in_order(self, acts: Sequence[tuple[int, Op]]) -> None:
        """Do what is about one thing, one after the other; what follows one that is to be sent again waits for it."""
        held_up = False
        for number, op in acts:
            try:
                done = _retry(op) if held_up else await self._one(number, op)
            except Exception:  # whatever it is, the others go on and this one is sent again
                log.exception("act_failed", extra={"kind": op.kind if op.kind in KINDS else "_other"})
                done = _retry(op)
            held_up = held_up or done.result.result == "retry"
            self._results[op.op_id].set_result(done.result.result)
            self._settled.put_nowait(done)

    async def _one(self, number: int, op: Op) -> _Settled:
        receipt = self._known.get(op.op_id)
        if receipt is not None and op.person_id == self._caller.person_id:
            return self._again(op, receipt)
        if (code := self._wrong_with(op, number)) is not None:
            return self._refused(op, code)
        before = await self._before(op)
        if before in {"retry", "conflict"}:
            return _retry(op)
        return self._refused(op, "depends_on") if before == "rejected" else await self._ask(op)

    def _wrong_with(self, op: Op, number: int) -> str | None:
        """Give the code of what keeps an act from being tried."""
        if op.person_id != self._caller.person_id:
            return "other_person"
        if op.kind not in KINDS:
            return "unknown_kind"
        earlier = {each.op_id for each in self._ops[:number]} if op.after is not None else ()
        if not can_wait_for(op.after, earlier, self._known):
            return "depends_on"
        return clock_refusal(op.acted_at, self._now)

    @property
    def _asker(self) -> tuple[str, UUID]:
        return self._caller.principal.client_id, self._caller.principal.asker

    async def _before(self, op: Op) -> str:
        """Give the result of the act without which this one makes no sense."""
        if op.after is None:
            return "applied"
        return self._known[op.after].result if op.after in self._known else await self._results[op.after]

    async def _ask(self, op: Op) -> _Settled:
        kind = KINDS[op.kind]
        asked = request_of(
            kind,
            subject_id=op.subject_id,
            base_version=op.base_version,
            acted_at=op.acted_at.isoformat(),
            body=op.body,
        )
        headers = [*self._headers, (b"idempotency-key", str(op.op_id).encode())]
        if asked.if_match is not None:
            headers.append((b"if-match", asked.if_match))
        async with self._places:
            left = self._ends - monotonic()
            if left <= 0:
                return _retry(op)
            try:
                self._quotas.check_tried(*self._asker, asked.target.encode())
            except Refusal as refusal:
                return self._retry_as(op, refusal, int(refusal.headers["retry-after"]))
            times = Timeouts(connect=1, queue=min(2, left), first_byte=min(10, left), idle=min(5, left), total=left)
            try:
                answer = await self._asking.ask(
                    kind.service,
                    asked.target,
                    headers,
                    timeouts=times,
                    max_bytes=LARGEST_ANSWER,
                    method=kind.method,
                    body=asked.body,
                )
            except ForwardingFailure as failure:
                return self._retry_as(op, of_failure(failure, kind.service))
            if answer.status in _REFUSED:
                self._quotas.was_refused(*self._asker, asked.target.encode())
        return self._answered(op, answer)

    def _answered(self, op: Op, answer: Fetched) -> _Settled:
        """Read what an owner said of an act."""
        content = _content(answer.body)
        problem = content if answer.status >= 400 and isinstance(content, dict) else None
        code = str(problem.get("type", "")).rpartition("/")[2] if problem is not None else ""
        headers = dict(answer.headers)
        if code == KEY_REUSED.code:  # nothing was done, and what was is the other act's
            return self._refused(op, "op_reused")
        outcome = settled(answer.status, code)
        version = version_of(headers.get(b"etag"), content) if outcome != "rejected" else None
        wait = headers.get(b"retry-after", b"")
        result = _result(
            op,
            "duplicate" if outcome == "applied" and b"idempotency-replayed" in headers else outcome,
            status=answer.status,
            problem=None if outcome in {"applied", "duplicate"} else _in_short(problem, answer.body),
            version=version,
            retry_after=(int(wait) if wait.isdigit() else _RETRY_SECONDS) if outcome == "retry" else None,
        )
        if outcome in {"conflict", "retry"}:  # nothing was done, and it may be when it is sent once more
            return _Settled(op, result)
        kept = "rejected" if outcome == "rejected" else "applied"
        return _Settled(op, result, Receipt(hash_of(op), kept, answer.status, result.problem, version))

    def _again(self, op: Op, receipt: Receipt) -> _Settled:
        if receipt.op_hash != hash_of(op):
            return self._refused(op, "op_reused")
        result = "duplicate" if receipt.result == "applied" else receipt.result
        return _Settled(
            op, _result(op, result, status=receipt.status, problem=receipt.problem, version=receipt.version)
        )

    def _refused(self, op: Op, code: str) -> _Settled:
        problem = REFUSED[code]
        return _Settled(op, _result(op, "rejected", status=problem.status, problem=self._shown(Refusal(problem))))

    def _retry_as(self, op: Op, refusal: Refusal, seconds: int = _RETRY_SECONDS) -> _Settled:
        return _retry(op, seconds, status=refusal.problem.status, problem=self._shown(refusal))

    def _shown(self, refusal: Refusal) -> dict[str, Any]:
        content: dict[str, Any] = orjson.loads(problem_response(refusal, self._language).body)
        return content


def _retry(op: Op, seconds: int = _RETRY_SECONDS, **told: Any) -> _Settled:
    return _Settled(op, _result(op, "retry", retry_after=seconds, **told))


def _result(op: Op, result: str, **told: Any) -> OpResult:
    return OpResult(op_id=op.op_id, result=result, subject_id=op.subject_id, **told)


def _in_short(problem: dict[str, Any] | None, body: bytes) -> dict[str, Any] | None:
    return problem if problem is None or len(body) <= LARGEST_PROBLEM else without_the_subject(problem)


def _content(body: bytes) -> Any:
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return None


def _over(working: asyncio.Task[None]) -> None:
    _under_way.discard(working)
    if not working.cancelled() and (error := working.exception()) is not None:
        log.warning("push_broken_off", exc_info=error)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
