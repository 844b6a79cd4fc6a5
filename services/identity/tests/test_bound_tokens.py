"""Refresh tokens bound to a key (RFC 9449): the same one for its whole life, and worth nothing without the key."""

import secrets
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from identity.oauth.tables import AuthorizationCode
from identity.secrets import hash_of
from identity.sessions.tables import RefreshToken, TokenFamily

from .front_end import FrontEnd, answer_of, tokens_of
from .provider import Provider
from .proving import BoundFrontEnd, Prover
from .system_clients import WEB, WEB_CALLBACK, registered
from .terminals import Device, Phone, register, register_terminal


@pytest.fixture
def bound(provider: Provider, front_end: FrontEnd) -> BoundFrontEnd:
    return BoundFrontEnd(front_end, Prover(provider.issuer))


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_a_bound_token_is_used_again_and_again_however_many_answers_are_lost(
    provider: Provider, bound: BoundFrontEnd
) -> None:
    person_id, username = await provider.open_person()
    tokens = await bound.tokens(username)
    mine = select(TokenFamily.family_id).where(TokenFamily.account_id == person_id).scalar_subquery()
    for hours in (0, 0, 1, 24):
        async with provider.database.transaction() as session:
            link = update(RefreshToken).where(RefreshToken.family_id == mine)
            await session.execute(link.values(issued_at=RefreshToken.issued_at - timedelta(hours=hours)))
        renewed = tokens_of(await bound.refresh(tokens.refresh))
        assert renewed.refresh == tokens.refresh
        assert renewed.access != tokens.access
        assert (await provider.http.get("/oauth2/userinfo", headers=renewed.headers)).status_code == 200
    async with provider.database.read() as session:
        links = select(func.count(), func.count(RefreshToken.used_at)).where(RefreshToken.family_id == mine)
        assert tuple((await session.execute(links)).one()) == (1, 0)


async def test_whoever_has_a_copy_without_the_key_gets_and_ends_nothing(
    provider: Provider, front_end: FrontEnd, bound: BoundFrontEnd
) -> None:
    """Check 11, third part."""
    _, username = await provider.open_person()
    tokens = await bound.tokens(username)
    thief = BoundFrontEnd(provider.front_end(), Prover(provider.issuer))
    for _ in range(3):
        assert error(await front_end.refresh(tokens.refresh)) == (400, "invalid_grant")
        assert error(await thief.refresh(tokens.refresh)) == (400, "invalid_grant")
    assert (await bound.refresh(tokens.refresh)).status_code == 200
    async with provider.database.read() as session:
        key = select(TokenFamily.bound_to).join(RefreshToken).where(RefreshToken.token_hash == hash_of(tokens.refresh))
        assert await session.scalar(key) == bound.prover.key.thumbprint()


async def test_a_thief_without_the_key_does_not_keep_a_terminal_awake(provider: Provider) -> None:
    _, username = await provider.open_person()
    terminal = Device(provider, await register_terminal(provider), device_id=secrets.token_hex(8))
    bound = BoundFrontEnd(provider.front_end(terminal.client_id), Prover(provider.issuer))
    token = await by_device(terminal, bound, Phone(provider, username))
    family = select(TokenFamily).join(RefreshToken).where(RefreshToken.token_hash == hash_of(token))

    async def idle_until() -> Any:
        async with provider.database.read() as session:
            return (await session.scalars(family)).one().idle_until

    before = await idle_until()
    assert error(await provider.front_end(terminal.client_id).refresh(token)) == (400, "invalid_grant")
    assert await idle_until() == before
    assert (await bound.refresh(token)).status_code == 200
    assert await idle_until() > before


async def by_device(device: Device, bound: BoundFrontEnd, phone: Phone) -> str:
    """Let somebody sign in on a device that proves a key; gives the refresh token."""
    await device.begin()
    fields = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device.codes["device_code"]}
    assert error(await bound.ask(**fields)) == (400, "authorization_pending")
    await phone.decide(device.codes["user_code"])
    return tokens_of(await bound.ask(**fields)).refresh


async def test_a_device_binds_what_it_gets(provider: Provider) -> None:
    _, username = await provider.open_person()
    device = Device(provider, await register(provider, "village-screen"))
    bound = BoundFrontEnd(provider.front_end(device.client_id), Prover(provider.issuer))
    token = await by_device(device, bound, Phone(provider, username))
    assert [(await bound.refresh(token)).json()["refresh_token"] for _ in range(2)] == [token] * 2
    assert error(await bound.front_end.refresh(token)) == (400, "invalid_grant")


