"""Privileged roles take two people: one proposes, another approves, and neither is the one who is to hold it."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text, update

import orgtree
from china_time import day_of
from database import utc_now
from identity.roles.periods import end_over
from identity.roles.tables import RoleAssignment

from .front_end import Tokens
from .granting import decide, end, events_of, grant, roles_in, strongly_signed_in
from .provider import Provider

ROOT = orgtree.ROOT_ID
TODAY = day_of(utc_now())


async def proposed(provider: Provider, security: Tokens, role: str = "system_administrator") -> tuple[str, UUID, str]:
    """Propose a role for somebody new; gives the assignment, the person and their username."""
    person_id, username = await provider.open_person()
    made = await grant(provider, security, person_id=person_id, role=role, organisation_id=ROOT)
    assert (made.status_code, made.json()["status"]) == (201, "proposed"), made.text
    return made.json()["assignment_id"], person_id, username


async def test_a_privileged_role_holds_when_a_second_person_approves(provider: Provider) -> None:
    proposer, security = await strongly_signed_in(provider, ("security_administrator", ROOT))
    approver, administrator = await strongly_signed_in(provider, ("system_administrator", ROOT))
    assignment_id, person_id, username = await proposed(provider, security)
    assert roles_in(await provider.front_end().tokens(username)) == []
    assert await events_of(provider, assignment_id) == []

    approved = await decide(provider, administrator, assignment_id, "approval")
    assert approved.status_code == 200, approved.text
    body = approved.json()
    assert (body["status"], body["granted_by"], body["decided_by"]) == ("granted", str(proposer), str(approver))
    assert (await decide(provider, administrator, assignment_id, "approval")).json() == body
    [event] = await events_of(provider, assignment_id)
    assert (event["type"], event["actor"]) == ("xiangqiao.identity.role_assignment.granted.v1", str(approver))
    assert roles_in(await provider.front_end().tokens(username)) == ["system_administrator"]
    changed = [each["type"] for each in await events_of(provider, person_id)]
    assert changed == ["xiangqiao.identity.account.authorization_changed.v1"]
    async with provider.database.read() as session:
        recorded = text("select action, actor, actor_role from audit.entry where object_id = :of order by happened_at")
        assert (await session.execute(recorded, {"of": UUID(assignment_id)})).all() == [
            ("identity.role.proposed", proposer, "security_administrator"),
            ("identity.role.approved", approver, "system_administrator"),
        ]


async def test_neither_the_proposer_nor_the_future_holder_decides(provider: Provider) -> None:
    _, security = await strongly_signed_in(provider, ("security_administrator", ROOT))
    holder, administrator = await strongly_signed_in(provider, ("system_administrator", ROOT))
    assignment_id, *_ = await proposed(provider, security)
    of_holder = await grant(provider, security, person_id=holder, role="system_administrator", organisation_id=ROOT)
    for tokens, assignment in ((security, assignment_id), (administrator, of_holder.json()["assignment_id"])):
        for word in ("approval", "refusal"):
            refused = await decide(provider, tokens, assignment, word)
            assert (refused.status_code, refused.json()["type"]) == (403, "/problems/second_person_needed")


async def test_proposing_and_approving_take_a_second_factor(provider: Provider) -> None:
    _, security = await strongly_signed_in(provider, ("security_administrator", ROOT))
    _, weak_security = await provider.weakly_signed_in(("security_administrator", ROOT))
    _, weak = await provider.weakly_signed_in(("system_administrator", ROOT))
    assignment_id, person_id, _ = await proposed(provider, security)
    wanted = {"person_id": person_id, "role": "audit_administrator", "organisation_id": ROOT}
    for refused in (
        await grant(provider, weak_security, **wanted),
        await decide(provider, weak, assignment_id, "approval"),
    ):
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/step_up_required")
        assert 'acr_values="2"' in refused.headers["www-authenticate"]
    listed = await provider.http.get(f"/v1/role-assignments?person_id={person_id}", headers=security.headers)
    assert [each["role"] for each in listed.json()["items"]] == ["system_administrator"]


async def test_what_is_refused_withdrawn_or_lapsed_never_holds(provider: Provider) -> None:
    _, security = await strongly_signed_in(provider, ("security_administrator", ROOT))
    _, administrator = await strongly_signed_in(provider, ("system_administrator", ROOT))
    refused, withdrawn, lapsed = [(await proposed(provider, security))[0] for _ in range(3)]
    assert (await decide(provider, administrator, refused, "refusal")).json()["status"] == "refused"
    assert (await end(provider, security, withdrawn)).json()["status"] == "withdrawn"
    async with provider.database.transaction() as session:
        await session.execute(
            update(RoleAssignment)
            .where(RoleAssignment.assignment_id == UUID(lapsed))
            .values(proposed_until=utc_now() - timedelta(seconds=1))
        )
    for assignment_id in (refused, withdrawn, lapsed):
        late = await decide(provider, administrator, assignment_id, "approval")
        assert (late.status_code, late.json()["type"]) == (409, "/problems/already_decided")
    async with provider.database.transaction() as session:
        await end_over(session, now=utc_now())
    listed = await provider.http.get("/v1/role-assignments?status=lapsed", headers=security.headers)
    assert [each["assignment_id"] for each in listed.json()["items"]] == [lapsed]
    for assignment_id, ending in ((refused, "refused"), (withdrawn, "withdrawn"), (lapsed, "lapsed")):
        assert await events_of(provider, assignment_id) == []
        async with provider.database.read() as session:
            asked = text("select action from audit.entry where object_id = :id order by id")
            recorded = (await session.scalars(asked, {"id": UUID(assignment_id)})).all()
        assert recorded == ["identity.role.proposed", f"identity.role.{ending}"]


async def test_proposals_are_listed_for_those_who_approve_within_their_remit(provider: Provider) -> None:
    county, sibling = await provider.establish(), await provider.establish()
    _, security = await strongly_signed_in(provider, ("security_administrator", ROOT))
    _, theirs = await strongly_signed_in(provider, ("system_administrator", county))
    made = []
    for place in (county, sibling):
        person_id, _ = await provider.open_person()
        answer = await grant(
            provider, security, person_id=person_id, role="system_administrator", organisation_id=place
        )
        made.append(answer.json()["assignment_id"])
    listed = await provider.http.get("/v1/role-assignments?status=proposed", headers=theirs.headers)
    assert [each["assignment_id"] for each in listed.json()["items"]] == made[:1]
    assert (await decide(provider, theirs, made[1], "approval")).status_code == 404
    forbidden = await end(provider, theirs, made[0])
    assert forbidden.status_code == 403  # who approves does not grant


@pytest.mark.parametrize("role", ["officer", None])
async def test_who_lacks_the_permission_neither_approves_nor_refuses(provider: Provider, role: str | None) -> None:
    _, security = await strongly_signed_in(provider, ("security_administrator", ROOT))
    _, tokens = await strongly_signed_in(provider, *([(role, ROOT)] if role else []))
    assignment_id, *_ = await proposed(provider, security)
    for word in ("approval", "refusal"):
        assert (await decide(provider, tokens, assignment_id, word)).status_code == 403


async def test_the_database_itself_wants_a_second_person(provider: Provider) -> None:
    _, security = await strongly_signed_in(provider, ("security_administrator", ROOT))
    assignment_id, *_ = await proposed(provider, security)
    attempts = {
        "administrations_take_two": "update role_assignment set status = 'granted' where assignment_id = :id",
        "decided_by_another": "update role_assignment set decided_by = granted_by where assignment_id = :id",
    }
    for constraint, statement in attempts.items():
        with pytest.raises(Exception, match=f"ck_role_assignment_{constraint}|fk_role_assignment_administration"):
            async with provider.database.transaction() as session:
                await session.execute(text(statement), {"id": UUID(assignment_id)})


async def test_a_decision_on_a_version_that_is_past_is_refused(provider: Provider) -> None:
    _, security = await strongly_signed_in(provider, ("security_administrator", ROOT))
    _, administrator = await strongly_signed_in(provider, ("system_administrator", ROOT))
    assignment_id, *_ = await proposed(provider, security)
    path = f"/v1/role-assignments/{assignment_id}"

    async def asked(who: Tokens, method: str, where: str, expected: str) -> httpx.Response:
        return await provider.http.request(method, where, headers={**who.headers, "If-Match": expected})

    for who, method, where, version in (
        (administrator, "POST", f"{path}/approval", 1),
        (security, "DELETE", path, 2),
    ):
        for past in (f'"{version - 1}"', f'W/"{version}"', f'"{version + 1}"'):
            stale = await asked(who, method, where, past)
            assert (stale.status_code, stale.json()["type"]) == (412, "/problems/version_past"), where
            assert (stale.json()["version"], stale.headers["etag"]) == (version, f'"{version}"')
        done = await asked(who, method, where, f'"{version}"')
        assert (done.status_code, done.json()["version"], done.headers["etag"]) == (
            200,
            version + 1,
            f'"{version + 1}"',
        )
    listed = await provider.http.get("/v1/role-assignments", headers=security.headers, params={"status": "ended"})
    assert [each["version"] for each in listed.json()["items"] if each["assignment_id"] == assignment_id] == [3]
    assert [each["aggregateversion"] for each in await events_of(provider, assignment_id)] == [1, 2]
    other, *_ = await proposed(provider, security)
    stale = await asked(administrator, "POST", f"/v1/role-assignments/{other}/refusal", '"2"')
    assert stale.status_code == 412
    refused = await asked(administrator, "POST", f"/v1/role-assignments/{other}/refusal", '"1"')
    assert (refused.status_code, refused.json()["version"]) == (200, 2)
