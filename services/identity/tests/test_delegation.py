"""A role that is delegated: below where its holder has it, for no longer, and gone when the holder's own is."""

from datetime import timedelta
from uuid import UUID

import orgtree
from china_time import day_of
from contracts.members import OrganisationMovedV1
from database import new_id, utc_now
from identity.roles.periods import end_over

from .front_end import Tokens
from .granting import delegate, end, events_of, grant, roles_in, strongly_signed_in, with_second_factor
from .provider import Provider

ROOT = orgtree.ROOT_ID
TODAY = day_of(utc_now())


async def holding(
    provider: Provider, place: UUID, role: str = "officer", **days: object
) -> tuple[str, UUID, Tokens, Tokens]:
    """Make somebody who was granted a role; gives the assignment, the person, their tokens and the granter's."""
    _, security = await strongly_signed_in(provider, ("security_administrator", ROOT))
    person_id, username = await provider.open_person()
    made = await grant(provider, security, person_id=person_id, role=role, organisation_id=place, **days)
    assert made.status_code == 201, made.text
    tokens = await with_second_factor(provider, await provider.front_end().tokens(username))
    return made.json()["assignment_id"], person_id, tokens, security


async def test_a_role_is_delegated_below_and_ends_with_its_source(provider: Provider) -> None:
    county = await provider.establish()
    township = await provider.establish(county)
    source, holder, tokens, security = await holding(provider, county)
    deputy, username = await provider.open_person()
    made = await delegate(provider, tokens, source, person_id=deputy, organisation_id=township)
    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["delegated_from"], body["granted_by"], body["role"]) == (source, str(holder), "officer")
    front_end = provider.front_end()
    before = await front_end.tokens(username)
    assert roles_in(before) == ["officer"]
    listed = await provider.http.get(f"/v1/role-assignments/{source}/delegations", headers=tokens.headers)
    assert [each["assignment_id"] for each in listed.json()["items"]] == [body["assignment_id"]]

    assert (await end(provider, security, source)).status_code == 200
    granted, ended = await events_of(provider, body["assignment_id"])
    assert ended["type"] == "xiangqiao.identity.role_assignment.ended.v1"
    assert granted["actor"] == str(holder)
    assert roles_in(await provider.front_end().tokens(username)) == []


async def test_who_handed_a_role_on_takes_it_back_and_nobody_else_does(provider: Provider) -> None:
    source, _, tokens, _ = await holding(provider, await provider.establish())
    _, stranger = await provider.signed_in(("officer", ROOT))
    deputy, username = await provider.open_person()
    delegation = (await delegate(provider, tokens, source, person_id=deputy)).json()["assignment_id"]
    path = f"/v1/role-assignments/{source}/delegations/{delegation}"
    deputys = await provider.front_end().tokens(username)
    for other in (stranger, deputys):
        assert (await provider.http.delete(path, headers=other.headers)).status_code == 404
        shown = await provider.http.get(f"/v1/role-assignments/{source}/delegations", headers=other.headers)
        assert shown.status_code == 404
    taken = await provider.http.delete(path, headers=tokens.headers)
    assert (taken.status_code, taken.json()["status"]) == (200, "ended")
    assert (await provider.http.delete(path, headers=tokens.headers)).json() == taken.json()
    assert roles_in(await provider.front_end().tokens(username)) == []


