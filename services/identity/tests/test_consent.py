"""Consent: what a client of somebody else may have is asked once, kept, shown, and taken back."""

import secrets
from datetime import timedelta

import httpx
import pytest_asyncio
from sqlalchemy import update

from database import utc_now
from identity.clients.tables import Client
from identity.oauth.tables import ClientConsent
from identity.sessions.tables import BrowserSession

from .front_end import PASSWORD, SCOPES, FrontEnd, Tokens, answer_of, tokens_of
from .provider import Provider
from .terminals import Device, Phone, register

CALLBACK = "https://weather.example.org/callback"


@pytest_asyncio.fixture
async def others(provider: Provider) -> FrontEnd:
    """A browser that comes from a client of somebody else."""
    client_id = await register(
        provider,
        f"weather-{secrets.token_hex(4)}",
        name_zh="农事天气",
        name_en="Farm weather",
        application_type="web",
        redirect_uris=[CALLBACK],
        grant_types=["authorization_code", "refresh_token"],
    )
    return provider.front_end(client_id, CALLBACK)


async def sign_in(others: FrontEnd, username: str, **changed: str | None) -> httpx.Response:
    """Sign in for the client and give the answer, which leads to the consent page or to the client."""
    sent = await others.authorize(**changed)
    page = await others.http.get(sent.headers["location"])
    return await others.submit(page, username=username, password=PASSWORD)


async def asked(others: FrontEnd, answer: httpx.Response) -> httpx.Response:
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/oauth2/consent?"), answer.headers["location"]
    page = await others.http.get(answer.headers["location"])
    assert page.status_code == 200
    return page


async def allowed(others: FrontEnd, username: str, **changed: str | None) -> Tokens:
    page = await asked(others, await sign_in(others, username, **changed))
    code = answer_of(await others.submit(page, decision="approve")).parameters["code"]
    return tokens_of(await others.redeem(code))


async def test_a_client_of_others_gets_a_code_only_after_a_click(provider: Provider, others: FrontEnd) -> None:
    _, username = await provider.open_person()
    page = await asked(others, await sign_in(others, username))
    assert "Let “Farm weather” use your account?" in page.text
    assert "see your user name" in page.text
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' https://weather.example.org;" in policy
    answer = answer_of(await others.submit(page, decision="approve"))
    assert answer.address == CALLBACK
    assert answer.parameters["state"] == "state-1"
    assert (await others.redeem(answer.parameters["code"])).status_code == 200


async def test_consent_is_asked_once_and_again_when_the_scopes_grow(provider: Provider, others: FrontEnd) -> None:
    _, username = await provider.open_person()
    await allowed(others, username, scope="openid")
    assert answer_of(await others.authorize(scope="openid")).parameters["code"]
    grown = await asked(others, await others.authorize(scope="openid profile"))
    assert answer_of(await others.submit(grown, decision="approve")).parameters["code"]
    assert answer_of(await others.authorize(scope="openid")).parameters["code"]
    assert answer_of(await others.authorize(scope="openid profile")).parameters["code"]
    await asked(others, await others.authorize(scope="openid", prompt="consent"))


async def test_whoever_does_not_allow_it_is_sent_back_with_access_denied(provider: Provider, others: FrontEnd) -> None:
    _, username = await provider.open_person()
    page = await asked(others, await sign_in(others, username))
    answer = answer_of(await others.submit(page, decision="deny"))
    assert (answer.address, answer.parameters["error"]) == (CALLBACK, "access_denied")
    assert (answer.parameters["state"], answer.parameters["iss"]) == ("state-1", provider.issuer)
    await asked(others, await others.authorize())


async def test_prompt_none_without_consent_asks_nobody(provider: Provider, others: FrontEnd) -> None:
    _, username = await provider.open_person()
    await sign_in(others, username)
    assert answer_of(await others.authorize(prompt="none")).parameters["error"] == "consent_required"


async def test_the_consent_page_gives_nothing_away_by_itself(provider: Provider, others: FrontEnd) -> None:
    _, username = await provider.open_person()
    await allowed(others, username)
    again = await others.http.get("/oauth2/consent", params=others.request())
    assert again.status_code == 200
    forged = await others.http.post("/oauth2/consent", params=others.request(), data={"decision": "approve"})
    assert forged.status_code == 403
    stranger = provider.front_end(others.client_id, CALLBACK)
    sent = await stranger.http.get("/oauth2/consent", params=others.request())
    assert sent.headers["location"].startswith("/sign-in?")
    wrong = others.request(redirect_uri="https://weather.example.org/callback/../x")
    assert (await others.http.get("/oauth2/consent", params=wrong)).status_code == 400


