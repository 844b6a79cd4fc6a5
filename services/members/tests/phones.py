"""A member's phone, and what members sends to it, as tests of both look at them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from channels import Delivery, channel_of, index_of
from contracts.identity import PhoneMessageAskedV1
from database import Database, new_id, raw
from members.files.event_handlers import TEXTS, PhoneMessages
from members.files.indexing import Indexing
from members.phone_messages.tables import PhoneMessage
from members.settings import Settings
from messaging import Received
from testkit.sms import SmsGateway

from .provinces import Province

NAME, PHONE = "欧阳建国", "14212345678"


class Post:
    """What members does about messages, its worker's jobs one by one; `gateway` has what reached phones."""

    def __init__(self, database: Database, settings: Settings, gateway: SmsGateway) -> None:
        self.database = database
        self.settings = settings
        self.gateway = gateway
        self.messages = PhoneMessages()
        self.messages.ring, self.messages.shared = settings.ring, settings.phone_ring

    async def hand_over(self, *events: PhoneMessageAskedV1, ago: timedelta = timedelta()) -> None:
        time = datetime.now(UTC) - ago
        batch: list[Any] = [Received(event, 1, new_id(), time, None, None, None) for event in events]
        async with self.database.transaction() as session:
            await self.messages.react_to_requests(session, batch)

    async def answers(self) -> list[tuple[str | None, str]]:
        asked = "select payload from outbox where type = 'xiangqiao.members.phone_answer.given.v1' order by id"
        async with self.database.read() as session:
            rows = await (await raw(session)).fetch(asked)
        given = [orjson.loads(row["payload"])["data"] for row in rows]
        return [(each["person_id"], each["outcome"]) for each in given]

    async def deliver(self) -> None:
        described = {**self.settings.model_dump(), **self.gateway.settings_for_texts(TEXTS)}
        delivery = Delivery(self.settings.ring, channel_of(Settings(**described)), PhoneMessage)
        await delivery.run(self.database)
        await delivery.close()

    async def index_now(self) -> None:
        await Indexing(self.settings.ring, self.settings.phone_ring)(self.database)

    def index(self, name: str, number: str) -> str:
        return index_of(self.settings.phone_ring, name, number).hex()


async def on_file(province: Province, ago: timedelta = timedelta(days=7), **fields: Any) -> UUID:
    """Enrol a member that long ago and give the person's id."""
    person_id = await province.enrol(await province.branch(), **fields)
    await let_pass(province, ago)
    return person_id


PASS = """
    update member_version
    set recorded_at = recorded_at - $1::interval, phone_proves_from = phone_proves_from - $1::interval
"""


async def let_pass(province: Province, time: timedelta) -> None:
    """Move back when every version was recorded, and from when its phone proves anything."""
    async with province.database.transaction() as session:
        await (await raw(session)).execute(PASS, time)


def asked(**changed: Any) -> PhoneMessageAskedV1:
    return PhoneMessageAskedV1(**{"message_id": new_id(), "text": "code_own_account", "language": "zh", **changed})
