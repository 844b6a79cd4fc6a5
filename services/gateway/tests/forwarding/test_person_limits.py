"""Check 38: nobody takes the share of others at the door; people, helpers and addresses have buckets of their own."""

from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.forwarding.routing import Route
from gateway.quotas import bucket
from gateway.quotas.bucket import Rate
from gateway.quotas.buckets import TOO_MANY_REFUSED, TOO_MANY_REQUESTS, Quota, Quotas
from testkit.tokens import TokenIssuer, forged
from webapi import Authenticator, authentication
from webapi.problems import TOKEN_INVALID, Refusal

from .door import Door, opened
from .raw_service import OK, RawService, answering

ROUTES = (
    Route("/v1/courses", "learning"),
    Route("/v1/cases", "learning"),
    Route("/v1/home", None),
    Route("/oauth2", "learning", public=True),
    Route("/oauth2/userinfo", "learning", public=True, counted=True),
)
MISSING = OK.replace(b"200 OK", b"404 Not Found")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def quotas_of(**clients: int) -> Quotas:
    quotas = Quotas(1_000_000, clock=Clock())
    quotas.replace({name: Quota(most, suspended=False) for name, most in clients.items()})
    return quotas


def taken(quotas: Quotas, client_id: str, person_id: UUID | None = None, *, tries: int = 1000) -> int:
    """Ask until it is refused; give how often it was not."""
    for times in range(tries):
        try:
            quotas.take(client_id, person_id)
        except Refusal:
            return times
    return tries


async def statuses(door: Door, path: str, times: int, *, token: bool = True) -> Counter[int]:
    return Counter([(await door.ask(f"GET {path}", token=token)).status for _ in range(times)])


async def test_one_person_empties_no_clients_quota_for_others(
    issuer: TokenIssuer, authenticator: Authenticator, service: RawService
) -> None:
    """Check 38: at every quota of a client from two on."""
    for quota in (2, 3, 20, 120, 100_000):
        quotas = Quotas(1000)
        quotas.replace({"app": Quota(quota, suspended=False)})
        greedy, modest = (issuer.token(uuid4(), client_id="app") for _ in range(2))
        async with opened(ROUTES, {"learning": service.url}, authenticator, greedy, quotas=quotas) as door:
            mixed = [path for _ in range(62) for path in ("/v1/courses", "/v1/home")]
            answers = [await door.ask(f"GET {path}") for path in mixed]
            assert answers[-1].status == 429, quota
            door.token = modest
            assert (await door.ask("GET /v1/courses")).status == 200, quota


async def test_who_asks_too_much_is_told_when_to_come_again_in_words(
    issuer: TokenIssuer, authenticator: Authenticator, service: RawService
) -> None:
    quotas = Quotas(1_000_000, person=Rate(60, at_once=2), address=Rate(60, at_once=2))
    quotas.replace({})
    async with opened(ROUTES, {"learning": service.url}, authenticator, issuer.token(uuid4()), quotas=quotas) as door:
        for token, name in ((True, "person"), (False, "address")):
            path = "/v1/courses" if token else "/oauth2/jwks"
            assert await statuses(door, path, 2, token=token) == {200: 2}
            over = await door.ask(f"GET {path}", "accept-language: en", token=token)
            assert (over.status, over.problem["type"]) == (429, "/problems/too_many_requests")
            assert over.problem["title"] == TOO_MANY_REQUESTS.title_en
            assert 1 <= int(over.header("retry-after") or 0) <= 2
            assert over.header("ratelimit-policy") == f'"{name}";q=60;w=60'
            assert over.header("ratelimit") == f'"{name}";r=0;t=1'


def test_a_person_has_a_burst_and_then_a_rate_and_refusals_cost_nothing() -> None:
    quotas, person = quotas_of(app=100_000), uuid4()
    clock: Any = quotas._clock
    assert taken(quotas, "app", person) == 60
    for _ in range(1000):
        with pytest.raises(Refusal):
            quotas.take("app", person)
    clock.now += 1.0
    assert taken(quotas, "app", person) == 5
    clock.now += 3600.0
    assert taken(quotas, "app", person) == 60
    assert taken(quotas, "app", tries=99_900) == 99_900, "what was refused drew on the client's quota"
    assert taken(quotas, "other", person) == 60, "a client spends what its user may ask through another"


async def test_a_helpers_bucket_is_theirs_and_the_villagers_own_stays_full(
    issuer: TokenIssuer, authenticator: Authenticator, service: RawService
) -> None:
    quotas = Quotas(1_000_000, person=Rate(60, at_once=4))
    quotas.replace({})
    helper, villagers = uuid4(), [uuid4() for _ in range(2)]
    assisted = [issuer.token(person, actor=helper, actions=["feedback.open_case"]) for person in villagers]
    async with opened(ROUTES, {"learning": service.url}, authenticator, assisted[0], quotas=quotas) as door:
        seen: Counter[int] = Counter()
        for token in assisted:
            door.token = token
            seen += await statuses(door, "/v1/courses", 3)
        assert seen == {200: 4, 429: 2}
        door.token = issuer.token(villagers[0])
        assert await statuses(door, "/v1/courses", 4) == {200: 4}


