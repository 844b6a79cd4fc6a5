"""People's phones in tests: what identity queued is delivered through a gateway that is a server of its own."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from channels import Delivery, channel_of
from database import Database, new_id, utc_now
from identity.accounts.phones import put_on_file
from identity.messages.commands import TEXTS
from identity.messages.tables import OF_NOBODY, MessageToSend
from testkit.sms import Sent, SmsGateway

from .provider import Provider, ring, settings_for

_NUMBERS = itertools.count(1)


def new_number() -> str:
    """Give a number that no other test has, as people type it."""
    return f"139{next(_NUMBERS):08}"


class Phones:
    """The phones that messages of the provider reach; `numbers` are those that were given to people, by person."""

    def __init__(self, gateway: SmsGateway, provider: Provider, delivery: Delivery) -> None:
        self.gateway = gateway
        self.numbers: dict[UUID, str] = {}
        self._provider = provider
        self._delivery = delivery

    async def messages_to(self, number: str) -> list[Sent]:
        """Let the worker's job run once and give what has reached a phone by now."""
        await self._delivery.run(self._provider.database)
        return self.gateway.messages_to(f"+86{number}")

    async def code_to(self, number: str) -> str:
        """Give the code of the last message, which is one."""
        last = (await self.messages_to(number))[-1]
        assert last.template.startswith("code"), last.template
        return last.parameters[0]

    async def give(self, person_id: UUID) -> str:
        """Put a new number on a person's file and give it."""
        number = self.numbers[person_id] = new_number()
        async with self._provider.database.transaction() as session:
            await put_on_file(session, ring(), account_id=person_id, phone=f"+86{number}", new_id=new_id, now=utc_now())
        return number


@asynccontextmanager
async def delivering(gateway: SmsGateway, database: Database) -> AsyncIterator[Delivery]:
    """Give the worker's job for this gateway, which sends one after another here, so that the last is the last."""
    described: dict[str, Any] = dict(gateway.settings_for_texts(TEXTS))
    channel = channel_of(settings_for(database.dsn, **described))
    delivery = Delivery(ring(), channel, MessageToSend, moot=OF_NOBODY, at_once=1)
    try:
        yield delivery
    finally:
        await delivery.close()


@asynccontextmanager
async def phones_of(provider: Provider) -> AsyncIterator[Phones]:
    """Run a gateway and give the phones it reaches."""
    with SmsGateway() as gateway:
        async with delivering(gateway, provider.database) as delivery:
            yield Phones(gateway, provider, delivery)
