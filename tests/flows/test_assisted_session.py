"""A helper acts for a member before a witness, over the whole system: both names stand on all that is done."""

import base64
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from tests.flows.conftest import System
from tests.flows.people import Person, within

pytestmark = pytest.mark.xdist_group("system")  # on one worker: they share one running system

TICKET = "urn:xiangqiao:params:oauth:token-type:assist-ticket"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ACTIONS = ["feedback.open_case", "gateway.read_home", "learning.study", "members.read_profile"]
FELT_SECONDS = 5.0


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


async def test_a_helper_acts_for_a_member_until_the_member_ends_it(system: System) -> None:
    async with (
        system.person("secretary.demo") as secretary,
        system.person("officer.demo") as officer,
        system.person("member.demo") as member,
    ):
        assist_id = await agreed(system, secretary, officer)
        helping = await exchanged(system, secretary, assist_id)
        async with helping.http:
            me = system.person_id("member.demo")
            assert (helping.claims["sub"], helping.claims["act"]["sub"]) == (me, system.person_id("secretary.demo"))
            assert helping.claims["roles"] == []
            assert helping.claims["exp"] - helping.claims["iat"] <= 1800
            assert (await helping.status("GET", "/v1/home"))[0] == 200
            masked = (await helping.http.get("/v1/members/me")).json()
            assert "*" in masked["name"]

            case_id = str(uuid4())
            case = {
                "case_id": case_id,
                "category": "roads",
                "organisation_id": str(system.seeded.branch_id),
                "text": "水渠堵了",
            }
            assert (await helping.status("POST", "/v1/cases", case))[0] == 201
            seen = await member.get(f"/v1/cases/{case_id}")
            assert seen["entries"][0]["actor_id"] == system.person_id("secretary.demo")

            for method, path in (
                ("GET", "/v1/me"),
                ("POST", "/v1/me/exports"),
                ("POST", "/v1/me/erasure"),
                ("GET", "/v1/me/consents"),
                ("GET", "/v1/role-assignments"),
                ("GET", "/oauth2/userinfo"),
                ("GET", f"/v1/members/{me}"),
                ("POST", f"/v1/activities/{uuid4()}/registrations"),  # assistable, but not agreed to
            ):
                assert await helping.status(method, path) == (403, "not_assistable"), path

            shown = (await member.get("/v1/me/assisted-sessions"))["items"][0]
            assert (shown["assist_id"], shown["status"], shown["actions"]) == (assist_id, "active", ACTIONS)
            assert shown["organisation_name"]
            await member.post(f"/v1/assisted-sessions/{assist_id}/end", status=200)

            async def refused_everywhere() -> bool:
                paths = ("/v1/home", "/v1/members/me", f"/v1/courses/{uuid4()}")
                return all([(await helping.status("GET", path))[0] == 401 for path in paths])

            await within(FELT_SECONDS, refused_everywhere)
            shown = (await member.get("/v1/me/assisted-sessions"))["items"][0]
            assert shown["status"] == "ended"
