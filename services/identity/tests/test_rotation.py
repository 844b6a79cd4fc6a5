"""Signing keys take turns, and nobody who holds a good token is turned away because of it."""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from joserfc import jws
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from database import utc_now
from identity.signing.keys import SigningKeys
from identity.signing.rotation import (
    PUBLISHED_BEFORE_USE,
    ROTATION_EVERY,
    KeyUnknown,
    RotateKeys,
    Rotation,
    RotationJob,
    revoke_key,
    rotate,
)
from identity.signing.tables import SigningKey
from testkit.databases import Template, TestDatabases
from webapi import Authenticator
from webapi.signing_keys import FRESH_SECONDS

from .front_end import tokens_of
from .provider import Provider, ring, running, settings_for

HOUR = timedelta(hours=1)


@pytest_asyncio.fixture
async def rotating(databases: TestDatabases, database_template: Template) -> AsyncIterator[Provider]:
    """An identity of the test's own: rotating under that of all tests would disturb them."""
    async with databases.database(database_template) as url, running(url) as started:
        yield started


async def turned(provider: Provider, now: datetime, *, due_after: timedelta = timedelta(0)) -> Rotation:
    async with provider.database.transaction() as session:
        return await rotate(session, SigningKeys(ring()), now=now, due_after=due_after)


async def published(provider: Provider) -> list[str]:
    return [key["kid"] for key in (await provider.http.get("/oauth2/jwks")).json()["keys"]]


def kid_of(token: str) -> str:
    return str(jws.extract_compact(token.encode()).headers()["kid"])


def test_the_next_key_is_published_longer_than_any_verifier_keeps_the_set() -> None:
    assert timedelta(seconds=FRESH_SECONDS) * 2 < PUBLISHED_BEFORE_USE < ROTATION_EVERY


async def test_the_next_key_signs_only_after_it_was_published_long_enough(rotating: Provider) -> None:
    now = utc_now()
    first = await turned(rotating, now)
    assert not first.rotated
    assert await published(rotating) == [first.active, first.following]
    assert not (await turned(rotating, now + PUBLISHED_BEFORE_USE - timedelta(seconds=1))).rotated
    second = await turned(rotating, now + PUBLISHED_BEFORE_USE)
    assert (second.rotated, second.active) == (True, first.following)
    assert await published(rotating) == [first.active, first.following, second.following]
    _, tokens = await rotating.signed_in()
    assert kid_of(tokens.access) == second.active


async def test_the_job_rotates_every_thirty_days_and_always_has_a_next_key(rotating: Provider) -> None:
    found = await RotationJob(ring())(rotating.database)
    assert found is not None
    assert found.at.keys() == {"signing_key"}
    assert abs(found.at["signing_key"] - utc_now() - ROTATION_EVERY) < HOUR
    [active, following] = await published(rotating)
    await RotationJob(ring())(rotating.database)
    assert await published(rotating) == [active, following]
    now = utc_now()
    assert not (await turned(rotating, now + ROTATION_EVERY - HOUR, due_after=ROTATION_EVERY)).rotated
    assert (await turned(rotating, now + ROTATION_EVERY, due_after=ROTATION_EVERY)).active == following


async def test_a_retired_key_stays_published_an_hour_and_cannot_sign_any_more(rotating: Provider) -> None:
    now = utc_now()
    old = (await turned(rotating, now)).active
    assert (await turned(rotating, now + HOUR)).rotated
    query = text("update signing_key set retired_at = :at where kid = :kid")
    async with rotating.database.transaction() as session:
        await session.execute(query, {"kid": old, "at": now - timedelta(minutes=59)})
    assert old in await published(rotating)
    async with rotating.database.transaction() as session:
        await session.execute(query, {"kid": old, "at": now - HOUR})
        sealed = await session.scalar(select(SigningKey.sealed_private).where(SigningKey.kid == old))
    assert old not in await published(rotating)
    assert sealed is None
    far = now + timedelta(days=200)
    await turned(rotating, far)
    async with rotating.database.read() as session:
        assert await session.scalar(select(SigningKey.kid).where(SigningKey.kid == old)) is None


