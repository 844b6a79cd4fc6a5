"""A helper acts for the member of the demonstration: asked, agreed to before a witness, and with the token for it."""

import base64
from typing import Any

import httpx
import orjson

from tests.flows.conftest import System
from tests.flows.people import Person

TICKET = "urn:xiangqiao:params:oauth:token-type:assist-ticket"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ACTIONS = ["feedback.open_case", "gateway.read_home", "learning.study", "members.read_profile"]


class Helping:
    """The helper's client, with the token that names both."""

    def __init__(self, url: str, token: str) -> None:
        self.http = httpx.AsyncClient(
            base_url=url, trust_env=False, timeout=20, headers={"Authorization": f"Bearer {token}"}
        )
        payload = token.split(".")[1]
        self.claims: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))

    async def status(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        answer = await self.http.request(method, path, json=body)
        problem = answer.headers.get("content-type", "").startswith("application/problem")
        return answer.status_code, answer.json()["type"].removeprefix("/problems/") if problem else ""


async def agreed(system: System, helper: Person, witness: Person) -> str:
    """Ask to help the member, and have it witnessed."""
    asked = await helper.post(
        "/v1/assisted-sessions",
        {
            "subject_id": system.person_id("member.demo"),
            "organisation_id": str(system.seeded.branch_id),
            "actions": ACTIONS,
            "evidence": "witness",
        },
    )
    assist_id: str = asked["assist_id"]
    await witness.post(f"/v1/assisted-sessions/{assist_id}/witness", status=200)
    return assist_id


async def exchanged(system: System, helper: Person, assist_id: str) -> Helping:
    ticket = (await helper.post(f"/v1/assisted-sessions/{assist_id}/ticket", status=200))["ticket"]
    actor = await helper.token()
    async with httpx.AsyncClient(base_url=system.url, trust_env=False, timeout=20) as client:
        answer = await client.post(
            "/oauth2/token",
            data={
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "client_id": "command-line",
                "subject_token": ticket,
                "subject_token_type": TICKET,
                "actor_token": actor,
                "actor_token_type": ACCESS_TOKEN,
            },
        )
    assert answer.status_code == 200, answer.text
    return Helping(system.url, answer.json()["access_token"])
