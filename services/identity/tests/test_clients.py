"""Registering clients: proposed by one, reviewed by another, and only then good for tokens."""

import secrets
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import text

import orgtree
from contracts import Envelope
from identity.assistance.exchange import GRANT_TYPE as FOR_HELPERS
from identity.clients.rules import SETS_OF_GRANTS, ClientUnusable, require_usable
from identity.clients.schemas import ClientTerms

from .front_end import Tokens
from .provider import Provider
from .system_clients import SERVICE, WEB, registered, strongly_signed_in


async def staff(provider: Provider, role: str) -> Tokens:
    _, username = await provider.open_person((role, orgtree.ROOT_ID))
    return await strongly_signed_in(provider, username)


def named(template: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {**template, "client_id": f"app-{secrets.token_hex(6)}", **changed}


async def told(provider: Provider, client_id: str) -> list[dict[str, Any]]:
    """Read what was told of a client's quota, in order."""
    query = "select payload from outbox where type like '%client.quota_set.v1' order by epoch, id"
    async with provider.database.read() as session:
        payloads = (await session.scalars(text(query))).all()
    events = [Envelope.model_validate_json(payload) for payload in payloads]
    mine = [each for each in events if each.data["client_id"] == client_id]
    return [{"version": each.aggregateversion, **each.data} for each in mine]


async def test_a_client_gets_tokens_only_after_a_second_person_approved_it(provider: Provider) -> None:
    proposer, reviewer = await staff(provider, "system_administrator"), await staff(provider, "security_administrator")
    body = named(SERVICE)
    proposed = await provider.http.post("/v1/clients", json=body, headers=proposer.headers)
    assert proposed.status_code == 201, proposed.text
    assert proposed.headers["location"] == f"/v1/clients/{body['client_id']}"
    client = proposed.json()
    assert (client["status"], client["proposal"]["terms"]["name_en"]) == ("proposed", "County platform")
    early = await provider.http.post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, auth=(body["client_id"], "x")
    )
    assert (early.status_code, early.json()["error"]) == (401, "invalid_client")

    path, decision = f"/v1/clients/{body['client_id']}", {"proposal_id": client["proposal"]["proposal_id"]}
    by_proposer = await provider.http.post(f"{path}/approval", json=decision, headers=proposer.headers)
    assert (by_proposer.status_code, by_proposer.json()["type"]) == (403, "/problems/permission_missing")
    approved = await provider.http.post(f"{path}/approval", json=decision, headers=reviewer.headers)
    assert approved.status_code == 200, approved.text
    secret = approved.json()["client_secret"]
    assert approved.json()["status"] == "active"
    again = await provider.http.post(f"{path}/approval", json=decision, headers=reviewer.headers)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/proposal_not_pending")

    token = await provider.http.post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, auth=(body["client_id"], secret)
    )
    assert token.status_code == 200
    shown = (await provider.http.get(path, headers=proposer.headers)).json()
    assert shown["proposal"] is None
    assert "client_secret" not in shown
    [quota] = await told(provider, body["client_id"])
    assert (quota["version"], quota["requests_per_minute"], quota["status"]) == (1, 600, "active")
    async with provider.database.read() as session:
        dump = await session.scalar(text("select string_agg(client::text, '') from client"))
        assert secret not in str(dump)


async def test_nobody_reviews_what_they_proposed_whatever_roles_they_hold(provider: Provider) -> None:
    proposer = await staff(provider, "system_administrator")
    body = named(WEB)
    await provider.http.post("/v1/clients", json=body, headers=proposer.headers)
    async with provider.database.transaction() as session:
        query = "update client_proposal set proposed_by = :person where client_id = :client returning proposal_id"
        person_id, username = await provider.open_person(("security_administrator", orgtree.ROOT_ID))
        proposal_id = await session.scalar(text(query), {"person": person_id, "client": body["client_id"]})
    both = await strongly_signed_in(provider, username)
    for decision in ("approval", "refusal"):
        refused = await provider.http.post(
            f"/v1/clients/{body['client_id']}/{decision}", json={"proposal_id": str(proposal_id)}, headers=both.headers
        )
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/four_eyes")


