"""The gateway's application in this process, before services of the test's."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx

from gateway.app import SERVICE
from gateway.settings import Settings
from testkit.tokens import TokenIssuer
from webapi import Application

SERVICES = ("identity", "members", "activities", "learning", "feedback")
NOWHERE = "http://127.0.0.1:9"


class InProcess(NamedTuple):
    """The application, and a client of it."""

    application: Application
    client: httpx.AsyncClient


def settings_of(
    database_url: str,
    issuer: TokenIssuer,
    *,
    nats_url: str = "nats://127.0.0.1:1",
    urls: Mapping[str, str] | None = None,
) -> Settings:
    """Make the gateway's settings; a service that `urls` do not name is away."""
    upstreams = {f"upstream_{service}": (urls or {}).get(service, NOWHERE) for service in SERVICES}
    told = {"database_url": database_url, "nats_url": nats_url, "issuer": issuer.issuer, "jwks_url": issuer.jwks_url}
    return Settings.model_validate({**told, **upstreams, "operations_port": 0})


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[InProcess]:
    """Give the application without its door for the length of the block."""
    application = SERVICE.application(settings)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application), base_url="http://gateway.test", timeout=30
    ) as client:
        yield InProcess(application, client)
    await application.database.close()
    await application.authenticator.close()
