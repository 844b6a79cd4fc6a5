"""No service takes a forged token, asked directly or through the gateway, and none falls over one."""

import asyncio
from collections import Counter

import httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec

from database import Database, KeyRing
from identity.signing.keys import SigningKeys
from standalone.data_directory import DataDirectory
from tests.flows.attacks import Forger
from tests.flows.conftest import DEMO_PASSWORD, System
from tests.flows.doors import Doors
from tests.flows.front_end import Tokens, sign_in
from tests.flows.tokens import token

AT_ONCE = 20


@pytest_asyncio.fixture(scope="module")
async def doors(system: System) -> Doors:
    if system.data is None:
        pytest.skip("the system runs elsewhere")
    return Doors(system.url, DataDirectory(system.data))


@pytest_asyncio.fixture(scope="module")
async def true_tokens(system: System) -> Tokens:
    return await sign_in(system.url, "away.demo", DEMO_PASSWORD)


@pytest_asyncio.fixture(scope="module")
async def forger(doors: Doors, true_tokens: Tokens) -> Forger:
    """Forges with the system's own signing key in hand."""
    home = doors.home
    url = f"postgresql://postgres:{home.secret('postgres')}@127.0.0.1:{home.state['ports']['postgres']}/identity"
    database = Database(url, application_name="forger")
    async with database.read() as session:
        signer = await SigningKeys(KeyRing.parse(home.secret("identity.sealing_key"))).signer(session)
    await database.close()
    key = signer.key.private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Forger(true_tokens.access, key)


async def test_every_door_refuses_every_forged_token(doors: Doors, forger: Forger, true_tokens: Tokens) -> None:
    """Check 7: every forgery at every door."""
    forged = {**forger.all(), "ID token": true_tokens.id_token, "refresh token": true_tokens.refresh}
    places = asyncio.Semaphore(AT_ONCE)
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(trust_env=False, timeout=60, limits=limits) as client:

        async def ask(url: str, sent: str) -> httpx.Response:
            async with places:
                return await client.get(url, headers=[(b"Authorization", f"Bearer {sent}".encode())])

        for door, url in doors.urls.items():
            assert (await ask(url, true_tokens.access)).status_code == 200, door
            answers = await asyncio.gather(*(ask(url, sent) for sent in forged.values()))
            taken = {
                name: answer.status_code
                for name, answer in zip(forged, answers, strict=True)
                if answer.status_code != httpx.codes.UNAUTHORIZED
            }
            assert taken == {}, door
            types = Counter(answer.json()["type"] for answer in answers)
            assert types == {"/problems/token_invalid": len(forged)}, door
            challenges = {answer.headers["www-authenticate"].partition(",")[0] for answer in answers}
            assert challenges == {'Bearer realm="xiangqiao"'}, door
            assert (await ask(url, true_tokens.access)).status_code == 200, door


async def test_the_forger_makes_good_tokens_when_it_spoils_nothing(doors: Doors, forger: Forger) -> None:
    fair = token(forger.header, forger.claims, forger.by_provider)
    async with httpx.AsyncClient(trust_env=False, timeout=60, headers={"Authorization": f"Bearer {fair}"}) as client:
        assert {(await client.get(url)).status_code for url in doors.urls.values()} == {200}
    assert len(forger.all()) > 250