async def test_a_change_holds_only_after_its_review_and_one_proposal_replaces_another(provider: Provider) -> None:
    client = await registered(provider, WEB)
    proposer, reviewer = await staff(provider, "system_administrator"), await staff(provider, "security_administrator")
    path = f"/v1/clients/{client.client_id}"
    first, second = ({**WEB, "redirect_uris": [f"https://bulletin.example/{number}"]} for number in (1, 2))
    older = await provider.http.post(f"{path}/changes", json=first, headers=proposer.headers)
    newer = await provider.http.post(f"{path}/changes", json=second, headers=proposer.headers)
    assert (older.status_code, newer.status_code) == (202, 202)
    assert newer.json()["redirect_uris"] == WEB["redirect_uris"]  # what is in force stays
    stale = {"proposal_id": older.json()["proposal"]["proposal_id"]}
    replaced = await provider.http.post(f"{path}/approval", json=stale, headers=reviewer.headers)
    assert (replaced.status_code, replaced.json()["type"]) == (409, "/problems/proposal_not_pending")
    decision = {"proposal_id": newer.json()["proposal"]["proposal_id"]}
    approved = await provider.http.post(f"{path}/approval", json=decision, headers=reviewer.headers)
    assert (approved.json()["redirect_uris"], approved.json()["client_secret"]) == (second["redirect_uris"], None)
    assert [(each["version"], each["origins"]) for each in await told(provider, client.client_id)] == [
        (1, [WEB["redirect_uris"][0].rpartition("/")[0]]),
        (2, ["https://bulletin.example"]),
    ]


async def test_a_refused_client_stays_without_tokens(provider: Provider) -> None:
    proposer, reviewer = await staff(provider, "system_administrator"), await staff(provider, "security_administrator")
    body = named(WEB)
    proposed = (await provider.http.post("/v1/clients", json=body, headers=proposer.headers)).json()
    refused = await provider.http.post(
        f"/v1/clients/{body['client_id']}/refusal",
        json={"proposal_id": proposed["proposal"]["proposal_id"]},
        headers=reviewer.headers,
    )
    assert (refused.status_code, refused.json()["status"]) == (200, "refused")
    assert await told(provider, body["client_id"]) == []
    listed = await provider.http.get("/v1/clients", params={"status": "refused"}, headers=reviewer.headers)
    assert body["client_id"] in [each["client_id"] for each in listed.json()["items"]]


async def test_a_suspended_client_gets_no_token_until_it_is_resumed(provider: Provider) -> None:
    client, reviewer = await registered(provider), await staff(provider, "security_administrator")
    path = f"/v1/clients/{client.client_id}"
    suspended = await provider.http.post(f"{path}/suspension", headers=reviewer.headers)
    assert suspended.json()["status"] == "suspended"
    refused = await client.ask("/oauth2/token", grant_type="client_credentials")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    await provider.http.post(f"{path}/resumption", headers=reviewer.headers)
    assert await client.token()
    assert [each["status"] for each in await told(provider, client.client_id)] == ["active", "suspended", "active"]


async def test_a_rotated_secret_ends_the_old_one(provider: Provider) -> None:
    client, keeper = await registered(provider), await staff(provider, "security_administrator")
    rotated = await provider.http.post(f"/v1/clients/{client.client_id}/secret-rotations", headers=keeper.headers)
    assert rotated.status_code == 201, rotated.text
    assert (await client.ask("/oauth2/token", grant_type="client_credentials")).status_code == 401
    assert await client._replace(secret=rotated.json()["client_secret"]).token()
    public = await registered(provider, WEB)
    none = await provider.http.post(f"/v1/clients/{public.client_id}/secret-rotations", headers=keeper.headers)
    assert (none.status_code, none.json()["type"]) == (409, "/problems/client_has_no_secret")