async def test_a_proof_that_comes_later_binds_nothing(
    provider: Provider, front_end: FrontEnd, bound: BoundFrontEnd
) -> None:
    _, username = await provider.open_person()
    unbound = await front_end.tokens(username)
    second = tokens_of(await bound.refresh(unbound.refresh))
    assert second.refresh != unbound.refresh
    assert (await front_end.refresh(second.refresh)).status_code == 200


async def test_a_client_with_a_secret_is_not_bound(provider: Provider) -> None:
    """It proves itself at each refresh, and may change its key (RFC 9449, section 5)."""
    client = await registered(provider, WEB, token_endpoint_auth_method="client_secret_basic")
    _, username = await provider.open_person()
    browser = provider.front_end(client.client_id, WEB_CALLBACK)
    asked = await browser.authorize()
    page = await browser.http.get(asked.headers["location"])
    consent = await browser.http.get(
        (await browser.submit(page, username=username, password="correct horse")).headers["location"]
    )
    code = answer_of(await browser.submit(consent, decision="approve")).parameters["code"]
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": WEB_CALLBACK}
    proven = {**client.basic, "DPoP": Prover(provider.issuer).proof()}
    given = await client.ask("/oauth2/token", headers=proven, **fields, code_verifier=browser.verifier)
    first = tokens_of(given)
    second = tokens_of(await client.ask("/oauth2/token", grant_type="refresh_token", refresh_token=first.refresh))
    assert second.refresh != first.refresh


async def test_what_else_ends_a_sign_in_ends_a_bound_one(provider: Provider, bound: BoundFrontEnd) -> None:
    person_id, username = await provider.open_person()
    given_up, over = await bound.tokens(username), await bound.tokens(username)
    revoked = {"client_id": bound.front_end.client_id, "token": given_up.refresh}
    assert (await provider.http.post("/oauth2/revoke", data=revoked)).status_code == 200
    assert error(await bound.refresh(given_up.refresh)) == (400, "invalid_grant")
    assert (await bound.refresh(over.refresh)).status_code == 200
    async with provider.database.transaction() as session:
        mine = update(TokenFamily).where(TokenFamily.account_id == person_id)
        await session.execute(mine.values(expires_at=TokenFamily.signed_in_at))
    assert error(await bound.refresh(over.refresh)) == (400, "invalid_grant")


async def test_a_code_that_names_a_key_is_redeemed_by_that_key_alone(provider: Provider, bound: BoundFrontEnd) -> None:
    _, username = await provider.open_person()
    named = bound.prover.key.thumbprint()
    code = (await bound.front_end.sign_in(username, dpop_jkt=named)).parameters["code"]
    thief = BoundFrontEnd(bound.front_end, Prover(provider.issuer))
    assert error(await bound.front_end.redeem(code)) == (400, "invalid_grant")
    assert error(await thief.redeem(code)) == (400, "invalid_grant")
    assert (await bound.redeem(code)).status_code == 200
    async with provider.database.read() as session:
        kept = select(AuthorizationCode.bound_to).where(AuthorizationCode.code_hash == hash_of(code))
        assert await session.scalar(kept) == named


@pytest.mark.parametrize("named", ["x", "x" * 42, "x" * 44, "x" * 42 + "=", "x" * 42 + "乡"])
async def test_what_is_no_thumbprint_is_refused(bound: BoundFrontEnd, named: str) -> None:
    refused = answer_of(await bound.front_end.authorize(dpop_jkt=named))
    assert refused.parameters["error"] == "invalid_request"


async def test_introspection_and_the_list_of_sessions_know_a_bound_token_as_any_other(
    provider: Provider, bound: BoundFrontEnd
) -> None:
    client = await registered(provider, WEB, token_endpoint_auth_method="client_secret_basic")
    _, username = await provider.open_person()
    tokens = await bound.tokens(username)
    await bound.refresh(tokens.refresh)
    elsewhere = await client.ask("/oauth2/introspect", token=tokens.refresh)
    assert elsewhere.json() == {"active": False}
    listed = await provider.http.get("/v1/me/sessions", headers=tokens.headers)
    assert [each["client_id"] for each in listed.json()["items"] if each.get("client_id")], listed.text