async def test_an_address_counts_only_without_a_good_token(
    issuer: TokenIssuer, authenticator: Authenticator, service: RawService
) -> None:
    quotas = Quotas(1_000_000, address=Rate(60, at_once=3))
    quotas.replace({})
    async with opened(ROUTES, {"learning": service.url}, authenticator, issuer.token(uuid4()), quotas=quotas) as door:
        assert await statuses(door, "/v1/courses", 20) == {200: 20}
        paths = ("/v1/courses", "/v1/home", "/oauth2/token", "/oauth2/userinfo", "/openapi.json")
        for path in paths:
            quotas._addresses = bucket.Buckets()
            seen = await statuses(door, path, 5, token=False)
            assert seen[429] == 2, f"{path}: {seen}"
        assert await statuses(door, "/v1/courses", 20) == {200: 20}
        assert await statuses(door, "/health/live", 20, token=False) == {200: 20}


async def test_bad_tokens_of_an_address_are_not_verified_for_ever_and_keep_nobody_there_out(
    issuer: TokenIssuer, authenticator: Authenticator, service: RawService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Check 38: who sends what is no token costs the door no signature check for each."""
    checked: Counter[str] = Counter()

    def counting(*arguments: Any) -> None:
        checked["signatures"] += 1
        check(*arguments)

    check = authentication._check_signature
    monkeypatch.setattr(authentication, "_check_signature", counting)
    quotas = Quotas(1_000_000, person=Rate(1, at_once=4), address=Rate(1, at_once=3))
    quotas.replace({})
    villager, session = uuid4(), uuid4()
    known = issuer.token(villager, session_id=session)
    invalid = forged(issuer.token(uuid4()))
    async with opened(ROUTES, {"learning": service.url}, authenticator, known, quotas=quotas) as door:
        assert (await door.ask("GET /v1/courses")).status == 200
        for path, answered in (("/v1/courses", 401), ("/v1/home", 200), ("/oauth2/userinfo", 200)):
            quotas._unproven, door.token = bucket.Buckets(), invalid
            checked.clear()
            assert await statuses(door, path, 20) == {answered: 3, 429: 17}, path
            assert checked["signatures"] == 3, path
        over = await door.ask("GET /v1/courses")
        assert (over.problem["type"], over.header("ratelimit-policy")) == (
            "/problems/too_many_requests",
            '"invalid tokens";q=1;w=60',
        )
        assert (await door.ask("GET /oauth2/jwks", token=False)).status == 200, "the sign-in is shut"
        door.token = issuer.token(uuid4())
        assert (await door.ask("GET /v1/courses")).status == 429, "of a session that nobody knows yet"
        door.token = known
        assert (await door.ask("GET /v1/courses")).status == 200
        door.token = issuer.token(villager, session_id=session)
        assert (await door.ask("GET /v1/courses")).status == 200, "a villager cannot renew their token"
        door.token = forged(door.token)
        assert await statuses(door, "/v1/courses", 6) == {401: 4, 429: 2}, "a session has any number"
        quotas._unproven = bucket.Buckets()
        for _ in range(10):
            door.token = issuer.token(uuid4())
            assert (await door.ask("GET /v1/courses")).status == 200, "a good token counts"


@pytest.mark.parametrize(
    "framing", ["content-length: %d\r\n\r\n%s", "transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"]
)
async def test_who_signs_in_where_bad_tokens_come_without_end_is_let_in(
    issuer: TokenIssuer, authenticator: Authenticator, service: RawService, framing: str
) -> None:
    """Check 38: the door knows the session of a token that it has just handed on, and nothing of what is none."""
    quotas = Quotas(1_000_000, address=Rate(1, at_once=10))
    quotas.replace({})
    given, other = issuer.token(uuid4()), issuer.token(uuid4())

    def answered(body: str) -> bytes:
        return f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{framing % (len(body), body)}".encode()

    async with opened(ROUTES, {"learning": service.url}, authenticator, forged(other), quotas=quotas) as door:
        assert await statuses(door, "/v1/courses", 12) == {401: 10, 429: 2}
        for body in ('{"error": "invalid_grant"}', '{"access_token": 1}', '{"access_token": "a.b"}', "[]", "{"):
            service.behave = answering(answered(body))
            assert (await door.ask("POST /oauth2/token", token=False)).body == body.encode()
        service.behave = answering(answered(f'{{"access_token": "{other}"}}'))
        await door.ask("POST /oauth2/introspect", token=False)
        service.behave = answering(answered(f'{{"access_token": "{given}"}}'))
        assert (await door.ask("POST /oauth2/token", token=False)).complete
        service.behave = answering(OK)
        door.token = other
        assert (await door.ask("GET /v1/courses")).status == 429
        door.token = given
        assert (await door.ask("GET /v1/courses")).status == 200


def test_an_address_is_an_ipv4_address_or_a_network_of_ipv6() -> None:
    quotas = Quotas(1, address=Rate(60, at_once=2), clock=Clock())
    for address in ("2001:db8::1", "2001:db8::ffff:2"):
        quotas.take_address(address)
    with pytest.raises(Refusal):
        quotas.take_address("2001:db8::3")
    for address in ("2001:db8:0:1::1", "10.0.0.1", "10.0.0.1", "10.0.0.2", ""):
        quotas.take_address(address)
    with pytest.raises(Refusal):
        quotas.take_address("10.0.0.1")


def test_whoever_has_a_whole_48_of_ipv6_has_what_ten_addresses_have() -> None:
    quotas = Quotas(1, address=Rate(60, at_once=2), clock=Clock())
    for number in range(20):
        quotas.take_address(f"2001:db8:1:{number:x}::1")
    with pytest.raises(Refusal):
        quotas.take_address("2001:db8:1:ffff::1")
    quotas.take_address("2001:db8:2::1")
    with pytest.raises(Refusal), quotas.unproven(None, "2001:db8:3::1"):
        raise Refusal(TOKEN_INVALID)
    for number in range(1, 20):
        with pytest.raises(Refusal) as refused, quotas.unproven(None, f"2001:db8:3:{number:x}::1"):
            raise Refusal(TOKEN_INVALID)
        assert refused.value.problem is TOKEN_INVALID
    with pytest.raises(Refusal) as refused, quotas.unproven(None, "2001:db8:3:ffff::1"):
        raise AssertionError
    assert refused.value.problem.code == "too_many_requests"
    for _ in range(50):
        with quotas.unproven(None, "2001:db8:4::1"):
            pass


async def test_who_tries_the_ids_of_others_has_to_wait_and_keeps_their_own_pages(
    issuer: TokenIssuer, authenticator: Authenticator, service: RawService
) -> None:
    """Check 38: refused reads, of what services and the gateway answer."""
    service.behave = answering(MISSING)
    quotas = Quotas(1_000_000, refused=Rate(6, at_once=5))
    quotas.replace({})
    async with opened(ROUTES, {"learning": service.url}, authenticator, issuer.token(uuid4()), quotas=quotas) as door:
        assert await statuses(door, "/v1/courses", 8) == {404: 8}, "nothing was named by an id"
        seen = await statuses(door, f"/v1/cases/{uuid4()}", 3) + await statuses(door, f"/v1/cases?of={uuid4()}", 4)
        assert seen == {404: 5, 429: 2}
        over = await door.ask(f"PUT /v1/courses/{uuid4()}")
        assert (over.status, over.problem["type"]) == (429, f"/problems/{TOO_MANY_REFUSED.code}")
        assert int(over.header("retry-after") or 0) >= 9
        service.behave = answering(MISSING)
        door.token = issuer.token(uuid4())
        masked = "".join(f"%{ord(sign):02x}" for sign in str(uuid4()))
        assert await statuses(door, f"/v1/cases/{masked}", 7) == {404: 5, 429: 2}, "an id in another writing"
        service.behave = answering(OK)
        door.token = issuer.token(uuid4())
        assert await statuses(door, f"/v1/home/{uuid4()}/gone", 7) == {404: 5, 429: 2}
        assert await statuses(door, f"/v1/cases/{uuid4()}", 3) == {429: 3}
        assert await statuses(door, "/v1/courses", 3) == {200: 3}
        assert await statuses(door, "/v1/home", 3) == {200: 3}
        door.token = issuer.token(uuid4())
        assert await statuses(door, f"/v1/cases/{uuid4()}", 9) == {200: 9}


def test_buckets_are_bounded_and_only_full_ones_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, buckets = Clock(), bucket.Buckets()
    rate = Rate(60, at_once=10)
    for number in range(1000):
        buckets.of(number, rate, clock.now).left -= 5.0
        clock.now += 0.1
    assert 45 <= len(buckets) <= 55  # each is full again after five seconds
    spent = buckets.of("spent", rate, clock.now)
    spent.left = 0.0
    for number in range(100):
        clock.now += 0.05
        buckets.of(f"other {number}", rate, clock.now)
        assert buckets.get("spent") is spent
    monkeypatch.setattr(bucket, "MOST_BUCKETS", 20)
    flooded = bucket.Buckets()
    for number in range(100):
        flooded.of(number, rate, clock.now).left = 0.0
        assert len(flooded) <= 20
    assert flooded.get(99) is not None
    assert flooded.get(79) is None
