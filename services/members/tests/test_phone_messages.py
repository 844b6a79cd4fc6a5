"""Members sends to the phone on a file what identity asks for: once, in time, and without telling the number."""

import logging
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from channels import code_of
from contracts.identity import PersonErasedV1
from database import Database, new_id, raw
from members.files import indexing
from members.files.indexing import Indexing
from members.worker import HANDLERS
from messaging import Consumer, Received
from messaging.inbox import Inbox
from messaging.received import Delivery as Delivered
from messaging.received import Reader
from messaging.streams import subject_of
from testkit.delivery import tell

from .phones import NAME, PHONE, Post, asked, on_file
from .provinces import Province, id_number


@pytest.mark.parametrize("language", ["zh", "en", "bo"])
async def test_a_code_goes_to_the_phone_on_the_file_and_only_the_key_makes_it(
    province: Province, post: Post, language: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    person_id = await on_file(province, phone="+86 142-1234-5678")
    event = asked(person_id=person_id, text="code_first_sign_in", language=language)
    await post.hand_over(event)
    await post.deliver()
    [sent] = post.gateway.messages_to(f"+86{PHONE}")
    code = code_of(post.settings.phone_ring, event.message_id)
    assert sent == (f"code_first_sign_in.{'en' if language == 'en' else 'zh'}", (code, "10"))
    assert await post.answers() == [(str(person_id), "sent")]
    async with post.database.read() as session:
        told = await (await raw(session)).fetchval("select string_agg(payload::text, ' ') from outbox")
    for secret in (PHONE, NAME, code):
        assert secret not in told
        assert secret not in caplog.text


async def test_who_asks_by_name_and_number_is_found_however_they_are_written(province: Province, post: Post) -> None:
    number = id_number()
    person_id = await on_file(province, name="阿依古丽•买买提", id_number=number)
    await post.index_now()
    written = [post.index("阿依古丽·买买提", number), post.index("阿依古丽·买买提", f"'{number} ")]
    await post.hand_over(*(asked(person_index=each) for each in written))
    assert await post.answers() == [(str(person_id), "sent")] * 2


async def test_nobody_is_found_by_another_name_or_number_and_that_is_said(province: Province, post: Post) -> None:
    number, unreachable = id_number(), id_number()
    branch = await province.branch()
    await province.enrol(branch, id_number=number)
    await province.enrol(branch, id_number=unreachable, phone=None)
    await post.index_now()
    others = [post.index("欧阳建", number), post.index(NAME, id_number()), post.index(NAME, unreachable)]
    await post.hand_over(*(asked(person_index=each) for each in others), asked(), asked(person_id=new_id()))
    assert await post.answers() == [(None, "no_phone")] * 5
    await post.deliver()
    assert list(post.gateway.delivered) == []


@pytest.mark.parametrize(
    ("text", "late"), [("code_own_account", timedelta(minutes=10)), ("account_opened", timedelta(days=3))]
)
async def test_what_comes_late_is_sent_to_nobody(province: Province, post: Post, text: str, late: timedelta) -> None:
    person_id = await on_file(province)
    await post.hand_over(asked(person_id=person_id, text=text), ago=late)
    assert await post.answers() == [(None, "late")]
    await post.hand_over(asked(person_id=person_id, text=text), ago=late - timedelta(minutes=1))
    async with post.database.transaction() as session:  # it waited for a worker
        await (await raw(session)).execute("update phone_message set expires_at = now()")
    await post.deliver()
    assert list(post.gateway.delivered) == []


async def test_the_same_request_twice_is_one_message_and_one_answer(province: Province, post: Post) -> None:
    person_id = await on_file(province)
    event = asked(person_id=person_id)
    consumer = Consumer("members", handlers=post.messages.handlers)
    inbox, reader = Inbox(consumer, post.database, "EVT_IDENTITY"), Reader(consumer.handlers)
    envelope = orjson.dumps({
        "specversion": "1.0", "id": str(new_id()), "source": "/services/identity", "type": event.type,
        "subject": f"{event.aggregate}/{event.aggregate_id}", "time": datetime.now(UTC).isoformat(),
        "aggregateversion": 1, "data": event.model_dump(mode="json"),
    })  # fmt: skip
    for _ in range(3):  # delivered again, also after a restart in between
        await inbox.apply([reader.read(Delivered(subject_of(event), envelope))])
    await post.deliver()
    await inbox.apply([reader.read(Delivered(subject_of(event), envelope))])
    await post.deliver()
    assert len(post.gateway.messages_to(f"+86{PHONE}")) == 1
    assert await post.answers() == [(str(person_id), "sent")]


async def test_a_worker_that_dies_after_sending_sends_no_second_code(province: Province, post: Post) -> None:
    event = asked(person_id=await on_file(province))
    for _ in range(2):
        async with post.database.transaction() as session:
            await post.messages.react_to_requests(
                session, [Received(event, 1, new_id(), datetime.now(UTC), None, None, None)]
            )
            await (await raw(session)).execute("delete from outbox")
        await post.deliver()
    assert len(post.gateway.messages_to(f"+86{PHONE}")) == 1


async def test_a_text_that_is_not_known_yet_is_left_alone(province: Province, post: Post) -> None:
    await post.hand_over(asked(person_id=await on_file(province), text="later"))
    assert await post.answers() == []


async def test_nothing_reaches_the_erased_and_no_index_is_left(province: Province, post: Post) -> None:
    number = id_number()
    person_id = await on_file(province, id_number=number)
    await post.index_now()
    await post.hand_over(asked(person_id=person_id))
    await tell(post.database, HANDLERS, PersonErasedV1(person_id=person_id))
    await post.index_now()
    await post.hand_over(asked(person_id=person_id), asked(person_index=post.index(NAME, number)))
    await post.deliver()
    assert list(post.gateway.delivered) == []
    assert await post.answers() == [(str(person_id), "sent"), (None, "no_phone"), (None, "no_phone")]


async def test_the_index_follows_every_version_and_goes_on_where_it_was_ended(
    province: Province, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch, numbers = await province.branch(), [id_number() for _ in range(5)]
    people = [await province.enrol(branch, id_number=number) for number in numbers]
    monkeypatch.setattr(indexing, "AT_ONCE", 2)
    made = 0
    original = Indexing._some

    async def ended(self: Indexing, database: Database) -> int:
        nonlocal made
        made += 1
        if made == 2:
            raise ConnectionError
        return await original(self, database)

    monkeypatch.setattr(Indexing, "_some", ended)
    with pytest.raises(ConnectionError):
        await post.index_now()
    assert await indexed(post.database) == 2
    await post.index_now()
    assert await indexed(post.database) == 5
    me = province.person(person_id=people[0])
    officer_side = await me.post(f"/members/{people[0]}/revisions", {"base_version": 1, "away": True})
    assert officer_side.status_code in {200, 201}, officer_side.text
    assert await indexed(post.database) == 4
    await post.index_now()
    assert await indexed(post.database) == 5


async def indexed(database: Database) -> int:
    async with database.read() as session:
        found = "select count(*) from member where indexed_version = version and person_index is not null"
        count: int = await (await raw(session)).fetchval(found)
        return count


async def test_a_file_that_does_not_open_keeps_no_other_waiting(
    province: Province, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    branch = await province.branch()
    broken, _ = await province.enrol(branch), await province.enrol(branch)
    async with post.database.transaction() as session:
        altered = "update member_version set name = set_byte(name, 20, get_byte(name, 20) # 1) where person_id = $1"
        await (await raw(session)).execute(altered, broken)
    await post.index_now()
    assert await indexed(post.database) == 1
    assert [record.msg for record in caplog.records].count("file_not_indexed") == 1
    await post.index_now()
    assert [record.msg for record in caplog.records].count("file_not_indexed") == 1
