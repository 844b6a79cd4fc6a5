"""Opening accounts: who may, for whom, and under which name."""

import json

import httpx
import pytest
from sqlalchemy import select

import orgtree
from contracts.members import MemberAffiliatedV1
from database import new_id
from identity.accounts.tables import Account, Credential
from messaging import Publication

from .provider import Provider


def body_of(**changed: object) -> dict[str, object]:
    suffix = new_id().hex[-10:]
    return {
        "organisation_id": str(orgtree.ROOT_ID),
        "username": f"new.{suffix}",
        "password": "a first password",
        **changed,
    }


async def test_an_account_is_opened_and_its_owner_signs_in(provider: Provider) -> None:
    administrator, tokens = await provider.signed_in(("system_administrator", orgtree.ROOT_ID))
    person_id, body = new_id(), body_of()
    opened = await provider.http.post(
        "/v1/accounts", json={**body, "person_id": str(person_id)}, headers=tokens.headers
    )
    assert opened.status_code == 201, opened.text
    answer = opened.json()
    assert answer["person_id"] == str(person_id)
    assert answer["username"] == body["username"]
    assert "password" not in opened.text
    await provider.prove(person_id)
    theirs = await provider.front_end().first_tokens(str(body["username"]), "a first password")
    me = await provider.http.get("/v1/me", headers=theirs.headers)
    assert me.json() == {"person_id": str(person_id), "username": body["username"], "roles": []}
    async with provider.database.read() as session:
        opened_by = await session.scalar(select(Account.opened_by).where(Account.account_id == person_id))
        secret = await session.scalar(select(Credential.secret).where(Credential.account_id == person_id))
    assert opened_by == administrator
    assert secret is not None
    assert secret.startswith("$argon2id$")


async def test_a_repeated_request_opens_one_account(provider: Provider) -> None:
    _, tokens = await provider.signed_in(("system_administrator", orgtree.ROOT_ID))
    body, headers = body_of(), {**tokens.headers, "Idempotency-Key": new_id().hex}
    first = await provider.http.post("/v1/accounts", json=body, headers=headers)
    again = await provider.http.post("/v1/accounts", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


async def test_opening_takes_the_permission_on_the_organisation(provider: Provider) -> None:
    county, sibling = await provider.establish(), await provider.establish()
    _, officer = await provider.signed_in(("officer", county))
    _, administrator = await provider.signed_in(("system_administrator", county))
    body = body_of(organisation_id=str(county))
    unauthenticated = await provider.http.post("/v1/accounts", json=body)
    assert unauthenticated.status_code == 401
    forbidden = await provider.http.post("/v1/accounts", json=body, headers=officer.headers)
    assert (forbidden.status_code, forbidden.json()["type"]) == (403, "/problems/permission_missing")
    for outside in (sibling, orgtree.ROOT_ID, new_id()):
        elsewhere = body_of(organisation_id=str(outside))
        refused = await provider.http.post("/v1/accounts", json=elsewhere, headers=administrator.headers)
        assert refused.status_code == 404
    assert (await provider.http.post("/v1/accounts", json=body, headers=administrator.headers)).status_code == 201


async def test_nobody_takes_the_place_of_a_member_outside_their_remit(provider: Provider) -> None:
    county, sibling = await provider.establish(), await provider.establish()
    _, administrator = await provider.signed_in(("system_administrator", county))
    stranger, neighbour = new_id(), new_id()
    events = [
        MemberAffiliatedV1(person_id=stranger, organisation_id=sibling),
        MemberAffiliatedV1(person_id=neighbour, organisation_id=county),
    ]
    async with provider.database.transaction() as session:
        await orgtree.HANDLERS[MemberAffiliatedV1](session, [Publication(event, 1) for event in events])

    async def open_for(person_id: object) -> httpx.Response:
        body = body_of(organisation_id=str(county), person_id=str(person_id))
        return await provider.http.post("/v1/accounts", json=body, headers=administrator.headers)

    assert (await open_for(stranger)).status_code == 404
    assert (await open_for(neighbour)).status_code == 201


async def test_a_person_has_one_account_and_a_name_one_owner(provider: Provider) -> None:
    _, tokens = await provider.signed_in(("system_administrator", orgtree.ROOT_ID))
    person_id, username = await provider.open_person()
    same_person = await provider.http.post(
        "/v1/accounts", json=body_of(person_id=str(person_id)), headers=tokens.headers
    )
    assert (same_person.status_code, same_person.json()["type"]) == (409, "/problems/account_exists")
    same_name = await provider.http.post(
        "/v1/accounts", json=body_of(username=username.upper()), headers=tokens.headers
    )
    assert (same_name.status_code, same_name.json()["type"]) == (409, "/problems/username_taken")


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        ({"username": "has space"}, "username_unusable"),
        ({"username": "ends."}, "username_unusable"),
        ({"username": "nul\0name"}, "username_unusable"),
        ({"username": "ab"}, "invalid"),
        ({"password": "short"}, "invalid"),
        ({"username": "same.as.password", "password": "Same.As.Password"}, "password_unusable"),
        ({"status": "active"}, "invalid"),
        ({"roles": []}, "invalid"),
    ],
)
async def test_what_cannot_be_used_is_refused_without_repeating_it(
    provider: Provider, spoilt: dict[str, object], code: str
) -> None:
    _, tokens = await provider.signed_in(("system_administrator", orgtree.ROOT_ID))
    body = body_of(**{"password": "secret-of-nobody", **spoilt})
    refused = await provider.http.post("/v1/accounts", json=body, headers=tokens.headers)
    assert (refused.status_code, refused.json()["type"]) == (422, f"/problems/{code}")
    assert json.dumps(body["password"]) not in refused.text


async def test_i_see_the_roles_i_hold_today(provider: Provider) -> None:
    county = await provider.establish()
    person_id, tokens = await provider.signed_in(("officer", county), ("officer", county), ("registrar", county))
    me = (await provider.http.get("/v1/me", headers=tokens.headers)).json()
    assert me["person_id"] == str(person_id)
    held = [(role["role"], role["organisation_id"]) for role in me["roles"]]
    assert held == [("officer", str(county)), ("registrar", str(county))]
    assert (await provider.http.get("/v1/me")).status_code == 401
