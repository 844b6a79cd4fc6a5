"""The authenticator apps of a demonstration's people: set up through the API, kept with the other secrets."""

import time
from typing import Final

import pyotp

from standalone.data_directory import DataDirectory
from standalone.seed.api import Api, RequestRefused

STEP_SECONDS: Final = 30
_CONFIRM: Final = "/v1/me/totp/confirm"


class Authenticator:
    """One person's app, which gives each code once, that of the next step too, and the recovery codes beside it."""

    def __init__(self, secret: str) -> None:
        self._app = pyotp.TOTP(secret)
        self._last = 0
        self.spare: list[str] = []

    def code(self) -> str:
        """Give a code of the app that was not given, else a recovery code, else the same until time goes on."""
        present = int(time.time()) // STEP_SECONDS
        if self._last > present and self.spare:
            return self.spare.pop()
        self._last = min(max(self._last + 1, present), present + 1)
        return self._app.generate_otp(self._last)

    def code_to_confirm(self) -> str:
        """Give the code of the step before, which leaves the present one for the sign-in that follows."""
        return self._app.generate_otp(int(time.time()) // STEP_SECONDS - 1)


class Authenticators:
    """The apps of all, by username."""

    def __init__(self, home: DataDirectory) -> None:
        self._home = home
        self._apps: dict[str, Authenticator] = {}

    def of(self, username: str) -> Authenticator | None:
        """Give somebody's app, None when they have none."""
        secret = self._home.known_secret(_name(username))
        if secret is not None and username not in self._apps:
            self._apps[username] = Authenticator(secret)
        return self._apps.get(username)

    def keep(self, username: str, secret: str) -> Authenticator:
        """Keep the secret of a new app."""
        self._home.keep_secret(_name(username), secret)
        self._apps[username] = Authenticator(secret)
        return self._apps[username]


async def set_up(api: Api, username: str, authenticators: Authenticators) -> bool:
    """Set up somebody's app unless they have one, and tell whether it was set up now. Raises `RequestRefused`."""
    there = await api.get("/v1/me/totp")
    if there is not None and there["set_up"]:
        return False
    begun = await api.post("/v1/me/totp", {})
    app = authenticators.keep(username, begun["secret"])  # first: who has an app we do not know could not sign in
    try:
        confirmed = await api.post(_CONFIRM, {"code": app.code_to_confirm()})
    except RequestRefused as refused:
        if refused.code != "code_wrong":
            raise
        confirmed = await api.post(_CONFIRM, {"code": app.code_to_confirm()})  # the step went on on the way
    app.spare = list(confirmed["recovery_codes"])
    return True


def _name(username: str) -> str:
    return f"authenticator.{username}"