async def test_consent_does_not_stand_in_for_a_sign_in_that_was_demanded(provider: Provider, others: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    page = await asked(others, await sign_in(others, username, prompt="login"))
    async with provider.database.transaction() as session:
        mine, long_ago = BrowserSession.account_id == person_id, utc_now() - timedelta(hours=1)
        await session.execute(update(BrowserSession).where(mine).values(signed_in_at=long_ago))
    late = await others.submit(page, decision="approve")
    assert late.headers["location"].startswith("/sign-in?")


async def test_the_systems_own_clients_do_not_ask(provider: Provider) -> None:
    _, username = await provider.open_person()
    assert (await provider.web_front_end().sign_in(username)).parameters["code"]
    assert (await provider.front_end().sign_in(username)).parameters["code"]


async def test_a_native_client_of_others_asks_once_and_always_for_the_person(provider: Provider) -> None:
    _, username = await provider.open_person()
    terms = {"redirect_uris": ["http://127.0.0.1/callback"], "grant_types": ["authorization_code", "refresh_token"]}
    app = provider.front_end(await register(provider, f"app-{secrets.token_hex(4)}", **terms))
    page = await asked(app, await sign_in(app, username))
    assert answer_of(await app.submit(page, decision="approve")).parameters["code"]
    assert answer_of(await sign_in(app, username)).parameters["code"]
    assert (await app.authorize()).headers["location"].startswith("/sign-in?")


async def test_people_see_what_they_let_clients_have_and_take_it_back(provider: Provider, others: FrontEnd) -> None:
    _, username = await provider.open_person()
    given = await allowed(others, username)
    mine = await provider.front_end().tokens(username)
    seen = (await provider.http.get("/v1/me/client-consents", headers=mine.headers)).json()
    [consent] = seen["items"]
    assert (consent["client_id"], consent["name_en"]) == (others.client_id, "Farm weather")
    assert consent["scopes"] == sorted(SCOPES)
    assert seen["next_cursor"] is None

    waiting = answer_of(await others.authorize()).parameters["code"]
    path = f"/v1/me/client-consents/{others.client_id}"
    assert (await provider.http.delete(path, headers=mine.headers)).status_code == 204
    assert (await provider.http.delete(path, headers=mine.headers)).status_code == 404
    assert (await provider.http.get("/v1/me/client-consents", headers=mine.headers)).json()["items"] == []
    assert (await provider.http.get("/oauth2/userinfo", headers=given.headers)).status_code == 401
    assert (await others.refresh(given.refresh)).json()["error"] == "invalid_grant"
    assert (await others.redeem(waiting)).json()["error"] == "invalid_grant"
    await asked(others, await others.authorize())
    assert (await provider.http.get("/oauth2/userinfo", headers=mine.headers)).status_code == 200


async def test_a_code_gives_nothing_beyond_what_the_person_lets_the_client_have(
    provider: Provider, others: FrontEnd
) -> None:
    person_id, username = await provider.open_person()
    await allowed(others, username)
    for changed in ({"scopes": ["openid"]}, {"withdrawn_at": utc_now()}):
        code = answer_of(await others.authorize()).parameters["code"]
        async with provider.database.transaction() as session:
            mine = ClientConsent.account_id == person_id, ClientConsent.client_id == others.client_id
            await session.execute(update(ClientConsent).where(*mine).values(**changed))
        assert (await others.redeem(code)).json()["error"] == "invalid_grant"
        async with provider.database.transaction() as session:
            again = {"scopes": SCOPES, "withdrawn_at": None}
            await session.execute(update(ClientConsent).where(*mine).values(**again))


async def test_consents_come_in_pages_of_ones_own(provider: Provider) -> None:
    _, username = await provider.open_person()
    _, stranger = await provider.open_person()
    terms = {"application_type": "web", "redirect_uris": [CALLBACK], "grant_types": ["authorization_code"]}
    clients = [await register(provider, f"page-{number}", **terms, name_en=f"Page {number}") for number in range(3)]
    for client_id in clients:
        front_end = provider.front_end(client_id, CALLBACK)
        page = await asked(front_end, await sign_in(front_end, username))
        assert answer_of(await front_end.submit(page, decision="approve")).parameters["code"]
    tokens, others = await provider.front_end().tokens(username), await provider.front_end().tokens(stranger)
    first = (await provider.http.get("/v1/me/client-consents?limit=2", headers=tokens.headers)).json()
    rest = await provider.http.get(
        "/v1/me/client-consents", params={"limit": 2, "cursor": first["next_cursor"]}, headers=tokens.headers
    )
    found = [item["client_id"] for item in first["items"] + rest.json()["items"]]
    assert found == clients[::-1]
    assert (await provider.http.get("/v1/me/client-consents", headers=others.headers)).json()["items"] == []
    assert (await provider.http.delete("/v1/me/client-consents/page-0", headers=others.headers)).status_code == 404


async def test_letting_a_device_in_is_consent_that_can_be_taken_back(provider: Provider) -> None:
    _, username = await provider.open_person()
    device = Device(provider, await register(provider, "village-screen"))
    await device.tokens_for(Phone(provider, username))
    mine = await provider.front_end().tokens(username)
    [consent] = (await provider.http.get("/v1/me/client-consents", headers=mine.headers)).json()["items"]
    assert consent["client_id"] == "village-screen"


async def test_a_suspended_client_asks_nobody(provider: Provider, others: FrontEnd) -> None:
    _, username = await provider.open_person()
    page = await asked(others, await sign_in(others, username))
    async with provider.database.transaction() as session:
        this = Client.client_id == others.client_id
        await session.execute(update(Client).where(this).values(status="suspended"))
    assert (await others.http.get("/oauth2/consent", params=others.request())).status_code == 400
    assert (await others.submit(page, decision="approve")).status_code == 400


async def test_who_was_given_tokens_learns_nothing_more_of_a_person_once_the_client_is_suspended(
    provider: Provider, others: FrontEnd
) -> None:
    _, username = await provider.open_person()
    given = await allowed(others, username)
    for status, expected in (("active", 200), ("suspended", 401), ("active", 200)):
        async with provider.database.transaction() as session:
            this = Client.client_id == others.client_id
            await session.execute(update(Client).where(this).values(status=status))
        answer = await provider.http.get("/oauth2/userinfo", headers=given.headers)
        assert answer.status_code == expected, answer.text