async def test_nobody_rotates_the_secret_of_a_client_they_proposed(provider: Provider) -> None:
    client, proposer = await registered(provider), await staff(provider, "system_administrator")
    path = f"/v1/clients/{client.client_id}/secret-rotations"
    refused = await provider.http.post(path, headers=proposer.headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/permission_missing")
    person_id, username = await provider.open_person(("security_administrator", orgtree.ROOT_ID))
    async with provider.database.transaction() as session:
        query = "update client_proposal set proposed_by = :person where client_id = :client"
        await session.execute(text(query), {"person": person_id, "client": client.client_id})
    both = await strongly_signed_in(provider, username)
    refused = await provider.http.post(path, headers=both.headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/four_eyes")
    assert await client.token()


@pytest.mark.parametrize("decision", ["approval", "refusal", "suspension", "resumption", "secret-rotations"])
async def test_deciding_on_a_client_takes_a_second_factor(provider: Provider, decision: str) -> None:
    client = await registered(provider)
    _, username = await provider.open_person(("security_administrator", orgtree.ROOT_ID))
    weak = await provider.front_end().tokens(username)
    body = {"proposal_id": "01930000-0000-7000-8000-000000000001"}
    refused = await provider.http.post(f"/v1/clients/{client.client_id}/{decision}", json=body, headers=weak.headers)
    assert (refused.status_code, refused.json()["type"]) == (401, "/problems/step_up_required")


async def test_what_comes_with_the_system_is_not_suspended(provider: Provider) -> None:
    reviewer = await staff(provider, "security_administrator")
    refused = await provider.http.post("/v1/clients/command-line/suspension", headers=reviewer.headers)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/client_built_in")


async def test_clients_are_the_business_of_those_who_may_on_the_whole_system(provider: Provider) -> None:
    county = await provider.establish()
    _, username = await provider.open_person(("system_administrator", county))
    below, (_, member) = await strongly_signed_in(provider, username), await provider.signed_in()
    for tokens in (below, member):
        refused = await provider.http.post("/v1/clients", json=named(WEB), headers=tokens.headers)
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/permission_missing")
        assert (await provider.http.get("/v1/clients", headers=tokens.headers)).status_code == 403


async def test_ids_are_taken_once_and_what_comes_with_the_system_stays(provider: Provider) -> None:
    proposer = await staff(provider, "system_administrator")
    taken = await provider.http.post("/v1/clients", json={**WEB, "client_id": "docs"}, headers=proposer.headers)
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/client_exists")
    built_in = await provider.http.post("/v1/clients/docs/changes", json=WEB, headers=proposer.headers)
    assert (built_in.status_code, built_in.json()["type"]) == (409, "/problems/client_built_in")
    made_up = await provider.http.post("/v1/clients", json=WEB, headers=proposer.headers)
    assert made_up.json()["client_id"].startswith("client-")


async def test_the_list_has_pages(provider: Provider) -> None:
    reader = await staff(provider, "security_administrator")
    for _ in range(2):
        await registered(provider)
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await provider.http.get("/v1/clients", params={"limit": "2", **cursor}, headers=reader.headers)).json()
        found += [each["client_id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == sorted(set(found))
    assert {"docs", "command-line"} <= set(found)


@pytest.mark.parametrize(
    "address",
    [
        "http://bulletin.example/callback",
        "https://bulletin.example/call*",
        "https://*.example/callback",
        "https://bulletin.example/callback#part",
        "https://bulletin.example/callback#",
        "https://user@bulletin.example/callback",
        "https://bulletin.example/a/../callback",
        "https://bulletin.example/%2e%2e/callback",
        "https://bulletin.example\\callback",
        "https://Bulletin.example/callback",
        "https:///callback",
        "https://bulletin.example:99999/callback",
        "javascript:alert(1)",
        "bulletin:/callback",
        "http://127.0.0.1/callback",
        "https://bulletin.example/回调",
        "https://bulletin.example/ callback",
        "",
    ],
)
def test_an_address_that_could_lead_elsewhere_is_refused(address: str) -> None:
    with pytest.raises(ClientUnusable) as refused:
        usable(WEB, redirect_uris=[address])
    assert refused.value.field == "redirect_uris"
    with pytest.raises(ClientUnusable):
        usable(WEB, post_logout_redirect_uris=[address])


def usable(template: dict[str, Any], **changed: Any) -> None:
    names = ("name_zh", "name_en", "requests_per_minute")
    values = {"redirect_uris": [], "post_logout_redirect_uris": [], "jwks": None, **template, **changed}
    require_usable(**{name: value for name, value in values.items() if name not in names})


NATIVE = {**WEB, "application_type": "native"}
TERMINAL = {
    **SERVICE,
    "application_type": "terminal",
    "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
    "scopes": ["openid"],
    "token_endpoint_auth_method": "none",
}


@pytest.mark.parametrize(
    ("template", "changed"),
    [
        (WEB, {}),
        (WEB, {"token_endpoint_auth_method": "client_secret_post"}),
        (WEB, {"scopes": ["openid", "members.read", "feedback.write"]}),
        (WEB, {"redirect_uris": ["https://bulletin.example/a?b=c", "https://b.example:8443/"]}),
        (NATIVE, {"redirect_uris": ["http://127.0.0.1/callback", "http://[::1]:4000/x"]}),
        (SERVICE, {"scopes": ["introspect", "members.read"]}),
        (TERMINAL, {}),
    ],
)
def test_good_terms_are_taken(template: dict[str, Any], changed: dict[str, Any]) -> None:
    usable(template, **changed)


def key(made: Any, **changed: Any) -> dict[str, Any]:
    return {"keys": [{**made.as_dict(private=False), "kid": "k1", **changed}]}


@pytest.mark.parametrize(
    ("template", "changed", "field"),
    [
        (WEB, {"grant_types": ["client_credentials"]}, "grant_types"),
        (WEB, {"redirect_uris": []}, "redirect_uris"),
        (WEB, {"scopes": ["introspect"]}, "scopes"),
        (WEB, {"scopes": []}, "scopes"),
        (NATIVE, {"scopes": [], "redirect_uris": ["http://127.0.0.1/callback"]}, "scopes"),
        (TERMINAL, {"scopes": []}, "scopes"),
        (NATIVE, {"token_endpoint_auth_method": "client_secret_basic"}, "token_endpoint_auth_method"),
        (SERVICE, {"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
        (SERVICE, {"grant_types": ["authorization_code"]}, "grant_types"),
        (SERVICE, {"grant_types": ["client_credentials", FOR_HELPERS]}, "grant_types"),
        (WEB, {"grant_types": [FOR_HELPERS]}, "grant_types"),
        (WEB, {"grant_types": [*WEB["grant_types"], FOR_HELPERS]}, "grant_types"),
        (SERVICE, {"redirect_uris": ["https://a.example/"]}, "redirect_uris"),
        (SERVICE, {"scopes": ["openid"]}, "scopes"),
        (SERVICE, {"token_endpoint_auth_method": "private_key_jwt"}, "jwks"),
        (SERVICE, {"jwks": {"keys": []}}, "jwks"),
    ],
)
def test_what_does_not_go_together_is_refused(template: dict[str, Any], changed: dict[str, Any], field: str) -> None:
    with pytest.raises(ClientUnusable) as refused:
        usable(template, **changed)
    assert refused.value.field == field


async def test_a_set_of_grants_that_there_is_not_is_refused_with_those_that_there_are(provider: Provider) -> None:
    proposer = await staff(provider, "system_administrator")
    kinds = ClientTerms.model_json_schema()["properties"]["application_type"]["enum"]
    assert SETS_OF_GRANTS.keys() == set(kinds)
    for kind in kinds:
        body = named(WEB, application_type=kind, grant_types=["authorization_code", "client_credentials"])
        refused = await provider.http.post("/v1/clients", json=body, headers=proposer.headers)
        problem = refused.json()
        assert (refused.status_code, problem["type"], problem["field"]) == (
            422,
            "/problems/grants_unusable",
            "grant_types",
        )
        assert [frozenset(each) for each in problem["allowed"]] == list(SETS_OF_GRANTS[kind])
    misspelt = await provider.http.post("/v1/clients", json=named(WEB, scopes=["home.read"]), headers=proposer.headers)
    assert "gateway.read" in misspelt.json()["errors"][0]["message"]


def test_keys_are_strong_enough_and_told_apart() -> None:
    good, rsa = ECKey.generate_key("P-256"), RSAKey.generate_key(2048)
    by_key = {"token_endpoint_auth_method": "private_key_jwt"}
    usable(SERVICE, **by_key, jwks=key(good))
    usable(SERVICE, **by_key, jwks=key(rsa, alg="PS256"))
    twice = {"keys": key(good)["keys"] + key(rsa)["keys"]}
    weak = {"keys": [{"kty": "RSA", "kid": "k1", "e": "AQAB", "n": secrets.token_urlsafe(128)}]}
    for bad in (key(ECKey.generate_key("P-384")), weak, key(good, alg="RS256"), twice):
        with pytest.raises(ClientUnusable):
            usable(SERVICE, **by_key, jwks=bad)


async def test_a_private_key_is_never_taken(provider: Provider) -> None:
    proposer = await staff(provider, "system_administrator")
    private = {**ECKey.generate_key("P-256").as_dict(private=True), "kid": "k1"}
    body = named(SERVICE, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [private]})
    refused = await provider.http.post("/v1/clients", json=body, headers=proposer.headers)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/invalid")
    assert str(private["d"]) not in refused.text


async def test_a_client_has_a_version_and_is_changed_on_no_other(provider: Provider) -> None:
    proposer, reviewer = await staff(provider, "system_administrator"), await staff(provider, "security_administrator")
    body = named(WEB)
    made = await provider.http.post("/v1/clients", json=body, headers=proposer.headers)
    path, terms = f"/v1/clients/{body['client_id']}", {key: body[key] for key in body if key != "client_id"}

    async def tried(who: Tokens, what: str, content: object, expected: str) -> httpx.Response:
        headers = {**who.headers, "If-Match": expected}
        return await provider.http.post(f"{path}/{what}", json=content, headers=headers)

    present = made
    for who, what in (
        (proposer, "changes"),
        (reviewer, "refusal"),
        (proposer, "changes"),
        (reviewer, "approval"),
        (reviewer, "suspension"),
        (reviewer, "resumption"),
    ):
        decided = {"proposal_id": (present.json()["proposal"] or {}).get("proposal_id")}
        content = {"changes": terms, "refusal": decided, "approval": decided}.get(what)
        version = present.json()["version"]
        assert present.headers["etag"] == f'"{version}"'
        for past in (f'"{version - 1}"', f'W/"{version}"'):
            stale = await tried(who, what, content, past)
            assert (stale.status_code, stale.json()["type"]) == (412, "/problems/version_past"), what
            assert (stale.json()["version"], stale.headers["etag"]) == (version, f'"{version}"')
        present = await tried(who, what, content, f'"{version}"')
        assert (present.is_success, present.json()["version"]) == (True, version + 1), present.text
        shown = await provider.http.get(path, headers=proposer.headers)
        assert shown.headers["etag"] == present.headers["etag"], what
    stale = await tried(reviewer, "secret-rotations", None, '"1"')
    assert stale.status_code in {401, 412}, "before it is looked at, the reviewer has to have signed in lately"
