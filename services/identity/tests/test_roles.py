"""Roles: granted within one's own remit and never beyond it, dated, ended, and told to every service."""

import asyncio
from datetime import timedelta

import pytest

import orgtree
from china_time import day_of
from database import new_id, utc_now
from identity.roles.rules import MOST_ROLES_HELD

from .front_end import Tokens
from .granting import delegate, end, events_of, grant, roles_in, strongly_signed_in
from .provider import Provider

TODAY = day_of(utc_now())


async def test_a_role_is_granted_within_ones_remit_and_told_to_every_service(provider: Provider) -> None:
    county = await provider.establish()
    township = await provider.establish(county)
    granter, tokens = await strongly_signed_in(provider, ("security_administrator", county))
    person_id, username = await provider.open_person()
    assignment_id = new_id()
    granted = await grant(
        provider, tokens, assignment_id=assignment_id, person_id=person_id, role="officer", organisation_id=township
    )
    assert granted.status_code == 201, granted.text
    assert granted.json()["granted_by"] == str(granter)
    assert granted.json()["valid_from"] == TODAY.isoformat()
    [event] = await events_of(provider, assignment_id)
    assert event["type"] == "xiangqiao.identity.role_assignment.granted.v1"
    assert (event["aggregateversion"], event["actor"]) == (1, str(granter))
    assert event["data"] == {
        "assignment_id": str(assignment_id),
        "person_id": str(person_id),
        "role": "officer",
        "organisation_id": str(township),
        "valid_from": TODAY.isoformat(),
        "valid_until": None,
    }
    assert roles_in(await provider.front_end().tokens(username)) == ["officer"]


async def test_nothing_is_granted_beyond_ones_remit(provider: Provider) -> None:
    county, sibling = await provider.establish(), await provider.establish()
    _, tokens = await strongly_signed_in(provider, ("security_administrator", county), ("registrar", sibling))
    person_id, _ = await provider.open_person()
    for outside in (sibling, orgtree.ROOT_ID, new_id()):
        refused = await grant(provider, tokens, person_id=person_id, role="officer", organisation_id=outside)
        assert (refused.status_code, refused.json()["type"]) == (404, "/problems/not_found")
    _, officer = await strongly_signed_in(provider, ("officer", county))
    forbidden = await grant(provider, officer, person_id=person_id, role="officer", organisation_id=county)
    assert forbidden.status_code == 403


async def test_what_cannot_be_granted_is_refused_with_its_reason(provider: Provider) -> None:
    granter, tokens = await strongly_signed_in(provider, ("security_administrator", orgtree.ROOT_ID))
    person_id, _ = await provider.open_person()
    good = {"person_id": person_id, "role": "officer", "organisation_id": orgtree.ROOT_ID}
    yesterday = TODAY - timedelta(days=1)
    taken = new_id()
    assert (await grant(provider, tokens, **good, assignment_id=taken)).status_code == 201
    for spoilt, status, code in (
        ({"role": "emperor"}, 422, "role_unknown"),
        ({"person_id": new_id()}, 422, "account_unknown"),
        ({"person_id": granter}, 403, "role_for_oneself"),
        ({"valid_until": yesterday}, 422, "days_out_of_order"),
        ({"valid_from": TODAY + timedelta(days=2), "valid_until": TODAY}, 422, "days_out_of_order"),
        ({"assignment_id": taken}, 409, "assignment_exists"),
        ({"granted_by": person_id}, 422, "invalid"),
        ({"status": "granted"}, 422, "invalid"),
        ({"decided_by": person_id}, 422, "invalid"),
    ):
        refused = await grant(provider, tokens, **{**good, **spoilt})
        assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{code}")


async def test_nobody_holds_more_roles_than_a_token_can_carry(provider: Provider) -> None:
    _, tokens = await strongly_signed_in(provider, ("security_administrator", orgtree.ROOT_ID))
    counties = [await provider.establish() for _ in range(MOST_ROLES_HELD)]
    person_id, username = await provider.open_person(*(("officer", county) for county in counties))
    one_more = {"person_id": person_id, "role": "officer", "organisation_id": orgtree.ROOT_ID}
    refused = await grant(provider, tokens, **one_more)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/too_many_roles")
    full = await provider.front_end().tokens(username)
    assert len((await provider.http.get("/v1/me", headers=full.headers)).json()["roles"]) == MOST_ROLES_HELD


async def test_a_role_is_in_the_token_on_the_days_it_holds(provider: Provider) -> None:
    _, tokens = await strongly_signed_in(provider, ("security_administrator", orgtree.ROOT_ID))
    person_id, username = await provider.open_person()
    good = {"person_id": person_id, "organisation_id": orgtree.ROOT_ID}
    await grant(provider, tokens, **good, role="officer", valid_from=TODAY, valid_until=TODAY)
    await grant(provider, tokens, **good, role="registrar", valid_from=TODAY + timedelta(days=1))
    assert roles_in(await provider.front_end().tokens(username)) == ["officer"]


async def test_an_ended_role_leaves_the_next_token_and_stays_on_record(provider: Provider) -> None:
    ender, tokens = await strongly_signed_in(provider, ("security_administrator", orgtree.ROOT_ID))
    person_id, username = await provider.open_person()
    good = {"person_id": person_id, "organisation_id": orgtree.ROOT_ID, "role": "officer"}
    assignment_id = (await grant(provider, tokens, **good)).json()["assignment_id"]
    client = provider.front_end()
    before = await client.tokens(username)
    ended = await end(provider, tokens, assignment_id)
    assert ended.status_code == 200
    assert ended.json()["ended_at"] is not None
    again = await end(provider, tokens, assignment_id)
    assert again.json() == ended.json()
    after = (await client.refresh(before.refresh)).json()
    assert roles_in(Tokens(after["access_token"], "", None)) == []
    granted, told = await events_of(provider, assignment_id)
    assert told["type"] == "xiangqiao.identity.role_assignment.ended.v1"
    assert (granted["aggregateversion"], told["aggregateversion"]) == (1, 2)
    assert (told["actor"], told["data"]["valid_until"]) == (str(ender), TODAY.isoformat())


