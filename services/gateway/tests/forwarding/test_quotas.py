"""Quotas: a client that asks too much waits, the others go on, and what identity tells holds within seconds."""

from uuid import UUID, uuid4

import pytest

from contracts.identity import ClientQuotaSetV1
from database import Database
from gateway.forwarding.routing import Route
from gateway.quotas.buckets import CLIENT_SUSPENDED, QUOTA_EXCEEDED, Quota, Quotas, QuotasUnread
from gateway.quotas.event_handlers import HANDLERS
from gateway.quotas.keeping import kept
from testkit.tokens import TokenIssuer
from webapi import Authenticator
from webapi.problems import Refusal

from ..events import disturbed, hand_over
from .door import PUBLIC_URL, opened
from .raw_service import RawService

ROUTES = (
    Route("/v1/courses", "learning"),
    Route("/v1/home", None),
    Route("/oauth2", "learning", public=True),
    Route("/oauth2/userinfo", "learning", public=True, counted=True),
)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def refused(quotas: Quotas, client_id: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        quotas.take(client_id)
    return caught.value


def test_a_bucket_holds_a_minutes_requests_and_fills_again_at_its_rate() -> None:
    clock = Clock()
    quotas = Quotas(60, clock=clock)
    quotas.replace({})
    for _ in range(60):
        quotas.take("app")
    over = refused(quotas, "app")
    assert over.problem is QUOTA_EXCEEDED
    assert over.headers["retry-after"] in {"1", "2"}
    assert over.headers["ratelimit-policy"] == '"client";q=60;w=60'
    assert over.headers["ratelimit"] == '"client";r=0;t=1'
    clock.now += 2.0
    quotas.take("app")
    quotas.take("app")
    refused(quotas, "app")
    clock.now += 3600.0
    for _ in range(60):
        quotas.take("app")
    refused(quotas, "app")


def test_a_slow_quota_says_how_long_to_wait() -> None:
    quotas = Quotas(1, clock=Clock())
    quotas.replace({})
    quotas.take("app")
    told = {int(refused(quotas, "app").headers["retry-after"]) for _ in range(200)}
    assert min(told) >= 60
    assert max(told) <= 91
    assert len(told) > 10, "whoever waits comes back at the same moment as all others"


def test_a_changed_quota_holds_at_once_and_a_suspended_client_gets_nothing() -> None:
    clock = Clock()
    quotas = Quotas(1000, clock=clock)
    quotas.replace({})
    quotas.take("app")
    quotas.replace({"app": Quota(2, suspended=False)})
    quotas.take("app")
    quotas.take("app")
    assert refused(quotas, "app").problem is QUOTA_EXCEEDED
    quotas.replace({"app": Quota(2, suspended=True)})
    clock.now += 60.0
    assert refused(quotas, "app").problem is CLIENT_SUSPENDED
    quotas.replace({})
    quotas.take("app")


async def test_a_client_over_its_quota_gets_429_and_another_is_untouched(
    issuer: TokenIssuer, authenticator: Authenticator, service: RawService
) -> None:
    quotas = Quotas(1000)
    quotas.replace({"greedy": Quota(5, suspended=False), "gone": Quota(5, suspended=True)})
    greedy, modest, gone = (issuer.token(uuid4(), client_id=name) for name in ("greedy", "modest", "gone"))
    async with opened(ROUTES, {"learning": service.url}, authenticator, greedy, quotas=quotas) as door:
        for path in ("courses", "courses", "courses", "courses", "home"):
            door.token = issuer.token(uuid4(), client_id="greedy")
            assert (await door.ask(f"GET /v1/{path}")).status == 200
        door.token = greedy
        for path in ("GET /v1/courses", "GET /v1/home"):
            over = await door.ask(path)
            assert (over.status, over.problem["type"]) == (429, "/problems/quota_exceeded")
            assert 1 <= int(over.header("retry-after") or 0) <= 19
            assert over.header("ratelimit-policy") == '"client";q=5;w=60'
            assert (over.header("ratelimit") or "").startswith('"client";r=0;t=')
        door.token = modest
        assert [(await door.ask("GET /v1/courses")).status for _ in range(10)] == [200] * 10
        door.token = gone
        suspended = await door.ask("GET /v1/courses")
        assert (suspended.status, suspended.problem["type"]) == (403, "/problems/client_suspended")


async def test_what_identity_tells_of_clients_is_kept_in_any_order(database: Database) -> None:
    principal = uuid4()

    def told(
        version: int, requests: int, status: str = "active", who: UUID = principal
    ) -> tuple[ClientQuotaSetV1, int]:
        values = {
            "client_principal_id": who,
            "client_id": f"app-{who}",
            "requests_per_minute": requests,
            "status": status,
            "origins": (f"https://{who}.test", "http://localhost") if status == "active" else (),
        }
        return ClientQuotaSetV1.model_validate(values), version

    other = uuid4()
    events = [told(1, 10), told(2, 20), told(3, 20, "suspended"), told(1, 7, who=other)]
    for seed in range(3):
        await hand_over(database, HANDLERS, disturbed(events, seed), batch=3)
        quotas = Quotas(1)
        async with kept(quotas, database)(None):
            assert refused(quotas, f"app-{principal}").problem is CLIENT_SUSPENDED
            assert quotas.origins_of(f"app-{principal}") == frozenset()
            assert quotas.origins_of(f"app-{other}") == {f"https://{other}.test", "http://localhost"}
            assert [quotas.knows_origin(f"https://{who}.test") for who in (other, principal)] == [True, False]
            for _ in range(7):
                quotas.take(f"app-{other}")
            assert refused(quotas, f"app-{other}").problem is QUOTA_EXCEEDED


async def test_a_client_in_a_status_unknown_here_is_not_let_in(database: Database) -> None:
    values = {"client_principal_id": uuid4(), "client_id": "app", "requests_per_minute": 9, "status": "under_review"}
    await hand_over(database, HANDLERS, [(ClientQuotaSetV1.model_validate(values), 1)])
    quotas = Quotas(1)
    async with kept(quotas, database)(None):
        assert refused(quotas, "app").problem is CLIENT_SUSPENDED


async def test_a_process_is_ready_once_it_has_read_the_quotas(database: Database) -> None:
    quotas = Quotas(1)
    with pytest.raises(QuotasUnread):
        await quotas.check()
    async with kept(quotas, database)(None):
        await quotas.check()


async def test_nobody_is_let_in_before_the_quotas_have_been_read(
    issuer: TokenIssuer, authenticator: Authenticator, service: RawService
) -> None:
    quotas, token = Quotas(1000), issuer.token(uuid4(), client_id="gone")
    async with opened(ROUTES, {"learning": service.url}, authenticator, token, quotas=quotas) as door:
        for path in ("/v1/courses", "/v1/home", "/oauth2/userinfo"):
            early = await door.ask(f"GET {path}")
            assert (early.status, early.problem["type"]) == (503, "/problems/unavailable"), path
            assert int(early.header("retry-after") or 0) >= 1
        assert (await door.ask("GET /oauth2/jwks")).status == 200
        quotas.replace({"gone": Quota(5, suspended=True)})
        assert (await door.ask("GET /v1/courses")).problem["type"] == "/problems/client_suspended"
        door.token = issuer.token(uuid4(), client_id="new")
        assert (await door.ask("GET /v1/courses")).status == 200


async def test_asking_who_is_signed_in_counts_and_what_is_wrong_with_the_token_the_service_says(
    issuer: TokenIssuer, authenticator: Authenticator, service: RawService
) -> None:
    quotas = Quotas(1000)
    quotas.replace({"app": Quota(2, suspended=False), "gone": Quota(2, suspended=True)})
    of_sign_in, other, gone = (
        issuer.token(uuid4(), client_id=name, claims={"aud": PUBLIC_URL}) for name in ("app", "app", "gone")
    )
    async with opened(ROUTES, {"learning": service.url}, authenticator, of_sign_in, quotas=quotas) as door:
        assert [(await door.ask("GET /oauth2/userinfo")).status for _ in range(2)] == [200, 429]
        door.token = other
        assert [(await door.ask("GET /oauth2/userinfo")).status for _ in range(2)] == [200, 429]
        assert (await door.ask("POST /oauth2/token")).status == 200
        assert (await door.ask("GET /v1/courses")).status == 401  # it is for the sign-in alone
        door.token = gone
        assert (await door.ask("GET /oauth2/userinfo")).problem["type"] == "/problems/client_suspended"
        door.token = "none"
        assert (await door.ask("GET /oauth2/userinfo")).status == 200
        assert (await door.ask("GET /oauth2/userinfo", token=False)).status == 200
