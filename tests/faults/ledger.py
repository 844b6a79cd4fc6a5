"""An idempotent client of feedback, and its ledger: what it was told is done, to hold against what there is."""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from database import new_id
from testkit.tokens import TokenIssuer
from tests.faults.tree import BRANCHES, CATEGORY, SECRETARY, TOWNSHIP

PATIENCE_SECONDS = 180.0
TOKEN_SECONDS = 240.0
KINDS = ("opened", "answered", "confirmed")


@dataclass
class Accepted:
    """One case as the client knows it: `done` is what it was told is done, in order."""

    case_id: UUID
    reporter_id: UUID
    organisation_id: UUID
    done: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """The status a case has after that."""
        return {"opened": "open"}.get(self.done[-1], self.done[-1])


class Ledger:
    """All that the client was told: done, refused for good, and what made it send again."""

    def __init__(self) -> None:
        self.cases: dict[UUID, Accepted] = {}
        self.refused: list[str] = []
        self.sent_again: Counter[str] = Counter()
        self.count = 0

    def note(self, case: Accepted, kind: str) -> None:
        """Write down that an operation was accepted."""
        self.cases[case.case_id] = case
        case.done.append(kind)
        self.count += 1

    def steps(self) -> list[tuple[UUID, int]]:
        """Give each accepted operation as its case and the version it led to."""
        return [(case.case_id, version) for case in self.cases.values() for version in range(1, len(case.done) + 1)]


class Client:
    """Brings cases in, answers and confirms them, and sends each command until it has its answer.

    `apis` are the addresses it may choose from; take one out before it is stopped in order, as a balancer does.
    """

    def __init__(self, apis: Sequence[str], issuer: TokenIssuer, ledger: Ledger | None = None) -> None:
        self.apis = list(apis)
        self.ledger = ledger or Ledger()
        self.in_flight: Counter[str] = Counter()
        self._issuer = issuer
        self._turn = itertools.count()
        self._tokens: dict[UUID, tuple[float, dict[str, str]]] = {}
        self._secretary = new_id()
        # Every request has a connection of its own, so that a broken one tells that this very request was lost.
        self._http = httpx.AsyncClient(trust_env=False, timeout=15, limits=httpx.Limits(max_keepalive_connections=0))

    async def close(self) -> None:
        """Close what is open."""
        await self._http.aclose()

    async def work(self, commands: int, chance: random.Random, *, at_once: int = 16) -> None:
        """Send so many commands on new cases, of one to three each, so many at once."""
        plans: list[int] = []
        while (left := commands - sum(plans)) > 0:
            plans.append(min(left, chance.choice((1, 2, 3, 3, 3))))
        people = itertools.cycle([new_id() for _ in range(max(40, len(plans) // 10))])  # more is not for one person
        waiting = iter([(plan, next(people), chance.choice(BRANCHES)) for plan in plans])

        async def take_turns() -> None:
            for plan, reporter_id, organisation_id in waiting:
                await self.see_through(Accepted(new_id(), reporter_id, organisation_id), plan)

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(take_turns())

    async def see_through(self, case: Accepted, commands: int = 3) -> None:
        """Open a case, have it answered and confirm it, from where it stands and as far as so many commands go."""
        path = f"/v1/cases/{case.case_id}"
        opening = {
            "case_id": str(case.case_id),
            "category": CATEGORY,
            "organisation_id": str(case.organisation_id),
            "text": "路灯坏了",
        }
        wanted = (
            (case.reporter_id, "/v1/cases", opening),
            (self._secretary, f"{path}/answers", {"text": "已修好"}),
            (case.reporter_id, f"{path}/confirmation", None),
        )
        for kind, (person_id, where, body) in list(zip(KINDS, wanted, strict=True))[len(case.done) : commands]:
            if not await self._send(kind, person_id, where, body):
                return
            self.ledger.note(case, kind)

    async def _send(self, kind: str, person_id: UUID, path: str, body: dict[str, Any] | None) -> bool:
        """Send one command until it has an answer that will not change; tell whether it was accepted."""
        key, deadline, pause = str(new_id()), time.monotonic() + PATIENCE_SECONDS, 0.02
        while isinstance(outcome := await self._try(person_id, path, body, key), str):
            self.ledger.sent_again[outcome] += 1
            assert time.monotonic() < deadline, f"{kind}: {outcome} for {PATIENCE_SECONDS} s"
            await asyncio.sleep(pause)
            pause = min(0.5, pause * 2)
        if not outcome.is_success:
            self.ledger.refused.append(f"{kind}: {outcome.status_code} {outcome.text[:100]}")
        return outcome.is_success

    async def _try(self, person_id: UUID, path: str, body: dict[str, Any] | None, key: str) -> httpx.Response | str:
        """Send a command once; gives its answer, or why it must be sent again."""
        api = self.apis[next(self._turn) % len(self.apis)]
        self.in_flight[api] += 1
        try:
            headers = {**self._headers(person_id), "Idempotency-Key": key}
            answer = await self._http.post(api + path, json=body, headers=headers)
        except httpx.ConnectError:
            return "connection refused"
        except httpx.TransportError as error:
            return f"answer lost: {type(error).__name__}"
        finally:
            self.in_flight[api] -= 1
        return str(answer.status_code) if answer.is_server_error else answer

    def _headers(self, person_id: UUID) -> dict[str, str]:
        made_at, headers = self._tokens.get(person_id, (0.0, {}))
        if not headers or time.monotonic() - made_at > TOKEN_SECONDS:
            roles = [(SECRETARY, TOWNSHIP)] if person_id == self._secretary else []
            headers = self._issuer.headers(person_id, roles)
            self._tokens[person_id] = time.monotonic(), headers
        return headers
