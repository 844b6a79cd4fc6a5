"""The running system with the clients that the programs here are."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from joserfc.jwk import ECKey

from testkit.accounts import purge
from testkit.databases import Template, TestDatabases
from tests.outside.node import installed
from tests.outside.system import PASSWORD, OutsideSystem, running_system

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
CALLBACK = "http://127.0.0.1:9/callback"
"""Nobody listens there: the programs read the answer from the address a browser would be sent to."""
BY_ITSELF: dict[str, Any] = {"application_type": "service", "grant_types": ["client_credentials"], "scopes": []}
SECRET = "a-secret-of-the-tests-and-no-other"


@pytest_asyncio.fixture(scope="package")  # it ends before other tests take over this worker's place on the bus
async def system(
    databases: TestDatabases,
    template_of: Callable[[str], Awaitable[Template]],
    nats_account_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[OutsideSystem]:
    await purge(nats_account_url)
    async with running_system(databases, template_of, nats_account_url, tmp_path_factory.mktemp("outside")) as system:
        yield system
    await purge(nats_account_url)


@pytest_asyncio.fixture(scope="session")
async def packages() -> Path:
    return await installed(Path(__file__).parent)


@pytest_asyncio.fixture(scope="package")
async def told(system: OutsideSystem) -> dict[str, Any]:
    """What the programs need to know: where the system is, who they are, and a person who signs in."""
    _, username = await system.open_person()
    key = ECKey.generate_key("P-256", {"kid": "key-1", "alg": "ES256", "use": "sig"})
    codes = ["authorization_code", "refresh_token"]
    with_code: dict[str, Any] = {"redirect_uris": [CALLBACK], "grant_types": codes}
    await system.register("public-web", **with_code)
    await system.register("public-device", application_type="native", grant_types=[DEVICE_CODE, "refresh_token"])
    for method in ("client_secret_basic", "client_secret_post"):
        proven = {"token_endpoint_auth_method": method, "secret": SECRET}
        await system.register(f"web-{method}", **with_code, **proven)
        await system.register(f"service-{method}", **BY_ITSELF, **proven)
    await system.register(
        "service-private_key_jwt",
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [key.as_dict(private=False)]},
        **BY_ITSELF,
    )
    return {
        "issuer": system.url,
        "audience": "xiangqiao",
        "callback": CALLBACK,
        "username": username,
        "password": PASSWORD,
        "secret": SECRET,
        "privateKey": key.as_dict(private=True),
    }
