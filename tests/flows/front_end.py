"""A public client that keeps all it is given: signs a person in with code and PKCE, and refreshes."""

import base64
import hashlib
import re
import secrets
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import orjson

from standalone.seed.sign_in import SCOPE

CLIENT = {"client_id": "command-line", "redirect_uri": "http://127.0.0.1/callback"}


class Tokens(NamedTuple):
    """What a front end holds after a sign-in."""

    access: str
    refresh: str
    id_token: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request with the access token."""
        return {"Authorization": f"Bearer {self.access}"}

    @property
    def claims(self) -> dict[str, Any]:
        """What the access token says, unverified."""
        payload = self.access.split(".")[1]
        claims: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims


async def sign_in(url: str, username: str, password: str) -> Tokens:
    """Go through the page of the system at `url` and redeem the code."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        **CLIENT,
        "response_type": "code",
        "scope": SCOPE,
        "state": "state",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as browser:
        page = await browser.get("/oauth2/authorize", params=asked, follow_redirects=True)
        form = re.search(r'<form method="post" action="([^"]*)">(.*?)</form>', page.text, re.DOTALL)
        assert form is not None, page.text
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[2])
        filled = {**{name: unescape(value) for name, value in hidden}, "username": username, "password": password}
        sent = await browser.post(urljoin(str(page.url), unescape(form[1])), data=filled)
        [code] = parse_qs(urlsplit(sent.headers["location"]).query)["code"]
        given = {**CLIENT, "grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        redeemed = (await browser.post("/oauth2/token", data=given)).raise_for_status().json()
    return Tokens(redeemed["access_token"], redeemed["refresh_token"], redeemed["id_token"])


async def refresh(url: str, tokens: Tokens) -> Tokens | None:
    """Take the refresh token for new ones; None when it is good for nothing any more."""
    given = {"client_id": CLIENT["client_id"], "grant_type": "refresh_token", "refresh_token": tokens.refresh}
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        answer = await client.post("/oauth2/token", data=given)
    content = answer.json()
    if answer.status_code == httpx.codes.OK:
        return tokens._replace(access=content["access_token"], refresh=content["refresh_token"])
    assert (answer.status_code, content["error"]) == (400, "invalid_grant"), content
    return None