async def test_two_who_end_a_role_at_once_end_it_once(provider: Provider) -> None:
    _, tokens = await strongly_signed_in(provider, ("security_administrator", orgtree.ROOT_ID))
    person_id, _ = await provider.open_person()
    granted = await grant(provider, tokens, person_id=person_id, organisation_id=orgtree.ROOT_ID, role="officer")
    assignment_id = granted.json()["assignment_id"]
    answers = await asyncio.gather(*(end(provider, tokens, assignment_id) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await events_of(provider, assignment_id)) == 2


async def test_an_assignment_outside_ones_remit_does_not_exist(provider: Provider) -> None:
    county, sibling = await provider.establish(), await provider.establish()
    _, ours = await strongly_signed_in(provider, ("security_administrator", county))
    _, theirs = await strongly_signed_in(provider, ("security_administrator", sibling))
    person_id, _ = await provider.open_person()
    made = await grant(provider, theirs, person_id=person_id, organisation_id=sibling, role="officer")
    assignment_id = made.json()["assignment_id"]
    assert (await end(provider, ours, assignment_id)).status_code == 404
    assert (await end(provider, ours, new_id())).status_code == 404
    listed = await provider.http.get("/v1/role-assignments", headers=ours.headers)
    assert assignment_id not in listed.text
    assert {item["organisation_id"] for item in listed.json()["items"]} == {str(county)}


async def test_assignments_are_listed_in_pages_and_everybody_sees_their_own(provider: Provider) -> None:
    county = await provider.establish()
    _, tokens = await strongly_signed_in(provider, ("security_administrator", county))
    person_id, username = await provider.open_person()
    made = [
        (await grant(provider, tokens, person_id=person_id, organisation_id=county, role=role)).json()["assignment_id"]
        for role in ("officer", "registrar", "branch_secretary")
    ]
    query = {"person_id": str(person_id), "limit": "2"}
    first = (await provider.http.get("/v1/role-assignments", params=query, headers=tokens.headers)).json()
    rest = {**query, "cursor": first["next_cursor"]}
    second = (await provider.http.get("/v1/role-assignments", params=rest, headers=tokens.headers)).json()
    assert [item["assignment_id"] for item in first["items"] + second["items"]] == made[::-1]
    assert second["next_cursor"] is None

    own = await provider.front_end().tokens(username)
    mine = await provider.http.get("/v1/role-assignments", params={"person_id": str(person_id)}, headers=own.headers)
    assert len(mine.json()["items"]) == 3
    for query in ({}, {"person_id": str(new_id())}):
        forbidden = await provider.http.get("/v1/role-assignments", params=query, headers=own.headers)
        assert forbidden.status_code == 403


async def test_roles_are_listed_with_what_they_permit(provider: Provider) -> None:
    _, tokens = await provider.signed_in()
    roles = (await provider.http.get("/v1/roles", headers=tokens.headers)).json()["items"]
    permissions = {role["role"]: role["permissions"] for role in roles}
    assert "identity.role.grant" in permissions["security_administrator"]
    assert "identity.role.grant" not in permissions["system_administrator"]
    assert "feedback.case.answer" in permissions["branch_secretary"]
    assert "members.file.read" not in permissions["registrar"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/roles"),
        ("GET", "/v1/me"),
        ("GET", "/v1/role-assignments"),
        ("POST", "/v1/role-assignments"),
        ("DELETE", "/v1/role-assignments/00000000-0000-7000-8000-000000000001"),
        ("POST", "/v1/role-assignments/00000000-0000-7000-8000-000000000001/approval"),
        ("POST", "/v1/role-assignments/00000000-0000-7000-8000-000000000001/refusal"),
        ("GET", "/v1/role-assignments/00000000-0000-7000-8000-000000000001/delegations"),
        ("POST", "/v1/role-assignments/00000000-0000-7000-8000-000000000001/delegations"),
        ("POST", "/v1/accounts"),
    ],
)
async def test_nothing_is_done_or_shown_without_a_token(provider: Provider, method: str, path: str) -> None:
    assert (await provider.http.request(method, path, json={} if method == "POST" else None)).status_code == 401


async def test_roles_come_and_go_and_are_delegated_by_two_factors(provider: Provider) -> None:
    _, weak = await provider.weakly_signed_in(("security_administrator", orgtree.ROOT_ID))
    _, strong = await strongly_signed_in(provider, ("security_administrator", orgtree.ROOT_ID))
    holder, username = await provider.open_person()
    deputy, _ = await provider.open_person()
    wanted = {"person_id": holder, "role": "officer", "organisation_id": orgtree.ROOT_ID}
    made = await grant(provider, strong, **wanted)
    assignment_id = made.json()["assignment_id"]
    theirs = await provider.front_end().tokens(username)
    for answer in (
        await grant(provider, weak, **wanted),
        await end(provider, weak, assignment_id),
        await delegate(provider, theirs, assignment_id, person_id=deputy),
    ):
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/step_up_required")
        assert 'acr_values="2"' in answer.headers["www-authenticate"]
    assert roles_in(await provider.front_end().tokens(username)) == ["officer"]
