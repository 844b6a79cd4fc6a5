"""Each service's worker asks NATS for as many copies of its stream as its setting says."""

import importlib

import pytest
from nats.js.errors import APIError

from database import Database
from messaging import Worker, connect, streams
from standalone.services import NAMES
from testkit.tokens import TokenIssuer
from tests.flows.settings import settings_of

REPLICAS = 3


@pytest.mark.parametrize("service", NAMES)
async def test_the_setting_reaches_the_worker(
    service: str, database_url: str, nats_url: str, issuer: TokenIssuer
) -> None:
    settings = settings_of(service, database_url, nats_url, issuer, nats_replicas=REPLICAS)
    database = Database(database_url, application_name=service)
    worker: Worker
    async with importlib.import_module(f"{service}.app").SERVICE.worker(settings, database) as worker:
        assert worker._publisher._replicas == REPLICAS
    await database.close()


async def test_a_stream_gets_one_copy_unless_more_are_asked_for(nats_url: str) -> None:
    nats = await connect(nats_url, name="test")
    await streams.declare_stream(nats, "members")
    info = await streams.request(nats, "STREAM.INFO.EVT_MEMBERS")
    assert info["config"]["num_replicas"] == 1
    with pytest.raises(APIError, match="replicas"):  # one node alone cannot
        await streams.declare_stream(nats, "learning", replicas=REPLICAS)
    await nats.close()
