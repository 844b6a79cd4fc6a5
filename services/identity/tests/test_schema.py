"""The Alembic history of identity can be taken back from a database that was in use."""

import orgtree
from testkit.databases import Template, TestDatabases
from testkit.schemas import left_on_the_way_back

from .authenticator import set_up
from .conftest import MIGRATIONS
from .device import registered
from .phones import phones_of
from .provider import running
from .terminals import Device, Phone, register


async def test_the_way_back_leaves_nothing_whatever_was_in_use(
    databases: TestDatabases, database_template: Template
) -> None:
    async with databases.database(database_template) as url:
        async with running(url) as provider, phones_of(provider) as phones:
            person_id, username = await provider.open_person(("officer", orgtree.ROOT_ID))
            await phones.give(person_id)
            await Device(provider, await register(provider, "village-screen")).tokens_for(Phone(provider, username))
            _, tokens = await provider.signed_in()
            await registered(provider, tokens)
            _, tokens = await provider.signed_in()
            await set_up(provider, tokens)
        assert await left_on_the_way_back(url, MIGRATIONS) == []
