"""Devices that sign in by a code, clients registered straight in the database, and the phone that lets them in."""

from typing import Any

import httpx
from sqlalchemy import update

from database import new_id, utc_now
from identity.clients.tables import Client
from identity.secrets import hash_of
from identity.sessions.tables import DeviceCode

from .front_end import PASSWORD, SCOPE, SCOPES, FrontEnd, Tokens, tokens_of
from .provider import Provider

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


async def register(provider: Provider, client_id: str, **terms: Any) -> str:
    """Register a client as a reviewed registration would; another's, native and public unless `terms` say else."""
    values: dict[str, Any] = {
        "client_id": client_id,
        "principal_id": new_id(),
        "name_zh": "村里的电视",
        "name_en": "Village screen",
        "application_type": "native",
        "redirect_uris": [],
        "grant_types": [DEVICE_CODE, "refresh_token"],
        "scopes": SCOPES,
        "requests_per_minute": 60_000,
        "registered_at": utc_now(),
        **terms,
    }
    async with provider.database.transaction() as session:
        if await session.get(Client, client_id) is None:
            session.add(Client(**values))
    return client_id


async def register_terminal(provider: Provider) -> str:
    terms = {"name_zh": "便民服务终端", "name_en": "Village terminal", "application_type": "terminal"}
    return await register(provider, "village-terminal", first_party=True, **terms)


class Device:
    """A device without a keyboard: asks for codes, and asks again with them."""

    def __init__(self, provider: Provider, client_id: str, **also: str) -> None:
        self.provider = provider
        self.client_id = client_id
        self.also = also
        self.codes: dict[str, Any] = {}

    async def ask(self, **changed: str) -> httpx.Response:
        data = {"client_id": self.client_id, "scope": SCOPE, **self.also, **changed}
        return await self.provider.http.post("/oauth2/device_authorization", data=data)

    async def begin(self, **changed: str) -> dict[str, Any]:
        answer = await self.ask(**changed)
        assert answer.status_code == 200, answer.text
        self.codes = answer.json()
        return self.codes

    async def poll(self, **changed: str) -> httpx.Response:
        data = {"grant_type": DEVICE_CODE, "client_id": self.client_id, "device_code": self.codes["device_code"]}
        return await self.provider.http.post("/oauth2/token", data={**data, **changed})

    async def refresh(self, tokens: Tokens) -> httpx.Response:
        data = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": tokens.refresh}
        return await self.provider.http.post("/oauth2/token", data=data)

    async def pass_time(self, **changed: Any) -> None:
        """Change the row of the device's code, as time would."""
        mine = DeviceCode.code_hash == hash_of(self.codes["device_code"])
        async with self.provider.database.transaction() as session:
            await session.execute(update(DeviceCode).where(mine).values(**changed))

    async def tokens_for(self, phone: "Phone") -> Tokens:
        """Let somebody sign in on the device with their phone."""
        await self.begin()
        assert "Agreed" in (await phone.decide(self.codes["user_code"])).text
        return tokens_of(await self.poll())


class Phone:
    """A person's own browser."""

    def __init__(self, provider: Provider, username: str) -> None:
        self.username = username
        self.browser: FrontEnd = provider.front_end()
        self.http = self.browser.http

    async def page(self, **parameters: str) -> httpx.Response:
        """Open the page for devices, signing in first where that is asked for."""
        answer = await self.http.get("/oauth2/device", params=parameters, follow_redirects=True)
        if answer.url.path == "/sign-in":
            signed_in = await self.browser.submit(answer, username=self.username, password=PASSWORD)
            assert signed_in.status_code == 303, signed_in.text
            answer = await self.http.get(signed_in.headers["location"])
        return answer

    async def type(self, user_code: str) -> httpx.Response:
        return await self.browser.submit(await self.page(), user_code=user_code)

    async def decide(self, user_code: str, decision: str = "approve") -> httpx.Response:
        confirm = await self.type(user_code)
        assert confirm.status_code == 200, confirm.text
        return await self.browser.submit(confirm, decision=decision)
