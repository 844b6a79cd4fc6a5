"""A helper, a villager and a village: quick ways through an assisted session."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

import orgtree
from identity.assistance.exchange import ACCESS_TOKEN_TYPE, GRANT_TYPE, TICKET_TYPE

from .front_end import Tokens
from .granting import strongly_signed_in
from .phones import Phones
from .provider import Provider

ACTIONS = ["activities.register", "gateway.read_home"]


@dataclass
class Village:
    """Who has a part in an assisted session, each signed in."""

    provider: Provider
    phones: Phones
    organisation_id: UUID
    helper_id: UUID
    helper: Tokens
    villager_id: UUID
    villager: Tokens
    number: str

    async def ask(self, **changed: Any) -> httpx.Response:
        body = {
            "subject_id": str(self.villager_id),
            "organisation_id": str(self.organisation_id),
            "actions": ACTIONS,
            "evidence": "one_time_code",
            **changed,
        }
        return await self.provider.http.post("/v1/assisted-sessions", json=body, headers=self.helper.headers)

    async def post(self, path: str, tokens: Tokens, body: Any = None) -> httpx.Response:
        return await self.provider.http.post(f"/v1/assisted-sessions/{path}", json=body, headers=tokens.headers)

    async def code(self) -> str:
        last = (await self.phones.messages_to(self.number))[-1]
        assert last.template.startswith("assistance_code."), last.template
        return last.parameters[2]

    async def consented(self) -> str:
        """Ask, and agree by code; give the session's id."""
        asked = await self.ask()
        assert asked.status_code == 201, asked.text
        assist_id: str = asked.json()["assist_id"]
        agreed = await self.post(f"{assist_id}/code", self.helper, {"code": await self.code()})
        assert agreed.status_code == 200, agreed.text
        return assist_id

    async def ticket(self, assist_id: str) -> str:
        given = await self.post(f"{assist_id}/ticket", self.helper)
        assert given.status_code == 200, given.text
        return str(given.json()["ticket"])

    async def exchange(self, ticket: str, actor: str | None = None, **changed: str | None) -> httpx.Response:
        fields = {
            "grant_type": GRANT_TYPE,
            "client_id": "command-line",
            "subject_token": ticket,
            "subject_token_type": TICKET_TYPE,
            "actor_token": actor or self.helper.access,
            "actor_token_type": ACCESS_TOKEN_TYPE,
            **changed,
        }
        data = {name: value for name, value in fields.items() if value is not None}
        return await self.provider.http.post("/oauth2/token", data=data)


async def village(provider: Provider, phones: Phones) -> Village:
    """Sign in a helper of a new county and a villager with a phone."""
    organisation_id = await provider.establish()
    helper_id, helper = await strongly_signed_in(provider, ("helper", orgtree.ROOT_ID))
    villager_id, villager = await provider.signed_in()
    number = await phones.give(villager_id)
    return Village(provider, phones, organisation_id, helper_id, helper, villager_id, villager, number)
