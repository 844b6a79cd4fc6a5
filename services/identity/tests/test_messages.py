"""Messages to phones: delivered at least once and known by their id, tried again, dropped when too late, never told."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from pydantic import ValidationError
from sqlalchemy import select, update

from channels import Delivery, Message, NotTaken, Taken, sms
from channels.delivery import AT_ONCE
from channels.sms import GatewayKey, TencentSms, authorization
from database import Database, utc_now
from identity.messages.commands import TEXTS, send
from identity.messages.tables import MessageToSend
from testkit.databases import Template, TestDatabases
from testkit.sms import APPLICATION, KEY, KEY_ID, SIGNATURE, Sent, SmsGateway

from .phones import delivering as delivery_for
from .provider import ring, settings_for

PHONE = "+8613800138000"


@pytest_asyncio.fixture
async def database(databases: TestDatabases, database_template: Template) -> AsyncIterator[Database]:
    async with databases.database(database_template) as url:
        opened = Database(url, application_name="tests")
        yield opened
        await opened.close()


@pytest.fixture
def gateway() -> Iterator[SmsGateway]:
    with SmsGateway() as started:
        yield started


async def queue(database: Database, **changed: object) -> UUID:
    code = {"code": "012345", "minutes": "5"}
    values = {"account_id": None, "phone": PHONE, "text": "code", "values": code, "language": "zh"}
    async with database.transaction() as session:
        return await send(session, ring(), now=utc_now(), **{**values, **changed})  # type: ignore[arg-type]


async def rows(database: Database) -> list[MessageToSend]:
    async with database.read() as session:
        return list(await session.scalars(select(MessageToSend)))


async def let_pass(database: Database, wait: timedelta) -> None:
    async with database.transaction() as session:
        await session.execute(update(MessageToSend).values(next_attempt_at=MessageToSend.next_attempt_at - wait))


def channel(gateway: SmsGateway, key_id: str = KEY_ID, key: str = KEY) -> TencentSms:
    templates = {(text, language): f"{text}.{language}" for text in TEXTS for language in ("zh", "en")}
    return TencentSms(
        gateway.url,
        GatewayKey(key_id, key),
        application=APPLICATION,
        signature=SIGNATURE,
        region="ap-guangzhou",
        templates=templates,
        clock=utc_now,
    )


def test_each_text_has_the_same_words_in_the_same_order_in_both_languages() -> None:
    for text, languages in TEXTS.items():
        assert languages.keys() == {"zh", "en"}
        assert TEXTS.words_of(text, "zh") == TEXTS.words_of(text, "en"), text


async def test_a_message_is_delivered_once_and_gone(database: Database, gateway: SmsGateway) -> None:
    await queue(database)
    await queue(database, withheld=True, phone="+8613800138001")
    async with delivery_for(gateway, database) as delivery:
        await delivery.run(database)
    assert gateway.messages_to(PHONE) == [Sent("code.zh", ("012345", "5"))]
    assert gateway.messages_to("+8613800138001") == []
    assert gateway.requests == 1
    assert await rows(database) == []


async def test_what_a_rolled_back_command_would_have_told_is_not_told(database: Database, gateway: SmsGateway) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as session:
            await send(
                session,
                ring(),
                account_id=None,
                phone=PHONE,
                text="recovered",
                values={},
                language="zh",
                now=utc_now(),
            )
            raise RuntimeError
    async with delivery_for(gateway, database) as delivery:
        await delivery.run(database)
    assert gateway.requests == 0


async def test_a_failed_message_is_tried_again_later_and_later(
    database: Database, gateway: SmsGateway, caplog: pytest.LogCaptureFixture
) -> None:
    await queue(database)
    gateway.failing = "LimitExceeded.PhoneNumberThirtySecondLimit"
    async with delivery_for(gateway, database) as delivery:
        waits = []
        for _ in range(4):
            await delivery.run(database)
            [row] = await rows(database)
            waits.append(round((row.next_attempt_at - utc_now()).total_seconds()))
            await delivery.run(database)  # not due yet
            await let_pass(database, timedelta(seconds=600))
        assert waits == [2, 4, 8, 16]
        assert gateway.requests == 4
        gateway.failing = None
        await delivery.run(database)
    assert len(gateway.messages_to(PHONE)) == 1
    told = [record.__dict__ for record in caplog.records if record.msg == "message_not_delivered"]
    assert [each["reason"] for each in told] == ["LimitExceeded.PhoneNumberThirtySecondLimit"] * 4
    assert "13800138000" not in caplog.text
    assert "012345" not in caplog.text


async def test_a_hanging_gateway_is_given_up_and_the_message_comes_once(
    database: Database, gateway: SmsGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sms, "LONGEST_SECONDS", 0.4)
    await queue(database)
    gateway.hanging = True
    async with delivery_for(gateway, database) as delivery:
        await asyncio.wait_for(delivery.run(database), 5)
        gateway.hanging = False
        await let_pass(database, timedelta(minutes=1))
        await delivery.run(database)
    assert gateway.messages_to(PHONE) == [Sent("code.zh", ("012345", "5"))]


async def test_a_message_whose_worker_died_after_sending_is_known_by_its_id(
    database: Database, gateway: SmsGateway
) -> None:
    message_id = await queue(database)
    sender = channel(gateway)
    assert await sender.deliver(Message(message_id, PHONE, "code", "zh", ("012345", "5"))) == Taken()
    await sender.close()
    async with delivery_for(gateway, database) as delivery:
        await delivery.run(database)
    assert gateway.requests == 2
    assert len(gateway.messages_to(PHONE)) == 1


async def test_two_workers_never_send_the_same_message_at_once(database: Database, gateway: SmsGateway) -> None:
    for number in range(60):
        await queue(database, phone=f"+86138001390{number:02}")
    async with delivery_for(gateway, database) as first, delivery_for(gateway, database) as second:
        await asyncio.gather(first.run(database), second.run(database))
    assert gateway.requests == 60
    assert await rows(database) == []


async def test_a_late_message_is_dropped_and_a_blocked_phone_is_given_up(
    database: Database, gateway: SmsGateway, caplog: pytest.LogCaptureFixture
) -> None:
    await queue(database, expires_at=utc_now())
    await queue(database, phone="+8613800138009")
    gateway.failing = "FailedOperation.PhoneNumberInBlacklist"
    async with delivery_for(gateway, database) as delivery:
        await delivery.run(database)
    assert await rows(database) == []
    assert {record.msg for record in caplog.records} >= {"message_expired", "message_undeliverable"}


async def test_without_a_channel_operators_are_told_once_and_late_messages_go(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await queue(database)
    await queue(database, expires_at=utc_now() - timedelta(seconds=1))
    with caplog.at_level(logging.INFO):
        delivery = Delivery(ring(), None, MessageToSend)
        await delivery.run(database)
        await delivery.run(database)
    assert [record.msg for record in caplog.records].count("no_message_channel") == 1
    assert len(await rows(database)) == 1


async def test_a_message_that_was_moved_to_another_row_is_not_sent(database: Database, gateway: SmsGateway) -> None:
    await queue(database, phone="+8613800138007")
    mine = await queue(database)
    async with database.transaction() as session:
        other = select(MessageToSend.sealed).where(MessageToSend.message_id != mine).scalar_subquery()
        await session.execute(update(MessageToSend).where(MessageToSend.message_id == mine).values(sealed=other))
    async with delivery_for(gateway, database) as delivery:
        await delivery.run(database)
    assert gateway.messages_to(PHONE) == []
    assert AT_ONCE > 1


async def test_the_gateway_takes_no_wrong_signature(gateway: SmsGateway) -> None:
    for key_id, key in ((KEY_ID, "another key"), ("another id", KEY)):
        sender = channel(gateway, key_id, key)
        outcome = await sender.deliver(Message(UUID(int=1), PHONE, "code", "zh", ("012345", "5")))
        assert isinstance(outcome, NotTaken)
        assert outcome.reason.startswith("AuthFailure.")
        await sender.close()
    assert gateway.messages_to(PHONE) == []


def test_the_signature_is_made_as_documented() -> None:
    """Computed once more, step by step, from the documentation's words; the values are ours."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    made = authorization(GatewayKey("id", "secret"), host="sms.example", body=b"{}", now=moment)
    assert made.startswith("TC3-HMAC-SHA256 Credential=id/2026-01-02/sms/tc3_request, ")
    assert "SignedHeaders=content-type;host;x-tc-action, Signature=" in made
    later = authorization(GatewayKey("id", "secret"), host="sms.example", body=b"{}", now=moment + timedelta(seconds=1))
    assert made != later
    assert made != authorization(GatewayKey("id", "secret"), host="sms.example", body=b"[]", now=moment)


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"sms_token": ""}, "needs SMS_KEY_ID"), ({"sms_templates": "code.zh=1"}, r"names no template for code\.en")],
)
async def test_a_channel_that_is_half_described_is_a_wrong_setting(
    gateway: SmsGateway, changed: dict[str, str], why: str
) -> None:
    described: dict[str, Any] = {**gateway.settings_for_texts(TEXTS), **changed}
    with pytest.raises(ValidationError, match=why):
        settings_for("postgresql://a", **described)
