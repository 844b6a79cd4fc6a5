"""An authenticator app in tests: it shows codes, and never the same twice."""

import base64
import json
import time
from typing import Any

import pyotp

from .front_end import PASSWORD, FrontEnd, Tokens, answer_of, tokens_of
from .provider import Provider

STEP_SECONDS = 30


class Authenticator:
    """An app that holds a secret. Three codes can be had at once: of the step before, of this one and of the next."""

    def __init__(self, secret: str) -> None:
        self._app = pyotp.TOTP(secret)
        self._last = 0

    def code(self) -> str:
        """Give a code that was not given before."""
        present = int(time.time()) // STEP_SECONDS
        self._last = max(self._last + 1, present - 1)
        assert self._last <= present + 1, "three codes at once are all there are"
        return self._app.generate_otp(self._last)

    def last(self) -> str:
        """Give the last code again."""
        return self._app.generate_otp(self._last)


async def set_up(provider: Provider, tokens: Tokens) -> tuple[Authenticator, list[str]]:
    """Set an app up for somebody who is signed in; give it with their recovery codes."""
    begun = await provider.http.post("/v1/me/totp", headers=tokens.headers)
    assert begun.status_code == 201, begun.text
    app = Authenticator(begun.json()["secret"])
    done = await provider.http.post("/v1/me/totp/confirm", json={"code": app.code()}, headers=tokens.headers)
    assert done.status_code == 200, done.text
    return app, done.json()["recovery_codes"]


async def tokens_by_two_factors(
    front_end: FrontEnd, username: str, app: Authenticator, **changed: str | None
) -> Tokens:
    """Sign in with the password and a code of the app."""
    page = await front_end.second_page(username, PASSWORD, **changed)
    answer = answer_of(await front_end.submit(page, code=app.code()))
    return tokens_of(await front_end.redeem(answer.parameters["code"]))


def claims(token: str) -> dict[str, Any]:
    """Read what a token says, unverified."""
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found
