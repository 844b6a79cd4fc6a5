"""The device authorization grant (RFC 8628): one use, patience, and a person who sees what they let in."""

import asyncio
import logging
import re
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import delete, func, select, update

from database import new_id, utc_now
from identity.accounts.tables import Account
from identity.devices.commands import ASKED_BY_CLIENT, ASKED_FROM_ADDRESS, approve_device
from identity.devices.rules import normalised_user_code
from identity.housekeeping import delete_expired
from identity.levels import SignedIn
from identity.secrets import hash_of
from identity.sessions.tables import DeviceCode, TokenFamily
from identity.throttling.rates import subject_of
from identity.throttling.tables import RateCount

from .front_end import PASSWORD, tokens_of
from .provider import Provider, ring
from .terminals import DEVICE_CODE, Device, Phone, register


@pytest_asyncio.fixture
async def device(provider: Provider) -> Device:
    return Device(provider, await register(provider, "village-screen"))


@pytest_asyncio.fixture
async def phone(provider: Provider) -> Phone:
    _, username = await provider.open_person()
    return Phone(provider, username)


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_a_person_signs_in_on_a_device_by_typing_its_code_on_a_phone(device: Device, phone: Phone) -> None:
    codes = await device.begin()
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", codes["user_code"])
    assert (codes["expires_in"], codes["interval"]) == (600, 5)
    assert codes["verification_uri"] == f"{device.provider.issuer}/oauth2/device"
    assert error(await device.poll()) == (400, "authorization_pending")
    async with device.provider.database.read() as session:
        mine = DeviceCode.code_hash == hash_of(codes["device_code"])
        kept = await session.scalar(select(DeviceCode.user_code_hash).where(mine))
        assert kept not in {hash_of(codes["user_code"]), hash_of(codes["user_code"].replace("-", ""))}
    confirm = await phone.type(codes["user_code"].lower().replace("-", " "))
    assert "Village screen" in confirm.text
    assert codes["user_code"] in confirm.text
    assert "Agreed" in (await phone.browser.submit(confirm, decision="approve")).text
    answer = await device.poll()
    tokens = tokens_of(answer)
    assert answer.headers["cache-control"] == "no-store"
    assert tokens.id_token is not None
    me = await device.provider.http.get("/v1/me", headers=tokens.headers)
    assert me.json()["username"] == phone.username
    assert (await device.refresh(tokens)).status_code == 200


async def test_a_device_code_that_comes_again_is_refused_and_ends_what_it_gave(device: Device, phone: Phone) -> None:
    """Check 12, first half."""
    tokens = await device.tokens_for(phone)
    assert error(await device.poll()) == (400, "invalid_grant")
    assert error(await device.refresh(tokens)) == (400, "invalid_grant")
    assert (await device.provider.http.get("/oauth2/userinfo", headers=tokens.headers)).status_code == 401
    async with device.provider.database.read() as session:
        family = select(TokenFamily.revoked_for).join(DeviceCode, DeviceCode.family_id == TokenFamily.family_id)
        mine = DeviceCode.code_hash == hash_of(device.codes["device_code"])
        assert await session.scalar(family.where(mine)) == "device_code_replayed"


async def test_a_device_that_asks_too_fast_is_slowed_down_more_and_more(device: Device) -> None:
    """Check 12, second half."""
    await device.begin()
    assert error(await device.poll()) == (400, "authorization_pending")
    assert error(await device.poll()) == (400, "slow_down")
    assert error(await device.poll()) == (400, "slow_down")
    mine = DeviceCode.code_hash == hash_of(device.codes["device_code"])
    async with device.provider.database.read() as session:
        assert await session.scalar(select(DeviceCode.interval_seconds).where(mine)) == 15
    await device.pass_time(polled_at=utc_now() - timedelta(seconds=14))
    assert error(await device.poll()) == (400, "slow_down")
    await device.pass_time(polled_at=utc_now() - timedelta(seconds=20))
    assert error(await device.poll()) == (400, "authorization_pending")


async def test_a_refused_device_hears_that_it_was_refused(device: Device, phone: Phone) -> None:
    await device.begin()
    assert "Refused" in (await phone.decide(device.codes["user_code"], "deny")).text
    assert error(await device.poll()) == (400, "access_denied")
    assert error(await device.poll()) == (400, "access_denied")


async def test_codes_expire_after_ten_minutes_for_the_device_and_for_the_person(device: Device, phone: Phone) -> None:
    await device.begin()
    await device.pass_time(expires_at=DeviceCode.issued_at)
    assert error(await device.poll()) == (400, "expired_token")
    assert "no such code" in (await phone.type(device.codes["user_code"])).text


async def test_an_approval_is_of_no_use_to_another_client(provider: Provider, device: Device, phone: Phone) -> None:
    await device.begin()
    await phone.decide(device.codes["user_code"])
    other = await register(provider, "another-screen")
    assert error(await device.poll(client_id=other)) == (400, "invalid_grant")
    assert error(await device.poll(device_code="nonsense")) == (400, "invalid_grant")
    assert (await device.poll()).status_code == 200


async def test_a_code_decides_once(device: Device, phone: Phone) -> None:
    await device.begin()
    await phone.decide(device.codes["user_code"])
    assert (await phone.type(device.codes["user_code"])).status_code == 400
    assert (await device.poll()).status_code == 200


