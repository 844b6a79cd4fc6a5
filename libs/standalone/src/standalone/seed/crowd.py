"""The people of a demonstration as they sign in: each once, with an app or a phone, a member by an officer's word."""

from functools import partial
from uuid import UUID

import httpx

from standalone.seed.api import Api
from standalone.seed.authenticators import Authenticators, set_up
from standalone.seed.demo import CodeTo, Stage, put_phone_on_file
from standalone.seed.sign_in import Passwords, SignedIn


class Crowd:
    """Signs people in; those whose accounts were opened for members are confirmed by the `officer` of this name."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        gateway_url: str,
        stage: Stage,
        passwords: Passwords,
        authenticators: Authenticators,
        *,
        officer: str,
    ) -> None:
        self._http = http
        self._gateway_url = gateway_url
        self._stage = stage
        self._passwords = passwords
        self._authenticators = authenticators
        self._officer = officer
        self._apis: dict[str, Api] = {}
        self._confirmed: set[str] = set()

    def signed_in(self, username: str, passwords: Passwords | None = None) -> Api:
        """Give the API as somebody uses it, who signs in at the first request."""
        if username not in self._apis:
            own, first = passwords or self._passwords
            app, confirmed = self._authenticators.of(username), partial(self._confirm, username)
            code = app.code if app else None
            person = SignedIn(
                self._gateway_url, username, own, first_password=first, second_factor=code, confirmed=confirmed
            )
            self._apis[username] = Api(self._http, person)
        return self._apis[username]

    async def in_office(self, username: str, passwords: Passwords | None = None) -> Api:
        """Give the same of somebody who has an app from now on."""
        if await set_up(self.signed_in(username, passwords), username, self._authenticators):
            del self._apis[username]
        return self.signed_in(username, passwords)

    async def id_of(self, username: str) -> UUID:
        """Give somebody's id."""
        me = await self.signed_in(username).get("/v1/me") or {}
        return UUID(me["person_id"])

    async def begin(self, username: str, *, second_factor: bool, code_to: CodeTo | None) -> None:
        """Sign somebody in; who was opened for as a member and has no app puts the own phone on file."""
        if second_factor:
            await self.in_office(username)
            return
        await self.id_of(username)
        if code_to is not None and username in self._confirmed:
            await put_phone_on_file(self.signed_in(username), self._stage.numbers[username], code_to)

    async def _confirm(self, username: str, number: str) -> None:
        path = f"/v1/accounts/{self._stage.people[username]}/confirmation"
        await self.signed_in(self._officer).post(path, {"number": number}, heard=False)
        self._confirmed.add(username)
