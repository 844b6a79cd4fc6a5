"""Every operation asks the token for its scope, and a client of others stays within what a person let it have."""

import base64
from collections.abc import Iterator
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from contracts.scopes import API_SCOPES, READING_SCOPES, SERVICES
from standalone.services import NAMES
from testkit.tokens import TokenIssuer
from tests.flows.conftest import DEMO_PASSWORD, URL, System
from tests.flows.test_assisted_doors import application_of, operations_of
from tests.flows.ways_in import agree_to_client, registered

EVERY = frozenset({"openid", "profile", *API_SCOPES})
BY_NAME = {
    ("get", "/oauth2/userinfo"): {"openid"},
    ("post", "/v1/me/exports"): {"gateway.write", "identity.write", *READING_SCOPES},
    ("get", "/v1/me/exports/{export_id}"): {*READING_SCOPES},
    ("get", "/v1/me/exports/{export_id}/file"): {*READING_SCOPES},
    ("get", "/v1/me/export"): {*READING_SCOPES},
    ("get", "/v1/me/access-log"): {*READING_SCOPES},
}
"""Where OAuth names the scope, and where one service asks the others with the person's own token."""


def test_the_scopes_are_those_of_the_services_there_are() -> None:
    assert SERVICES == NAMES


def expected(service: str, method: str, path: str) -> set[str]:
    return BY_NAME.get((method, path), {f"{service}.{'read' if method == 'get' else 'write'}"})


def tokens(issuer: TokenIssuer, person: UUID, demanded: set[str]) -> Iterator[tuple[dict[str, str], bool]]:
    """Give headers of tokens without one of what is demanded, and of one with that alone; and whether it lets in."""
    for missing in demanded:
        yield issuer.headers(person, scope=" ".join(EVERY - {missing})), False
    yield issuer.headers(person, scope=" ".join(demanded)), True


@pytest.mark.parametrize("service", NAMES)
async def test_every_operation_demands_its_scope_and_no_other(service: str, issuer: TokenIssuer) -> None:
    application, person = application_of(service, issuer), uuid4()  # its database is nowhere: nothing can be written
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    wrong: dict[tuple[str, str], str] = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        for method, path, operation in operations_of(application):
            demanded = expected(service, method, path)
            assert operation["security"] == [{"bearer": sorted(demanded)}], (method, path)
            concrete = "/".join(str(uuid4()) if part.startswith("{") else part for part in path.split("/"))
            for headers, enough in tokens(issuer, person, demanded):
                answer = await client.request(method.upper(), concrete, headers=headers)
                refused = answer.headers.get("www-authenticate", "").endswith(
                    f'error="insufficient_scope", scope="{" ".join(sorted(demanded))}"'
                )
                told = (answer.status_code, answer.json().get("type")) == (403, "/problems/scope_missing")
                if "token_invalid" in answer.text or {refused, told} != {not enough}:
                    wrong[method, path] = f"{answer.status_code} {answer.text[:160]}"
    await application.database.close()
    await application.authenticator.close()
    assert not wrong


@pytest.mark.skipif(URL is not None, reason="it registers a client, which a system in use keeps")
async def test_a_client_that_was_let_read_files_reads_the_own_one_and_nothing_else(system: System) -> None:
    async with system.person("administrator") as proposer, system.person("security") as reviewer:
        client = await registered(proposer, reviewer, scopes=["openid", "members.read"])
    wanted = "openid members.read members.write feedback.read everything"
    given = await agree_to_client(system.url, client["client_id"], "member.demo", DEMO_PASSWORD, scope=wanted)
    async with httpx.AsyncClient(base_url=system.url, trust_env=False, timeout=20) as http:
        answer = await http.post("/oauth2/token", data={**given, "client_id": client["client_id"]})
        content = answer.raise_for_status().json()
        assert content["scope"] == "openid members.read"
        payload = content["access_token"].split(".")[1]
        assert orjson.loads(base64.urlsafe_b64decode(payload + "=="))["scope"] == "openid members.read"

        http.headers["Authorization"] = f"Bearer {content['access_token']}"
        own = await http.get("/v1/members/me")
        assert (own.status_code, own.json()["person_id"]) == (200, system.person_id("member.demo"))
        case = {"category": "roads", "organisation_id": str(system.seeded.branch_id), "text": "村口的路坏了"}
        for method, path, body, scope in (
            ("POST", f"/v1/members/{own.json()['person_id']}/revisions", {}, "members.write"),
            ("GET", "/v1/cases", None, "feedback.read"),
            ("POST", "/v1/cases", case, "feedback.write"),
            ("GET", "/v1/courses", None, "learning.read"),
            ("GET", "/v1/activities", None, "activities.read"),
            ("GET", "/v1/home", None, "gateway.read"),
            ("GET", "/v1/me", None, "identity.read"),
        ):
            refused = await http.request(method, path, json=body)
            problem = refused.json()
            assert (refused.status_code, problem["type"], problem["scope"]) == (403, "/problems/scope_missing", scope)
            assert f'scope="{scope}"' in refused.headers["www-authenticate"]
    async with system.person("member.demo") as member:
        assert "村口的路坏了" not in str(await member.get("/v1/cases"))
