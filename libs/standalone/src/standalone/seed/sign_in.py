"""Signs a person in as any front end would: authorization code with PKCE, through the page a browser would show."""

import asyncio
import base64
import hashlib
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from standalone.refusals import CannotRun
from standalone.services import NAMES

CLIENT_ID = "command-line"
REDIRECT_URI = "http://127.0.0.1/callback"
"""Where a browser would be sent with the code. Nobody listens there: the address is read from the answer instead."""

SECOND_FACTOR = "/sign-in/second-factor"
NEW_PASSWORD = "/sign-in/new-password"  # noqa: S105 - a page's address
FILE_PHONE = "/sign-in/phone-on-file"
_NUMBER = re.compile(r"<strong>([0-9]{4} [0-9]{4})</strong>")
SECONDS_TO_THE_NEXT_CODE = 31.0
SCOPE = " ".join(("openid", *(f"{service}.{verb}" for service in NAMES for verb in ("read", "write"))))
RENEWED_BEFORE_SECONDS = 60.0


class SignInRefused(CannotRun):
    """The system does not let this person in, or its sign-in does not work as it should."""


class Passwords(NamedTuple):
    """The password that people choose for themselves, and the one that somebody else opens their accounts with."""

    own: str
    first: str


class SignedIn:
    """A person who is signed in; the access token is renewed, by signing in again, before it runs out.

    `second_factor` gives a code, a new one each time, of whoever has an authenticator app. `first_password` is what
    the account was opened with: it is tried where `password` is not right, and replaced by that as the page asks for.
    `confirmed` has an officer confirm, by the number on the page, that this is whom the account was opened for.
    """

    def __init__(
        self,
        gateway_url: str,
        username: str,
        password: str,
        *,
        first_password: str | None = None,
        second_factor: Callable[[], str] | None = None,
        confirmed: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self.gateway_url = gateway_url
        self.username = username
        self.password = password
        self.first_password = first_password
        self.second_factor = second_factor
        self.confirmed = confirmed
        self._token = ""
        self._good_until = 0.0
        self._renewing = asyncio.Lock()

    async def headers(self) -> dict[str, str]:
        """Give the headers that say who asks. Raises `SignInRefused`, and `httpx.TransportError` without a gateway."""
        async with self._renewing:
            if time.monotonic() > self._good_until:
                asked_at = time.monotonic()
                self._token, lasts = await _token(self)
                self._good_until = asked_at + lasts - RENEWED_BEFORE_SECONDS
        return {"Authorization": f"Bearer {self._token}"}

    @property
    def good_for_seconds(self) -> float:
        """How long the present token will not be renewed; it is good for a minute more."""
        return self._good_until - time.monotonic()

    def forget(self) -> None:
        """Sign in again at the next request."""
        self._good_until = 0.0


async def _token(who: SignedIn) -> tuple[str, float]:
    """Go through discovery, page and code; give an access token and its lifetime in seconds."""
    hooks = {"response": [_raise_passing]}
    async with httpx.AsyncClient(base_url=who.gateway_url, trust_env=False, timeout=30, event_hooks=hooks) as browser:
        found = _json(await browser.get("/.well-known/openid-configuration"), "discovery")
        verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        request = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPE,
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
            .rstrip(b"=")
            .decode(),
            "code_challenge_method": "S256",
        }
        page = await browser.get(found["authorization_endpoint"], params=request, follow_redirects=True)
        answer = _callback(await _answered(browser, page, who), who.username)
        if answer.get("state") != state or answer.get("iss") != found["issuer"]:
            raise SignInRefused("the sign-in was answered by somebody else than the identity provider that was asked")
        redeemed = await browser.post(
            found["token_endpoint"],
            data={
                "grant_type": "authorization_code",
                "client_id": CLIENT_ID,
                "redirect_uri": REDIRECT_URI,
                "code": answer["code"],
                "code_verifier": verifier,
            },
        )
        token = _json(redeemed, "the token endpoint")
        return token["access_token"], float(token["expires_in"])


