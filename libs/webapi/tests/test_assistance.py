"""A helper's token opens only the routes that say so, and only for the actions its session covers."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter, Response
from libs.webapi.tests.orchard.application import Settings

from database import new_id
from testkit.tokens import TokenIssuer
from webapi import Application, Caller, access, assistable, described, open_database

router = APIRouter(prefix="/v1/baskets")


@router.get("", status_code=204, openapi_extra=access("self") | described("果酱", "Jam"))
@assistable("orchard.pick")
async def pick(caller: Caller) -> Response:
    """Pick what is ripe, oneself or with a helper."""
    return Response(status_code=204, headers={"x-person": str(caller.person_id)})


@router.delete("", status_code=204, openapi_extra=access("self") | described("果酱", "Jam"))
async def throw_away(caller: Caller) -> Response:
    """Throw away what one has picked, oneself alone."""
    return Response(status_code=204, headers={"x-person": str(caller.person_id)})


@pytest_asyncio.fixture
async def baskets(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    application = Application(
        "orchard", title="Orchard", settings=settings, database=open_database("orchard", settings), routers=[router]
    )
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://orchard.test") as client,
    ):
        yield client


async def test_a_helper_does_what_the_route_and_the_session_allow(
    baskets: httpx.AsyncClient, issuer: TokenIssuer, person: UUID
) -> None:
    headers = issuer.headers(person, actor=new_id(), actions=["orchard.pick"])
    answer = await baskets.get("/v1/baskets", headers=headers)
    assert (answer.status_code, answer.headers["x-person"]) == (204, str(person))


@pytest.mark.parametrize(
    ("method", "actions"), [("GET", []), ("GET", ["orchard.plant"]), ("DELETE", ["orchard.pick", "orchard.plant"])]
)
async def test_a_helper_is_refused_everything_else(
    baskets: httpx.AsyncClient, issuer: TokenIssuer, person: UUID, method: str, actions: list[str]
) -> None:
    headers = issuer.headers(person, actor=new_id(), actions=actions)
    refused = await baskets.request(method, "/v1/baskets", headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not_assistable")
    oneself = issuer.headers(person)
    assert (await baskets.request(method, "/v1/baskets", headers=oneself)).status_code == 204


async def test_the_document_names_the_action_that_opens_a_route(baskets: httpx.AsyncClient) -> None:
    operations = (await baskets.get("/openapi.json")).json()["paths"]["/v1/baskets"]
    assert operations["get"]["x-assistable"] == "orchard.pick"
    assert "x-assistable" not in operations["delete"]
