"""The worker publishes what the commands did and learns the roles from identity, on a real broker."""

import orjson

import messaging
import orgtree
from contracts.identity import RoleDefinedV1
from database import Database, new_id
from members.app import SERVICE
from members.settings import Settings
from members.worker import CONSUMERS
from testkit.workers import streamed, until, working

from .provinces import Province, member_row


async def test_a_role_that_identity_defines_holds_here(
    province: Province, identity_outbox: Database, settings: Settings, nats_url: str
) -> None:
    nats = await messaging.connect(nats_url, name="identity")
    publishing = messaging.Worker("identity", identity_outbox, nats)
    database = province.database
    reader = province.person(("reader", orgtree.ROOT_ID))
    role = RoleDefinedV1(role_id=new_id(), role="reader", permissions=("members.organisation.read",))
    here = settings.model_copy(update={"nats_url": nats_url})

    async def status() -> int:
        return (await reader.get("/organisations")).status_code

    async with SERVICE.worker(here, database) as worker, working(worker, publishing):
        assert await status() == 403
        async with identity_outbox.transaction() as session:
            await messaging.append(session, [messaging.Publication(role, 1)])
        await until(status, 200)
        for check in worker.checks().values():
            await check()
    assert [item["organisation_id"] for item in await reader.all("/organisations")] == [str(orgtree.ROOT_ID)]
    await nats.close()


async def test_what_was_done_reaches_the_stream_in_order_and_without_a_personal_field(
    province: Province, database: Database, settings: Settings, nats_url: str
) -> None:
    branch = await province.branch()
    body = member_row(branch)
    person = (await province.registrar.post("/members", body)).json()["person_id"]
    here = settings.model_copy(update={"nats_url": nats_url})
    nats = await messaging.connect(nats_url, name="tests")
    async with SERVICE.worker(here, database) as worker, working(worker):
        events = await streamed(nats, "members", 4)
    await nats.close()
    assert [event["type"].removeprefix("xiangqiao.members.") for event in events] == [
        "organisation.established.v1",
        "organisation.established.v1",
        "affiliation.affiliated.v1",
        "composition.counted.v1",
    ]
    assert events[2]["data"] == {"person_id": person, "organisation_id": str(branch)}
    assert events[2]["actor"] == str(province.registrar.person_id)
    told = orjson.dumps(events).decode()
    assert not any(body[field] in told for field in ("name", "id_number", "phone"))


def test_the_own_events_are_not_consumed_a_second_time() -> None:
    assert set(CONSUMERS[0].filters) == {"identity"}
