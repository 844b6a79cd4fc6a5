"""A client does with a token what its scopes say: reads with one, writes with the other, whoever it acts for."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter, Depends, Request, Response
from libs.webapi.tests.orchard.application import Settings

from database import Database, new_id
from testkit.tokens import TokenIssuer
from webapi import (
    Application,
    AuthenticatedCaller,
    Caller,
    Principal,
    access,
    asks_for_token,
    assistable,
    caller_by,
    described,
    open_database,
    passes_token_on,
)

ALL = {"openid", "profile", "orchard.read", "orchard.write", "meadow.read"}
router = APIRouter(prefix="/v1/fruit")


@asks_for_token("profile")
async def _known(request: Request) -> AuthenticatedCaller:
    return await caller_by(request.app.authenticator, request)


@router.get("", status_code=204, openapi_extra=access("self", "client") | described("果酱", "Jam"))
@assistable("orchard.look")
async def look(caller: Caller) -> Response:
    """Look at the fruit."""
    return Response(status_code=204)


@router.post("", status_code=204, openapi_extra=access("self") | described("果酱", "Jam"))
async def pick(caller: Caller) -> Response:
    """Pick the fruit."""
    return Response(status_code=204)


@router.get("/jam", status_code=204, openapi_extra=access("self") | described("果酱", "Jam"))
@passes_token_on("meadow.read")
async def taste(caller: Caller) -> Response:
    """Taste what was made with the honey of the meadow."""
    return Response(status_code=204)


@router.get("/name", status_code=204, openapi_extra=access("self") | described("果酱", "Jam"))
@router.post("/name", name="name_by_post", status_code=204, openapi_extra=access("self") | described("果酱", "Jam"))
async def name(caller: Annotated[AuthenticatedCaller, Depends(_known)]) -> Response:
    """Tell one's name."""
    return Response(status_code=204)


RECORDED: list[tuple[str, str | None]] = []


async def _record(_database: Database, _principal: Principal, operation: str, refused: str | None) -> None:
    RECORDED.append((operation, refused))


@pytest_asyncio.fixture
async def fruit(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    application = Application(
        "orchard",
        title="Orchard",
        settings=settings,
        database=open_database("orchard", settings),
        routers=[router],
        record_assisted=_record,
    )
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://orchard.test") as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("operation", "demanded"),
    [
        ("GET /v1/fruit", {"orchard.read"}),
        ("POST /v1/fruit", {"orchard.write"}),
        ("GET /v1/fruit/jam", {"orchard.read", "meadow.read"}),
        ("GET /v1/fruit/name", {"profile"}),
        ("POST /v1/fruit/name", {"profile"}),
    ],
)
async def test_a_token_needs_what_is_demanded_and_nothing_else(
    fruit: httpx.AsyncClient, issuer: TokenIssuer, person: UUID, operation: str, demanded: set[str]
) -> None:
    method, path = operation.split()

    async def ask(scopes: set[str]) -> httpx.Response:
        headers = issuer.headers(person, scope=" ".join(scopes))
        return await fruit.request(method, path, headers=headers)

    assert (await ask(demanded)).status_code == 204
    for missing in demanded:
        refused = await ask(ALL - {missing})
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/scope_missing")
        named = " ".join(sorted(demanded))
        assert refused.json()["scope"] == named
        challenge = f'Bearer realm="xiangqiao", error="insufficient_scope", scope="{named}"'
        assert refused.headers["www-authenticate"] == challenge
    described = (await fruit.get("/openapi.json")).json()["paths"][path][method.lower()]
    assert described["security"] == [{"bearer": sorted(demanded)}]


@pytest.mark.parametrize(("language", "title"), [("en", "This application lacks"), ("zh", "该应用没有获得")])
async def test_the_refusal_is_told_in_both_languages(
    fruit: httpx.AsyncClient, issuer: TokenIssuer, person: UUID, language: str, title: str
) -> None:
    headers = {**issuer.headers(person, scope="openid"), "Accept-Language": language}
    assert (await fruit.get("/v1/fruit", headers=headers)).json()["title"].startswith(title)


async def test_a_client_that_acts_by_itself_needs_the_scope_too(
    fruit: httpx.AsyncClient, issuer: TokenIssuer, person: UUID
) -> None:
    no_person = {"auth_time": None, "authorization_version": None, "acr": None}
    for scope, status in (("orchard.read", 204), ("orchard.write", 403)):
        headers = issuer.headers(person, scope=scope, claims=no_person)
        assert (await fruit.get("/v1/fruit", headers=headers)).status_code == status


async def test_a_helper_needs_the_scope_beside_the_action_and_the_refusal_is_recorded(
    fruit: httpx.AsyncClient, issuer: TokenIssuer, person: UUID
) -> None:
    RECORDED.clear()
    for scope, status in (("orchard.read", 204), ("orchard.write", 403)):
        headers = issuer.headers(person, scope=scope, actor=new_id(), actions=["orchard.look"])
        assert (await fruit.get("/v1/fruit", headers=headers)).status_code == status
    assert RECORDED == [("orchard.assisted.look", None), ("orchard.assisted.look", "scope_missing")]


async def test_what_lacks_a_scope_enters_no_command(
    client: httpx.AsyncClient, issuer: TokenIssuer, person: UUID, headers: dict[str, str]
) -> None:
    tree = {"tree_id": str(new_id()), "kind": "pear"}
    for method, path in (("POST", "/v1/trees"), ("PUT", "/v1/trees/hot")):
        reading = issuer.headers(person, [("tree", new_id())], scope="openid orchard.read")
        assert (await client.request(method, path, json=tree, headers=reading)).status_code == 403
    assert (await client.get("/v1/trees", headers=headers)).json()["items"] == []


async def test_one_operation_that_would_read_and_write_is_refused_at_composition(application: Application) -> None:
    both = APIRouter()
    both.add_api_route("/both", pick, methods=["GET", "POST"], openapi_extra=access("self") | described("果酱", "Jam"))
    with pytest.raises(ValueError, match="both read and write"):
        application.add_routers([both])
