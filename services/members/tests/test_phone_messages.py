"""Members sends to the phone on a file what identity asks for: once, in time, and without telling the number."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any
from uuid import UUID

import orjson
import pytest

from channels import Delivery, channel_of, code_of, index_of
from contracts.identity import PersonErasedV1, PhoneMessageAskedV1
from database import Database, new_id, raw
from members.files import indexing
from members.files.event_handlers import TEXTS, PhoneMessages
from members.files.indexing import Indexing
from members.files.rules.personal_fields import PersonalFields
from members.files.sealing import SealedFile, seal_fields
from members.phone_messages.tables import PhoneMessage
from members.settings import Settings
from members.worker import HANDLERS
from messaging import Consumer, Received
from messaging.inbox import Inbox
from messaging.received import Delivery as Delivered
from messaging.received import Reader
from messaging.streams import subject_of
from testkit.delivery import tell
from testkit.sms import SmsGateway

from .provinces import Person, Province, id_number, member_row

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


@pytest.fixture
def post(database: Database, settings: Settings) -> Iterator[Post]:
    with SmsGateway() as gateway:
        yield Post(database, settings, gateway)


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


async def revise(by: Person, person_id: UUID, base_version: int, **changes: Any) -> None:
    answer = await by.post(f"/members/{person_id}/revisions", {"base_version": base_version, **changes})
    assert answer.status_code == 200, answer.text


async def enrolled(province: Province, phone: str) -> UUID:
    return await province.enrol(await province.branch(), phone=phone)


async def imported(province: Province, phone: str) -> UUID:
    person_id, row = new_id(), member_row(await province.branch(), phone=phone)
    answer = await province.registrar.post("/member-imports", {"rows": [{**row, "person_id": str(person_id)}]})
    assert answer.status_code == 200, answer.text
    return person_id


async def replaced(province: Province, phone: str) -> UUID:
    person_id = await on_file(province)
    await revise(province.registrar, person_id, 1, phone=phone)
    return person_id


async def replaced_soon(province: Province, phone: str) -> UUID:
    person_id = await enrolled(province, PHONE)
    await revise(province.registrar, person_id, 1, phone=phone)
    return person_id


async def given(province: Province, phone: str) -> UUID:
    person_id = await on_file(province, phone=None)
    await revise(province.registrar, person_id, 1, phone=phone)
    return person_id


async def given_by_way_of_another(province: Province, phone: str) -> UUID:
    person_id = await given(province, "14200000007")
    await let_pass(province, timedelta(days=30))
    await revise(province.registrar, person_id, 2, phone=phone)
    return person_id


async def taken_out_and_given(province: Province, phone: str) -> UUID:
    person_id = await on_file(province)
    await revise(province.registrar, person_id, 1, phone=None)
    await revise(province.registrar, person_id, 2, phone=phone)
    return person_id


async def given_back(province: Province, phone: str) -> UUID:
    person_id = await on_file(province, phone=phone)
    await revise(province.registrar, person_id, 1, phone=PHONE)
    await revise(province.registrar, person_id, 2, phone=phone)
    return person_id


def asked(**changed: Any) -> PhoneMessageAskedV1:
    return PhoneMessageAskedV1(**{"message_id": new_id(), "text": "code_own_account", "language": "zh", **changed})


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


@pytest.mark.parametrize("put", [enrolled, imported, replaced, replaced_soon, given_back])
@pytest.mark.parametrize("text", [text for text in TEXTS if text.startswith("code_")])
async def test_a_number_that_somebody_else_put_on_file_takes_codes_after_a_week(
    province: Province, post: Post, text: str, put: Callable[[Province, str], Awaitable[UUID]]
) -> None:
    theirs = "14287654321"
    person_id = await put(province, theirs)
    await revise(province.registrar, person_id, await version_of(post.database, person_id), away=True)
    await let_pass(province, timedelta(days=7, minutes=-1))
    await revise(province.registrar, person_id, await version_of(post.database, person_id), smartphone=False)
    await post.hand_over(asked(person_id=person_id, text=text))
    assert await post.answers() == [(None, "no_phone")]
    await let_pass(province, timedelta(minutes=1))
    await post.hand_over(asked(person_id=person_id, text=text))
    assert (await post.answers())[1:] == [(str(person_id), "sent")]
    await post.deliver()
    assert [each for each, _ in post.gateway.messages_to(f"+86{theirs}")].count(f"{text}.zh") == 1


async def test_what_is_no_code_reaches_a_new_number_at_once(province: Province, post: Post) -> None:
    person_id = await enrolled(province, PHONE)
    await post.hand_over(asked(person_id=person_id, text="account_opened"))
    assert await post.answers() == [(str(person_id), "sent")]


@pytest.mark.parametrize("put", [given, given_by_way_of_another, taken_out_and_given])
async def test_a_number_that_somebody_else_put_where_none_was_takes_codes_once_its_person_was_there(
    province: Province, post: Post, put: Callable[[Province, str], Awaitable[UUID]]
) -> None:
    theirs = "14287654321"
    person_id = await put(province, theirs)
    await let_pass(province, timedelta(days=400))
    await revise(province.registrar, person_id, await version_of(post.database, person_id), away=True)
    await post.hand_over(asked(person_id=person_id), asked(person_id=person_id, text="account_opened"))
    assert await post.answers() == [(None, "no_phone"), (str(person_id), "sent")]
    me, own = province.person(person_id=person_id), "14200000009"
    await revise(me, person_id, await version_of(post.database, person_id), phone=own)
    await post.hand_over(asked(person_id=person_id))
    assert (await post.answers())[2:] == [(str(person_id), "sent")]
    await post.deliver()
    assert [each for each, _ in post.gateway.messages_to(f"+86{own}")] == ["code_own_account.zh"]


@pytest.mark.parametrize(("put", "takes_codes"), [(replaced, True), (given, False), (taken_out_and_given, False)])
async def test_what_was_written_before_this_was_kept_is_read_from_the_versions(
    province: Province, post: Post, put: Callable[[Province, str], Awaitable[UUID]], takes_codes: bool
) -> None:
    person_id = await put(province, "14287654321")
    async with post.database.transaction() as session:
        await (await raw(session)).execute("update member_version set phone_proves_from = null")
    await let_pass(province, timedelta(days=7, minutes=-1))
    await post.hand_over(asked(person_id=person_id))
    await let_pass(province, timedelta(minutes=1))
    await revise(province.registrar, person_id, await version_of(post.database, person_id), away=True)
    await post.hand_over(asked(person_id=person_id))
    sent = (str(person_id), "sent") if takes_codes else (None, "no_phone")
    assert await post.answers() == [(None, "no_phone"), sent]


async def test_however_often_a_file_is_changed_its_number_takes_codes(province: Province, post: Post) -> None:
    person_id = await on_file(province)
    for version in range(1, 121):
        await revise(province.registrar, person_id, version, away=version % 2 == 1)
    await post.hand_over(asked(person_id=person_id))
    assert await post.answers() == [(str(person_id), "sent")]


async def test_who_signed_in_long_ago_changes_no_phone_of_the_own_file(province: Province, post: Post) -> None:
    person_id = await on_file(province)
    me = province.person(person_id=person_id, authenticated_at=time() - 601)
    for changes, status in (({"phone": "14200000009"}, 401), ({"phone": None}, 401), ({"away": True}, 200)):
        answer = await me.post(f"/members/{person_id}/revisions", {"base_version": 1, **changes})
        assert answer.status_code == status, answer.text
    assert await version_of(post.database, person_id) == 2


async def test_the_number_that_a_person_puts_on_the_own_file_counts_at_once(province: Province, post: Post) -> None:
    person_id = await replaced(province, "14287654321")
    me = province.person(person_id=person_id, acr="2")
    await revise(me, person_id, 2, phone="14200000009")
    await revise(province.registrar, person_id, 3, away=True)
    await post.hand_over(asked(person_id=person_id))
    assert await post.answers() == [(str(person_id), "sent")]
    await post.deliver()
    assert [each for each, _ in post.gateway.messages_to("+8614200000009")] == ["code_own_account.zh"]


@pytest.mark.parametrize("phone", ["14287654321", None])
async def test_the_former_number_is_told_once_that_somebody_else_changed_it(
    province: Province, post: Post, phone: str | None
) -> None:
    person_id = await on_file(province)
    path, body = f"/members/{person_id}/revisions", {"base_version": 1, "phone": phone}
    for key in ("a", "a", "b"):
        answer = await province.registrar.post(path, body, headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.json()["version"]) == (200, 2)
    await revise(province.registrar, person_id, 2, away=True)
    await post.deliver()
    assert list(post.gateway.messages_to(f"+86{PHONE}")) == [("phone_replaced.zh", ())]
    assert len(post.gateway.delivered) == 1


async def test_the_same_number_in_the_writing_of_before_is_no_other(province: Province, post: Post) -> None:
    person_id = await on_file(province, phone=PHONE)
    async with post.database.transaction() as session:
        connection = await raw(session)
        key = await connection.fetchrow("select person_id, wrapped from member_key where person_id = $1", person_id)
        data_key = SealedFile(post.settings.ring, key).data_key
        before = PersonalFields(NAME, "", f"+86 {PHONE[:3]}-{PHONE[3:]}")
        *_, phone = seal_fields(data_key, before, person_id=person_id, version=1)
        await connection.execute("update member_version set phone = $2 where person_id = $1", person_id, phone)
    await revise(province.registrar, person_id, 1, phone=PHONE)
    await post.hand_over(asked(person_id=person_id))
    await post.deliver()
    assert [each for each, _ in post.gateway.messages_to(f"+86{PHONE}")] == ["code_own_account.zh"]


async def test_nobody_is_told_of_the_own_change_or_of_one_that_is_refused(province: Province, post: Post) -> None:
    person_id = await on_file(province, stage="activist")
    refused = {"base_version": 1, "phone": "14287654321", "stage": "full"}
    answer = await province.registrar.post(f"/members/{person_id}/revisions", refused)
    assert answer.status_code == 409
    await revise(province.person(person_id=person_id, acr="2"), person_id, 1, phone="14200000009")
    await post.deliver()
    assert list(post.gateway.delivered) == []


async def version_of(database: Database, person_id: UUID) -> int:
    async with database.read() as session:
        found = "select version from member where person_id = $1"
        version: int = await (await raw(session)).fetchval(found, person_id)
        return version
