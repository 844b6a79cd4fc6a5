"""A public client and the browser it sends people to, which ask as anybody's would."""

import base64
import hashlib
import re
import secrets
from html import unescape
from typing import NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

PASSWORD = "correct horse"
CALLBACK = "http://127.0.0.1:8765/callback"
SCOPES = ["openid", "profile", "identity.read", "identity.write"]
"""What front ends of these tests ask for: identity is the one service that runs."""
SCOPE = " ".join(SCOPES)


class Tokens(NamedTuple):
    """What a front end holds after a sign-in."""

    access: str
    refresh: str
    id_token: str | None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}


class Answer(NamedTuple):
    """What came back to a front end's redirect URI: where to, and the parameters there."""

    address: str
    parameters: dict[str, str]


def browser(url: str, transport: httpx.ASGITransport | None) -> httpx.AsyncClient:
    """Give a browser that speaks English. What it sends to `url` goes by `transport`, where one is given."""
    mounts = None if transport is None else {url: transport}
    english = {"Accept-Language": "en"}
    return httpx.AsyncClient(base_url=url, mounts=mounts, headers=english, trust_env=False, timeout=30)


class FrontEnd:
    """A public client in a browser of its own: sends a person to sign in and redeems the code."""

    def __init__(
        self,
        issuer: str,
        client_id: str = "command-line",
        redirect_uri: str = CALLBACK,
        transport: httpx.ASGITransport | None = None,
    ) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.redirect_uri = redirect_uri
        self.verifier = secrets.token_urlsafe(48)
        self.http = browser(issuer, transport)

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    def request(self, **changed: str | None) -> dict[str, str]:
        """The parameters of a good authorization request; None leaves one out."""
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPE,
            "state": "state-1",
            "nonce": "nonce-1",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    async def authorize(self, **changed: str | None) -> httpx.Response:
        return await self.http.get("/oauth2/authorize", params=self.request(**changed))

    async def submit(self, page: httpx.Response, **fields: str) -> httpx.Response:
        """Send the form of a page, with its hidden fields, to where its `action` says."""
        form = re.search(r'<form method="post" action="([^"]*)">(.*?)</form>', page.text, re.DOTALL)
        assert form is not None, page.text
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[2])
        data = {**{name: unescape(value) for name, value in hidden}, **fields}
        return await self.http.post(urljoin(str(page.url), unescape(form[1])), data=data)

    async def sign_in(self, username: str, password: str = PASSWORD, **changed: str | None) -> Answer:
        """Go through the page and give what arrives at the redirect URI."""
        sent_to_page = await self.authorize(**changed)
        assert sent_to_page.status_code == 303, sent_to_page.text
        page = await self.http.get(sent_to_page.headers["location"])
        return answer_of(await self.submit(page, username=username, password=password))

    async def second_page(self, username: str, password: str = PASSWORD, **changed: str | None) -> httpx.Response:
        """Give the password on the page and go on to the page that asks for a second factor."""
        page = await self.http.get((await self.authorize(**changed)).headers["location"])
        given = await self.submit(page, username=username, password=password)
        assert given.status_code == 303, given.text
        assert given.headers["location"].startswith("/sign-in/second-factor"), given.headers["location"]
        return await self.http.get(given.headers["location"])

    async def redeem(self, code: str, **changed: str | None) -> httpx.Response:
        fields = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code": code,
            "code_verifier": self.verifier,
            **changed,
        }
        data = {name: value for name, value in fields.items() if value is not None}
        return await self.http.post("/oauth2/token", data=data)

    async def refresh(self, token: str, **changed: str) -> httpx.Response:
        data = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": token, **changed}
        return await self.http.post("/oauth2/token", data=data)

    async def tokens(self, username: str, password: str = PASSWORD, **changed: str | None) -> Tokens:
        answer = await self.sign_in(username, password, **changed)
        return tokens_of(await self.redeem(answer.parameters["code"]))

    async def first_tokens(self, username: str, given: str, own: str = PASSWORD) -> Tokens:
        """Sign in by the password that the account was opened with, and choose another on the page that asks for it."""
        page = await self.http.get((await self.authorize()).headers["location"])
        sent = await self.submit(page, username=username, password=given)
        assert sent.headers["location"].startswith("/sign-in/new-password?"), sent.headers["location"]
        answer = answer_of(await self.submit(await self.http.get(sent.headers["location"]), password=own))
        return tokens_of(await self.redeem(answer.parameters["code"]))


def answer_of(response: httpx.Response) -> Answer:
    assert response.status_code == 303, response.text
    location = response.headers["location"]
    query = parse_qs(urlsplit(location).query, strict_parsing=True)
    return Answer(location.partition("?")[0], {name: value for name, [value] in query.items()})


def tokens_of(response: httpx.Response) -> Tokens:
    assert response.status_code == 200, response.text
    body = response.json()
    return Tokens(body["access_token"], body["refresh_token"], body.get("id_token"))
