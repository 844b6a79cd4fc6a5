"""Pages of other origins: those of a registered client use its tokens, nobody else's, and no cookie ever goes along."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest_asyncio

from gateway.forwarding.routing import Route, public_routes
from gateway.quotas.buckets import Quota, Quotas
from testkit.tokens import TokenIssuer
from webapi import Authenticator

from .door import PUBLIC_URL, Door, Reply, opened
from .raw_service import RawService

HERE, THERE, GONE, NOWHERE = (f"https://{name}.test" for name in ("village", "town", "gone", "nowhere"))
ROUTES = (
    Route("/v1/courses", "learning"),
    Route("/v1/home", None),
    Route("/oauth2", "learning", public=True, cookies=True),
    Route("/oauth2/token", "learning", public=True),
    Route("/oauth2/userinfo", "learning", public=True, counted=True),
)
ASKED_BEFORE = ("access-control-request-method: PUT", "access-control-request-headers: authorization")


@pytest_asyncio.fixture
async def door(issuer: TokenIssuer, authenticator: Authenticator, service: RawService) -> AsyncIterator[Door]:
    quotas = Quotas(1000)
    quotas.replace(
        {
            "village": Quota(1000, suspended=False, origins=frozenset({HERE})),
            "town": Quota(1000, suspended=False, origins=frozenset({THERE})),
            "gone": Quota(1000, suspended=True, origins=frozenset({GONE})),
        }
    )
    token = issuer.token(uuid4(), client_id="village")
    async with opened(ROUTES, {"learning": service.url}, authenticator, token, quotas=quotas) as made:
        yield made


def readable_by(reply: Reply) -> str | None:
    """Give the origin whose page may read the answer; every answer says that it varies by it, and wants no cookie."""
    assert b"origin" in [value for name, value in reply.headers if name == b"vary"]
    assert reply.header("access-control-allow-credentials") is None
    return reply.header("access-control-allow-origin")


async def test_a_page_of_the_tokens_client_reads_what_it_asks_for(door: Door) -> None:
    for line in ("GET /v1/courses", "GET /v1/home", "GET /oauth2/userinfo"):
        reply = await door.ask(line, f"origin: {HERE}")
        assert (reply.status, readable_by(reply)) == (200, HERE), line
        exposed = (reply.header("access-control-expose-headers") or "").split(", ")
        assert {"date", "location", "etag", "retry-after", "www-authenticate", "x-request-id"} <= set(exposed)


async def test_a_page_of_another_client_uses_no_token_of_this_one(door: Door, service: RawService) -> None:
    for line in ("GET /v1/courses", "GET /v1/home", "GET /oauth2/userinfo"):
        for origin in (THERE, NOWHERE, GONE, "null"):
            reply = await door.ask(line, f"origin: {origin}")
            assert (reply.status, reply.problem["type"]) == (403, "/problems/origin_not_registered"), (line, origin)
            assert readable_by(reply) == (THERE if origin == THERE else None)
    assert service.asked == []


async def test_a_refusal_can_be_read_by_the_page_too(door: Door) -> None:
    for line, status in (("GET /v1/courses", 401), ("GET /v1/unknown", 404), ("GET /v1//courses", 400)):
        reply = await door.ask(line, f"origin: {HERE}", token=False)
        assert reply.status == status
        if status != 400:  # of a path that nobody can read, nothing is known
            assert readable_by(reply) == HERE


async def test_a_browser_is_told_before_it_asks_by_the_door_alone(door: Door, service: RawService) -> None:
    for line in ("OPTIONS /v1/courses", "OPTIONS /v1/home", "OPTIONS /oauth2/token", "OPTIONS /openapi.json"):
        told = await door.ask(line, f"origin: {HERE}", *ASKED_BEFORE, token=False)
        assert (told.status, told.body, readable_by(told)) == (204, b"", HERE), line
        assert "PUT" in (told.header("access-control-allow-methods") or "")
        assert {"authorization", "idempotency-key"} <= set(
            (told.header("access-control-allow-headers") or "").split(", ")
        )
        for origin in (NOWHERE, GONE):
            refused = await door.ask(line, f"origin: {origin}", *ASKED_BEFORE, token=False)
            assert (refused.status, refused.problem["type"]) == (403, "/problems/origin_not_registered")
    assert service.asked == []


async def test_the_token_endpoint_answers_pages_of_clients_and_the_sign_in_pages_answer_none(door: Door) -> None:
    by_script = await door.ask("POST /oauth2/token", f"origin: {HERE}", body=b"grant_type=x", token=False)
    assert (by_script.status, readable_by(by_script)) == (200, HERE)
    stranger = await door.ask("POST /oauth2/token", f"origin: {NOWHERE}", body=b"grant_type=x", token=False)
    assert (stranger.status, readable_by(stranger)) == (200, None)
    page = await door.ask("GET /oauth2/authorize", f"origin: {HERE}", token=False)
    assert page.header("access-control-allow-origin") is None


async def test_our_own_pages_and_programs_that_are_no_page_ask_as_ever(door: Door) -> None:
    for headers in ((), (f"origin: {PUBLIC_URL}",)):
        reply = await door.ask("GET /v1/courses", *headers)
        assert (reply.status, reply.header("access-control-allow-origin")) == (200, None)


def test_no_route_that_passes_cookies_is_open_to_pages_of_others() -> None:
    table = public_routes()
    for path in (b"/oauth2/authorize", b"/oauth2/consent", b"/oauth2/device", b"/oauth2/end-session", b"/sign-in/code"):
        route = table.find(path)
        assert route is not None
        assert route.cookies, path