async def test_a_deactivated_account_gets_nothing_by_a_device(provider: Provider, device: Device) -> None:
    person_id, username = await provider.open_person()
    await device.begin()
    await Phone(provider, username).decide(device.codes["user_code"])
    async with provider.database.transaction() as session:
        await session.execute(update(Account).where(Account.account_id == person_id).values(status="deactivated"))
    assert error(await device.poll()) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("changed", "status", "refusal"),
    [
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": "docs"}, 400, "unauthorized_client"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"device_label": "x" * 81}, 400, "invalid_request"),
        ({"device_label": "a\u202eb"}, 400, "invalid_request"),
    ],
)
async def test_the_endpoint_for_devices_refuses_as_oauth_says(
    device: Device, changed: dict[str, str], status: int, refusal: str
) -> None:
    assert error(await device.ask(**changed)) == (status, refusal)


async def test_a_client_not_registered_for_device_codes_redeems_none(device: Device) -> None:
    data = {"grant_type": DEVICE_CODE, "client_id": "docs", "device_code": "x"}
    assert error(await device.provider.http.post("/oauth2/token", data=data)) == (400, "unauthorized_client")


@pytest.mark.parametrize("kind", ["address", "client"])
async def test_devices_that_ask_too_often_wait(provider: Provider, device: Device, kind: str) -> None:
    await device.begin()
    value, limit = ("127.0.0.1", ASKED_FROM_ADDRESS) if kind == "address" else (device.client_id, ASKED_BY_CLIENT)
    here = RateCount.subject == subject_of(ring(), f"device_authorization.{kind}", value)
    async with provider.database.transaction() as session:
        counted = await session.scalar(update(RateCount).where(here).values(counted=limit.most).returning(1))
        assert counted == 1
    refused = await device.ask()
    assert error(refused) == (429, "slow_down")
    assert 0 < int(refused.headers["retry-after"]) <= limit.window.total_seconds()
    async with provider.database.transaction() as session:
        await session.execute(delete(RateCount).where(here))
    assert (await device.ask()).status_code == 200


@pytest.mark.parametrize("everywhere", [False, True])
async def test_a_device_that_was_let_in_gets_nothing_after_its_person_signed_out_elsewhere(
    provider: Provider, device: Device, phone: Phone, everywhere: bool
) -> None:
    here = await provider.front_end().tokens(phone.username)
    await device.begin()
    assert "Agreed" in (await phone.decide(device.codes["user_code"])).text
    body = {"keep_current": not everywhere}
    ended = await provider.http.post("/v1/me/sessions/revocation", json=body, headers=here.headers)
    assert ended.status_code == 200, ended.text
    assert error(await device.poll()) == (400, "expired_token")


async def test_a_device_that_was_let_in_gets_nothing_after_a_new_password(
    provider: Provider, device: Device, phone: Phone
) -> None:
    here = await provider.front_end().tokens(phone.username)
    await device.begin()
    await phone.decide(device.codes["user_code"])
    body = {"old_password": PASSWORD, "new_password": "a better password"}
    changed = await provider.http.post("/v1/me/password", json=body, headers=here.headers)
    assert changed.status_code == 204, changed.text
    assert error(await device.poll()) == (400, "expired_token")


async def test_a_device_let_in_while_its_person_signs_out_everywhere_gets_nothing_that_lasts(
    provider: Provider, device: Device
) -> None:
    for _ in range(5):
        _, username = await provider.open_person()
        phone, here = Phone(provider, username), await provider.front_end().tokens(username)
        confirm = await phone.type((await device.begin())["user_code"])
        body = {"keep_current": False}
        await asyncio.gather(
            phone.browser.submit(confirm, decision="approve"),
            provider.http.post("/v1/me/sessions/revocation", json=body, headers=here.headers),
        )
        assert (await device.poll()).status_code == 400


async def test_who_was_signed_out_meanwhile_lets_no_device_in(provider: Provider, device: Device, phone: Phone) -> None:
    user_code = (await device.begin())["user_code"]
    confirm = await phone.type(user_code)
    person = SignedIn(new_id(), new_id(), "1", ["pwd"], utc_now())
    async with provider.database.transaction() as session:
        code = normalised_user_code(user_code)
        assert code is not None
        assert not await approve_device(session, ring(), code, person=person, now=utc_now())
    assert "Agreed" in (await phone.browser.submit(confirm, decision="approve")).text


async def test_codes_stay_out_of_the_database_and_of_the_logs(
    device: Device, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = await device.tokens_for(phone)
    secrets = [device.codes["device_code"], device.codes["user_code"], tokens.access, tokens.refresh]
    ours = [record for record in caplog.records if not record.name.startswith(("httpcore", "httpx"))]
    assert not [secret for secret in secrets for record in ours if secret in record.getMessage() + repr(vars(record))]
    mine = DeviceCode.code_hash == hash_of(device.codes["device_code"])
    async with device.provider.database.read() as session:
        row = (await session.scalars(select(DeviceCode).where(mine))).one()
        assert row.user_code_hash is None
        assert row.session_id == row.family_id


async def test_housekeeping_keeps_a_device_codes_tombstone_as_long_as_its_family(device: Device, phone: Phone) -> None:
    await device.begin()
    waiting = select(func.count()).where(DeviceCode.code_hash == hash_of(device.codes["device_code"]))
    await device.pass_time(expires_at=utc_now() - timedelta(days=2))
    await delete_expired(device.provider.database)
    async with device.provider.database.read() as session:
        assert await session.scalar(waiting) == 0
    await device.tokens_for(phone)
    left = select(func.count()).where(DeviceCode.code_hash == hash_of(device.codes["device_code"]))
    for days, expected in ((2, 1), (32, 0)):
        await device.pass_time(expires_at=utc_now() - timedelta(days=days))
        await delete_expired(device.provider.database)
        async with device.provider.database.read() as session:
            assert await session.scalar(left) == expected
