"""The worker publishes what the commands did and takes over roles and the tree, on a real broker."""

import orjson

import messaging
from contracts.identity import RoleDefinedV1
from database import Database, new_id
from learning.app import SERVICE
from learning.worker import CONSUMERS
from testkit.county import COUNTY, County
from testkit.workers import streamed, until, working
from webapi import ServiceSettings

from .lessons import lesson, published_course


async def test_a_role_that_identity_defines_holds_here(
    county: County, database: Database, identity_outbox: Database, settings: ServiceSettings, nats_url: str
) -> None:
    broker = await messaging.connect(nats_url, name="identity")
    reader = county.person(("reader", COUNTY))
    role = RoleDefinedV1(role_id=new_id(), role="reader", permissions=("learning.needs.read",))
    here = settings.model_copy(update={"nats_url": nats_url})

    async def status() -> int:
        return (await reader.get("/help-requests", organisation_id=str(COUNTY))).status_code

    async with (
        SERVICE.worker(here, database) as worker,
        working(worker, messaging.Worker("identity", identity_outbox, broker)),
    ):
        assert await status() == 403
        async with identity_outbox.transaction() as session:
            await messaging.append(session, [messaging.Publication(role, 1)])
        await until(status, 200)
    await broker.close()


async def test_what_was_done_reaches_the_stream_without_what_people_wrote(
    county: County, database: Database, settings: ServiceSettings, nats_url: str
) -> None:
    registrar = county.person(("registrar", COUNTY))
    await published_course(registrar, COUNTY, lesson(body="只在本服务保存的正文"))
    broker = await messaging.connect(nats_url, name="tests")
    here = settings.model_copy(update={"nats_url": nats_url})
    async with SERVICE.worker(here, database) as worker, working(worker):
        [event] = await streamed(broker, "learning", 1)
    await broker.close()
    assert event["type"] == "xiangqiao.learning.course.published.v1"
    assert "只在本服务保存的正文" not in orjson.dumps(event).decode()


def test_the_tree_affiliations_and_roles_are_consumed() -> None:
    assert set(CONSUMERS[0].filters) == {"identity", "members"}
