"""The page of one's own ways in: set up an app and a passkey in a browser, after a fresh sign-in."""

import re
from datetime import timedelta
from html import unescape

import httpx
from sqlalchemy import select, update

from database import utc_now
from identity.factors.tables import Totp
from identity.sessions.tables import BrowserSession
from testkit.passkeys import Device

from .authenticator import Authenticator, set_up
from .device import options_on, send
from .front_end import FrontEnd
from .provider import Provider


async def opened(browser: FrontEnd, username: str) -> httpx.Response:
    """Ask for the page, be sent to sign in, and come back to it."""
    sent = await browser.http.get("/sign-in/security")
    assert sent.headers["location"] == "/sign-in?next=security"
    page = await browser.http.get(sent.headers["location"])
    back = await browser.submit(page, username=username, password="correct horse")
    assert back.headers["location"] == "/sign-in/security"
    return await browser.http.get(back.headers["location"])


async def test_an_app_is_set_up_on_the_page(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    page = await front_end.submit(await opened(front_end, username))
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page.text)
    assert secret is not None, page.text
    app = Authenticator(secret[1])
    wrong = await front_end.submit(page, code="000000")
    assert wrong.status_code == 400
    assert secret[1] not in wrong.text
    done = await front_end.submit(wrong, code=app.code())
    assert len(re.findall(r"<code>([a-z2-7-]{19})</code>", done.text)) == 10
    onward = re.search(r'class="button" href="([^"]*)"', done.text)
    assert onward is not None
    page = await front_end.http.get(unescape(onward[1]))
    again = await front_end.submit(page, code=app.code())
    assert again.headers["location"] == "/sign-in/security"
    overview = await front_end.http.get("/sign-in/security")
    assert "Recovery codes left: 10" in overview.text
    assert secret[1] not in overview.text


async def test_a_passkey_is_added_on_the_page(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    await opened(front_end, username)
    page = await front_end.http.get("/sign-in/security/passkey")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    device = Device()
    added = await send(front_end, page, device.create(options_on(page), provider.issuer))
    assert added.headers["location"] == "/sign-in/security"
    again = await send(front_end, page, Device().create(options_on(page), provider.issuer))
    stronger = "/sign-in/second-factor?next=security&acr_values=2"  # from now on the passkey changes what there is
    assert again.headers["location"] == stronger
    link = re.search(r'href="(/sign-in/passkey[^"]*)"', (await front_end.http.get(stronger)).text)
    assert link is not None
    asked = await front_end.http.get(unescape(link[1]))
    by_key = await send(front_end, asked, device.get(options_on(asked), provider.issuer))
    assert by_key.headers["location"] == "/sign-in/security"
    assert "<dd>1</dd>" in (await front_end.http.get("/sign-in/security")).text
    spent = await send(front_end, page, Device().create(options_on(page), provider.issuer))
    assert spent.headers.get("location") != "/sign-in/security"
    assert "<dd>1</dd>" in (await front_end.http.get("/sign-in/security")).text


async def test_the_page_wants_a_fresh_sign_in_with_what_is_set_up(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    page = await opened(front_end, username)
    long_ago = utc_now() - timedelta(minutes=11)
    async with provider.database.transaction() as session:
        await session.execute(
            update(BrowserSession).where(BrowserSession.account_id == person_id).values(signed_in_at=long_ago)
        )
    assert (await front_end.submit(page)).headers["location"] == "/sign-in?next=security"
    await set_up(provider, await provider.front_end().tokens(username))
    sent = await front_end.http.get("/sign-in/security")
    assert sent.headers["location"] == "/sign-in?next=security"


async def test_another_sites_form_sets_nothing_up(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    await opened(front_end, username)
    for data, status in (({}, 400), ({"form_token": "forged"}, 303)):
        refused = await front_end.http.post("/sign-in/security/totp", data=data)
        assert refused.status_code == status
        assert re.search(r"<code>[A-Z2-7]{32}</code>", refused.text) is None
    async with provider.database.read() as session:
        begun = await session.scalars(select(Totp).where(Totp.account_id == person_id))
        assert begun.all() == []
