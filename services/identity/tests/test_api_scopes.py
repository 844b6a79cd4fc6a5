"""Scopes of the API at every grant: no more than is registered, agreed to, or was granted before; and in words."""

import secrets

import pytest
from sqlalchemy import update

from contracts.scopes import API_SCOPES
from identity.clients.rules import SCOPES_OF_PEOPLE
from identity.clients.tables import Client
from identity.first_start import built_in_clients
from identity.pages.html import TEXTS
from identity.pages.words import scope_words
from webapi.languages import Language

from .front_end import PASSWORD, FrontEnd, answer_of, tokens_of
from .helping import village
from .phones import Phones
from .provider import Provider
from .system_clients import registered
from .terminals import Device, Phone, register

CALLBACK = "https://harvest.example.org/callback"
FILES = ["openid", "members.read", "members.write"]


@pytest.fixture
async def harvest(provider: Provider) -> FrontEnd:
    """A browser that comes from somebody else's client, which may have files and nothing else of the API."""
    client_id = await register(
        provider,
        f"harvest-{secrets.token_hex(4)}",
        application_type="web",
        redirect_uris=[CALLBACK],
        grant_types=["authorization_code", "refresh_token"],
        scopes=FILES,
    )
    return provider.front_end(client_id, CALLBACK)


async def lose(provider: Provider, client_id: str, *kept: str) -> None:
    """Have other terms of a client in force."""
    async with provider.database.transaction() as session:
        await session.execute(update(Client).where(Client.client_id == client_id).values(scopes=list(kept)))


async def test_a_client_of_others_gets_what_it_is_registered_for_and_the_page_says_it(
    provider: Provider, harvest: FrontEnd
) -> None:
    _, username = await provider.open_person()
    sent = await harvest.authorize(scope="openid members.read feedback.read everything")
    page = await harvest.http.get(sent.headers["location"])
    asked = await harvest.submit(page, username=username, password=PASSWORD)
    question = await harvest.http.get(asked.headers["location"])
    assert TEXTS["en"]["scope_members_read"] in question.text
    assert TEXTS["en"]["scope_feedback_read"] not in question.text
    code = answer_of(await harvest.submit(question, decision="approve")).parameters["code"]
    given = (await harvest.redeem(code)).json()
    assert given["scope"] == "openid members.read"

    more = await harvest.authorize(scope="openid members.read members.write")
    assert more.headers["location"].startswith("/oauth2/consent?")
    question = await harvest.http.get(more.headers["location"])
    assert TEXTS["en"]["scope_members_write"] in question.text


async def test_a_refresh_narrows_one_answer_and_never_widens(provider: Provider) -> None:
    _, username = await provider.open_person()
    front_end = provider.front_end()
    tokens = await front_end.tokens(username, scope="openid members.read feedback.read")
    narrowed = await front_end.refresh(tokens.refresh, scope="members.read")
    assert narrowed.json()["scope"] == "members.read"
    latest = narrowed.json()["refresh_token"]
    for wider in ("members.write", "members.read members.write", "openid profile"):
        refused = await front_end.refresh(latest, scope=wider)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    again = await front_end.refresh(latest)
    assert again.json()["scope"] == "openid members.read feedback.read"


async def test_a_device_gets_what_is_registered_now_and_refreshes_no_wider(provider: Provider) -> None:
    _, username = await provider.open_person()
    device = Device(provider, await register(provider, f"screen-{secrets.token_hex(4)}", scopes=FILES))
    phone = Phone(provider, username)
    codes = await device.begin(scope="openid members.read members.write gateway.read")
    confirm = await phone.type(codes["user_code"])
    assert TEXTS["en"]["scope_members_write"] in confirm.text
    assert TEXTS["en"]["scope_gateway_read"] not in confirm.text
    await phone.browser.submit(confirm, decision="approve")
    await lose(provider, device.client_id, "openid", "members.read", "feedback.read")
    given = await device.poll()
    assert given.json()["scope"] == "openid members.read"
    data = {"grant_type": "refresh_token", "client_id": device.client_id, "refresh_token": tokens_of(given).refresh}
    for wider in ("members.write", "feedback.read"):
        refused = await provider.http.post("/oauth2/token", data={**data, "scope": wider})
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


async def test_a_service_acts_by_itself_with_what_it_is_registered_for(provider: Provider) -> None:
    client = await registered(provider, scopes=["members.read", "feedback.read"])
    assert (await client.ask("/oauth2/token", grant_type="client_credentials")).json()["scope"] == (
        "members.read feedback.read"
    )
    narrower = await client.ask("/oauth2/token", grant_type="client_credentials", scope="feedback.read")
    assert narrower.json()["scope"] == "feedback.read"
    wider = await client.ask("/oauth2/token", grant_type="client_credentials", scope="feedback.read feedback.write")
    assert (wider.status_code, wider.json()["error"]) == (400, "invalid_scope")


async def test_an_assisted_token_has_no_scope_that_the_helpers_has_not(provider: Provider, phones: Phones) -> None:
    here = await village(provider, phones)
    ticket = await here.ticket(await here.consented())
    wider = await here.exchange(ticket, scope="openid feedback.write")
    assert (wider.status_code, wider.json()["error"]) == (400, "invalid_scope")
    assert (await here.exchange(ticket, scope="identity.read")).json()["scope"] == "identity.read"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_scope_that_a_person_is_asked_for_has_words(language: Language) -> None:
    asked = [*SCOPES_OF_PEOPLE, *API_SCOPES]
    words = scope_words(asked, language)
    assert len(set(words)) == len(asked) + 1
    assert words[-1] == TEXTS[language]["scope_bound"]
    assert scope_words(SCOPES_OF_PEOPLE, language) == words[:2]


def test_the_clients_that_come_with_the_system_may_ask_for_all_that_people_have() -> None:
    for client in built_in_clients("https://village.example"):
        of_people = (
            ["openid"] if client["application_type"] == "terminal" else SCOPES_OF_PEOPLE
        )  # others stand there, too
        assert client["scopes"] == [*of_people, *API_SCOPES]