async def _raise_passing(response: httpx.Response) -> None:
    """Take trouble on the other side for no answer: it passes, and says nothing of who signs in."""
    if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise httpx.ReadError(f"{response.status_code} from {response.url.path}", request=response.request)


async def _answered(browser: httpx.AsyncClient, page: httpx.Response, who: SignedIn) -> httpx.Response:
    """Fill in the sign-in page and those that come after it; give the answer to the last."""
    sent = await _submit(browser, page, username=who.username, password=who.password)
    if who.first_password is not None and not sent.is_redirect:
        sent = await _submit(browser, sent, username=who.username, password=who.first_password)
    if _leads_to(sent, SECOND_FACTOR):
        if who.second_factor is None:
            raise SignInRefused(f"{who.username} has an authenticator app that is not known here")
        sent = await _second(browser, sent, who.second_factor)
    if _leads_to(sent, FILE_PHONE):
        page = await browser.get(urljoin(str(sent.url), sent.headers["location"]))
        number = _NUMBER.search(page.text)
        if who.confirmed is None or number is None:
            raise SignInRefused(f"{who.username} has to prove first that the account is theirs: sign in on the page")
        await who.confirmed(number[1])
        sent = await _submit(browser, page, way="confirmed")
    if _leads_to(sent, NEW_PASSWORD):
        if who.first_password is None:
            raise SignInRefused(f"{who.username} has to choose a password of their own first: sign in on the page")
        page = await browser.get(urljoin(str(sent.url), sent.headers["location"]))
        sent = await _submit(browser, page, password=who.password)
    return sent


def _leads_to(sent: httpx.Response, page: str) -> bool:
    location: str = sent.headers.get("location", "")
    return urlsplit(location).path == page


async def _second(browser: httpx.AsyncClient, sent: httpx.Response, code: Callable[[], str]) -> httpx.Response:
    """Give a code on the page for it; one that was used before is followed by the next, at last in its own time."""
    page = await browser.get(urljoin(str(sent.url), sent.headers["location"]))
    for waiting in (0.0, SECONDS_TO_THE_NEXT_CODE, 0.0):
        sent = await _submit(browser, page, code=code())
        if sent.is_redirect:
            break
        page = sent
        await asyncio.sleep(waiting)
    return sent


async def _submit(browser: httpx.AsyncClient, page: httpx.Response, **fields: str) -> httpx.Response:
    """Fill in the form of a sign-in page, its hidden fields as they are, and send it."""
    form = _Form()
    form.feed(page.text)
    if form.action is None:
        raise SignInRefused(f"the sign-in page could not be had: {page.status_code} from {page.url.path}")
    target = urljoin(str(page.url), form.action)
    return await browser.post(target, data={**form.hidden, **fields})


def _callback(response: httpx.Response, username: str) -> dict[str, str]:
    """Read what came back to the redirect address."""
    location = response.headers.get("location", "")
    if not response.is_redirect or not location.startswith(REDIRECT_URI):
        raise SignInRefused(f"{username} cannot sign in: wrong password, or no such account ({response.status_code})")
    answer = dict(parse_qsl(urlsplit(location).query))
    if "code" not in answer:
        raise SignInRefused(f"{username} cannot sign in: {answer.get('error', 'no code was sent')}")
    return answer


def _json(response: httpx.Response, what: str) -> dict[str, str]:
    if response.status_code != httpx.codes.OK:
        raise SignInRefused(f"{what} answered {response.status_code}")
    content: dict[str, str] = response.json()
    return content


class _Form(HTMLParser):
    """Reads where a page's form goes and its hidden fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of forms and hidden inputs."""
        attributes = dict(attrs)
        if tag == "form":
            self.action = attributes.get("action") or ""
        elif tag == "input" and attributes.get("type") == "hidden":
            self.hidden[attributes.get("name") or ""] = attributes.get("value") or ""
