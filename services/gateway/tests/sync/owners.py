"""The gateway before services of the test's, which answer acts as a test says."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import orjson

from database import new_id
from testkit.tokens import TokenIssuer

from ..forwarding.raw_service import Asked, Talk
from ..in_process import InProcess

ME, OTHER, HELPER = UUID(int=71), UUID(int=72), UUID(int=73)
NOW = datetime.now(UTC)
REFUSED = {"type": "/problems/activity_over", "title": "The activity is over.", "status": 409, "secret": "a name"}


def act(kind: str = "progress", subject: UUID | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "op_id": str(new_id()),
        "person_id": str(ME),
        "kind": kind,
        "subject_id": str(subject or new_id()),
        "acted_at": NOW.isoformat(),
        "body": {"progress": 5} if kind == "progress" else {},
        **fields,
    }


class Owners:
    """The gateway before five services, each of which takes `seconds` to answer.

    `answers` are by subject, before them `turns` are, each good once; else all is well.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, Asked]] = []
        self.answers: dict[str, tuple[int, dict[str, Any], bytes]] = {}
        self.turns: dict[str, list[tuple[int, dict[str, Any], bytes]]] = {}
        self.away: set[str] = set()
        self.seconds = 0.005
        self.at_once = self.most_at_once = 0
        self.gateway: InProcess
        self.issuer: TokenIssuer

    def behaviour(self, service: str) -> Any:
        async def behave(talk: Talk, asked: Asked) -> None:
            self.seen.append((asked.target, asked))
            if service in self.away:
                talk.reset()
                return
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            await asyncio.sleep(self.seconds)
            self.at_once -= 1
            status, content, more = self._answer(asked.target.decode())
            body = orjson.dumps(content)
            await talk.say(b"HTTP/1.1 %d X\r\n%bcontent-length: %d\r\n\r\n%b" % (status, more, len(body), body))

        return behave

    def _answer(self, target: str) -> tuple[int, dict[str, Any], bytes]:
        turn = next((told.pop(0) for subject, told in self.turns.items() if told and subject in target), None)
        stands = next((told for subject, told in self.answers.items() if subject in target), None)
        return turn or stands or (200, {"version": 7}, b"")

    async def send(self, *acts: dict[str, Any], headers: dict[str, str] | None = None, **token: Any) -> httpx.Response:
        return await self.gateway.client.post(
            "/v1/sync/push",
            json={"ops": acts},
            headers={**self.issuer.headers(token.pop("person_id", ME), **token), **(headers or {})},
        )

    async def push(self, *acts: dict[str, Any], **how: Any) -> Any:
        found = await self.send(*acts, **how)
        assert found.status_code == 200, found.text
        return found.json()["results"]

    def asked(self) -> Counter[str]:
        return Counter((each.header(b"idempotency-key") or b"").decode() for _, each in self.seen)


def results(found: list[dict[str, Any]]) -> list[str]:
    return [each["result"] for each in found]


def code(result: dict[str, Any]) -> str:
    return str(result["problem"]["type"]).rpartition("/")[2]