async def test_nothing_is_delegated_beyond_place_period_or_person(provider: Provider) -> None:
    county, sibling = await provider.establish(), await provider.establish()
    last_day = TODAY + timedelta(days=30)
    source, holder, tokens, _ = await holding(provider, county, valid_until=last_day)
    others_source, _, others, _ = await holding(provider, sibling)
    registrars, _, registrar, _ = await holding(provider, county, "registrar")
    deputy, username = await provider.open_person()
    for refused, status, code in (
        (await delegate(provider, tokens, source, person_id=deputy, organisation_id=sibling), 404, "not_found"),
        (await delegate(provider, tokens, source, person_id=deputy, organisation_id=ROOT), 404, "not_found"),
        (await delegate(provider, others, source, person_id=deputy), 404, "not_found"),
        (await delegate(provider, tokens, others_source, person_id=deputy), 404, "not_found"),
        (await delegate(provider, tokens, new_id(), person_id=deputy), 404, "not_found"),
        (await delegate(provider, tokens, source, person_id=holder), 403, "role_for_oneself"),
        (await delegate(provider, registrar, registrars, person_id=deputy), 403, "role_not_delegable"),
        (
            await delegate(provider, tokens, source, person_id=deputy, valid_until=last_day + timedelta(days=1)),
            422,
            "beyond_own_period",
        ),
        (
            await delegate(provider, tokens, source, person_id=deputy, valid_from=TODAY - timedelta(days=1)),
            422,
            "beyond_own_period",
        ),
        (await delegate(provider, tokens, source, person_id=new_id()), 422, "account_unknown"),
    ):
        assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{code}")
    made = await delegate(provider, tokens, source, person_id=deputy)
    assert made.json()["valid_until"] == last_day.isoformat()
    deputys = await with_second_factor(provider, await provider.front_end().tokens(username))
    again = await delegate(provider, deputys, made.json()["assignment_id"], person_id=holder)
    assert again.json()["type"] == "/problems/role_not_delegable"


async def test_a_place_that_moves_away_takes_no_delegated_role_with_it(provider: Provider) -> None:
    county, sibling = await provider.establish(), await provider.establish()
    township = await provider.establish(county)
    source, _, tokens, _ = await holding(provider, county)
    deputy, username = await provider.open_person()
    await delegate(provider, tokens, source, person_id=deputy, organisation_id=township)
    moved = OrganisationMovedV1(
        organisation_id=township, parent_id=sibling, kind="committee", level="county", name="镇"
    )
    async with provider.database.transaction() as session:
        await orgtree.place_organisations(session, [(moved, 2)])
    assert roles_in(await provider.front_end().tokens(username)) == []


async def test_a_role_that_is_over_is_ended_and_told_with_what_was_delegated(provider: Provider) -> None:
    source, _, tokens, _ = await holding(provider, await provider.establish(), valid_until=TODAY)
    deputy, _ = await provider.open_person()
    delegation = (await delegate(provider, tokens, source, person_id=deputy)).json()["assignment_id"]
    for day, ended in ((0, False), (1, True), (2, True)):
        async with provider.database.transaction() as session:
            await end_over(session, now=utc_now() + timedelta(days=day))
        for assignment_id in (source, delegation):
            told = [event["type"].split(".")[-2] for event in await events_of(provider, assignment_id)]
            assert told == (["granted", "ended"] if ended else ["granted"])


async def test_what_was_delegated_ends_with_the_account_of_who_did(provider: Provider) -> None:
    source, holder, tokens, security = await holding(provider, await provider.establish())
    deputy, username = await provider.open_person()
    made = (await delegate(provider, tokens, source, person_id=deputy)).json()
    assert roles_in(await provider.front_end().tokens(username)) == ["officer"]
    path = f"/v1/accounts/{holder}/deactivation"
    assert (await provider.http.post(path, headers=security.headers)).status_code == 200
    _, ended = await events_of(provider, made["assignment_id"])
    assert ended["type"] == "xiangqiao.identity.role_assignment.ended.v1"
    assert roles_in(await provider.front_end().tokens(username)) == []
    assert (
        await provider.http.post(f"/v1/accounts/{holder}/reactivation", headers=security.headers)
    ).status_code == 200
    assert roles_in(await provider.front_end().tokens(username)) == []


async def test_an_administrator_is_handed_nothing_that_reads_files(provider: Provider) -> None:
    source, _, tokens, security = await holding(provider, await provider.establish())
    administrator, _ = await provider.open_person(("audit_administrator", ROOT))
    refused = await delegate(provider, tokens, source, person_id=administrator)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/administrations_combined")
    wanted = {"person_id": administrator, "organisation_id": ROOT}
    refused = await grant(provider, security, **wanted, role="officer")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/administrations_combined")
    assert (await grant(provider, security, **wanted, role="registrar")).status_code == 201
