"""What members would do about messages to phones on files: the requests it reads, the codes it makes, its answers."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import orjson
from sqlalchemy import select

from channels import code_of, index_of
from contracts.members import PhoneAnswerGivenV1
from database import new_id, raw
from identity.phone_proofs.event_handlers import HANDLERS
from identity.phone_proofs.tables import PhoneProof
from messaging import Received

from .front_end import FrontEnd
from .provider import Provider, phone_ring


async def requests(provider: Provider, **wanted: object) -> list[dict[str, Any]]:
    """Give what members was asked to send, oldest first, of those with these values."""
    asked = "select payload from outbox where type = 'xiangqiao.identity.phone_message.asked.v1' order by id"
    async with provider.database.read() as session:
        rows = await (await raw(session)).fetch(asked)
    found = [orjson.loads(row["payload"])["data"] for row in rows]
    return [each for each in found if all(each[name] == str(value) for name, value in wanted.items())]


async def answered(provider: Provider, message_id: str, person_id: UUID | None) -> None:
    """Hand over the answer of members: to whose phone it sends the message."""
    outcome = "no_phone" if person_id is None else "sent"
    event = PhoneAnswerGivenV1(message_id=UUID(message_id), person_id=person_id, outcome=outcome)
    received: Received[Any] = Received(event, 1, new_id(), datetime.now(UTC), None, None, None)
    async with provider.database.transaction() as session:
        await HANDLERS[PhoneAnswerGivenV1](session, [received])


def code_in(request: dict[str, Any]) -> str:
    """Give the code that the message would bring."""
    return code_of(phone_ring(), UUID(request["message_id"]))


def wrong_for(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def person_index(name: str, number: str) -> str:
    return index_of(phone_ring(), name, number).hex()


async def ask_for_own(front_end: FrontEnd, name: str, number: str) -> httpx.Response:
    """Give name and identity number on the page, and what comes then."""
    page = await front_end.http.get("/sign-in/own-account")
    return await front_end.submit(page, name=name, id_number=number)


async def proof_of(provider: Provider, message_id: str) -> PhoneProof:
    async with provider.database.read() as session:
        return (await session.scalars(select(PhoneProof).where(PhoneProof.proof_id == UUID(message_id)))).one()