async def test_several_rotations_turn_away_nobody_with_a_good_token(rotating: Provider) -> None:
    """Check 19: a service that asks all the time, and one that starts late, with tokens of every key in turn."""
    front_end = rotating.front_end()
    _, username = await rotating.open_person()
    latest = await front_end.tokens(username)
    tokens, asked, stop = [latest.access], [0], asyncio.Event()
    refused: list[object] = []

    async def keep_asking(verifier: Authenticator) -> None:
        while not stop.is_set():
            for token in tokens:
                asked[0] += 1
                verifier._known.clear()  # so that the signature is checked each time
                try:
                    await verifier.authenticate(token)
                except Exception as error:  # noqa: BLE001 - any refusal is what the test looks for
                    refused.append(error)
                answer = await rotating.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
                if answer.status_code != 200:
                    refused.append(answer)

    verifiers = [Authenticator(f"{rotating.issuer}/oauth2/jwks", rotating.issuer, "xiangqiao") for _ in range(2)]
    asking = [asyncio.create_task(keep_asking(verifier)) for verifier in verifiers]
    now = utc_now()
    for turn in range(5):
        await turned(rotating, now + turn * PUBLISHED_BEFORE_USE)
        latest = tokens_of(await front_end.refresh(latest.refresh))
        tokens.append(latest.access)
        await asyncio.sleep(0.4)
    stop.set()
    await asyncio.gather(*asking)
    for verifier in verifiers:
        await verifier.close()
    assert len({kid_of(token) for token in tokens}) == 5
    assert asked[0] > 20
    assert refused == []


async def test_rotations_at_the_same_time_are_one(rotating: Provider) -> None:
    now = utc_now()
    await turned(rotating, now - 2 * HOUR)
    done = await asyncio.gather(*(turned(rotating, now) for _ in range(4)))
    assert [each.rotated for each in done].count(True) == 1
    assert len({each.active for each in done}) == 1


async def test_there_is_one_active_and_one_next_key(rotating: Provider) -> None:
    await turned(rotating, utc_now())
    for state in ("active", "next"):
        with pytest.raises(IntegrityError, match=f"uq_signing_key_{state}"):
            async with rotating.database.transaction() as session:
                await SigningKeys(ring()).create(session, state=state, now=utc_now())


async def test_a_revoked_key_is_gone_at_once_and_the_next_one_signs(rotating: Provider) -> None:
    first = await turned(rotating, utc_now())
    _, tokens = await rotating.signed_in()
    async with rotating.database.transaction() as session:
        done = await revoke_key(session, SigningKeys(ring()), first.active, now=utc_now())
    assert (done.active, done.rotated) == (first.following, True)
    assert await published(rotating) == [done.active, done.following]
    fresh = Authenticator(f"{rotating.issuer}/oauth2/jwks", rotating.issuer, "xiangqiao")
    with pytest.raises(Exception, match="token_invalid"):
        await fresh.authenticate(tokens.access)
    await fresh.close()
    _, newer = await rotating.signed_in()
    assert kid_of(newer.access) == done.active
    async with rotating.database.transaction() as session:
        with pytest.raises(KeyUnknown):
            await revoke_key(session, SigningKeys(ring()), first.active, now=utc_now())


async def test_an_operator_rotates_and_revokes_by_the_command_line(rotating: Provider) -> None:
    command, settings = RotateKeys(), settings_for(rotating.url)
    parser = ArgumentParser()
    command.declare(parser)

    async def run(*arguments: str) -> str:
        parsed: Namespace = parser.parse_args(arguments)
        return await command(settings, rotating.database, parsed)

    told = await run()
    assert "nothing rotated" in told
    async with rotating.database.transaction() as session:
        await session.execute(text("update signing_key set made_at = made_at - interval '2 hours'"))
    [active, following] = await published(rotating)
    assert (await run()).startswith(f"{following} signs now")
    assert await run("--revoke=nothing") == "there is no signing key of that id"
    assert f"{active} is deleted; {following} signs" in await run(f"--revoke={active}")
    async with rotating.database.read() as session:
        states: Any = select(SigningKey.state, func.count()).group_by(SigningKey.state)
        counted = dict((await session.execute(states)).all())
    assert counted == {"active": 1, "next": 1}
