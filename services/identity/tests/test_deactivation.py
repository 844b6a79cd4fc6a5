"""An account taken out of use is out everywhere, and comes back with its credentials and signed in nowhere."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

import orgtree
from contracts.members import MemberAffiliatedV1
from database import new_id, raw
from messaging import Publication

from .front_end import PASSWORD, Tokens
from .granting import end, strongly_signed_in
from .provider import Provider
from .told import changes_of, is_told_revoked, told_of


async def change(provider: Provider, tokens: Tokens, person: UUID, to: str, **headers: str) -> httpx.Response:
    return await provider.http.post(f"/v1/accounts/{person}/{to}", headers={**tokens.headers, **headers})


@pytest.fixture
async def security(provider: Provider) -> Tokens:
    _, tokens = await provider.signed_in(("security_administrator", orgtree.ROOT_ID))
    return tokens


async def entries(provider: Provider, subject: UUID) -> list[Any]:
    connection = await asyncpg.connect(provider.url)
    try:
        asked = "select action from audit.entry where subject = $1 and action like 'identity.account.%' order by 1"
        return [row["action"] for row in await connection.fetch(asked, subject)]
    finally:
        await connection.close()


async def test_a_deactivated_account_is_signed_out_and_cannot_sign_in(provider: Provider, security: Tokens) -> None:
    person, name = await provider.open_person(("officer", orgtree.ROOT_ID))
    front_end, waiting = provider.front_end(), provider.front_end()
    tokens = await front_end.tokens(name)
    code = (await waiting.sign_in(name)).parameters["code"]
    for _ in range(2):
        answer = await change(provider, security, person, "deactivation")
        assert (answer.status_code, answer.json()) == (200, {"person_id": str(person), "in_use": False})
    assert (await front_end.refresh(tokens.refresh)).json()["error"] == "invalid_grant"
    assert (await waiting.redeem(code)).json()["error"] == "invalid_grant"
    assert await changes_of(provider.database, person) == [(1, 2), (2, 3)]  # the role, and this
    page = await front_end.http.get((await front_end.authorize()).headers["location"])
    assert (await front_end.submit(page, username=name, password=PASSWORD)).status_code == 400


async def test_a_reactivated_account_has_its_credentials_and_no_session(provider: Provider, security: Tokens) -> None:
    person, name = await provider.open_person()
    front_end = provider.front_end()
    tokens = await front_end.tokens(name)
    await change(provider, security, person, "deactivation")
    for _ in range(2):
        answer = await change(provider, security, person, "reactivation")
        assert (answer.status_code, answer.json()) == (200, {"person_id": str(person), "in_use": True})
    assert (await front_end.refresh(tokens.refresh)).status_code == 400
    again = await front_end.tokens(name)
    assert (await provider.http.get("/v1/me", headers=again.headers)).status_code == 200
    assert await entries(provider, person) == ["identity.account.deactivated", "identity.account.reactivated"]


async def at_once(
    provider: Provider, locked: Sequence[UUID], *requests: Coroutine[Any, Any, httpx.Response]
) -> list[int]:
    """Send requests that meet: each has decided before these accounts can be changed. Gives the statuses, sorted."""
    holder, watcher = await asyncpg.connect(provider.url), await asyncpg.connect(provider.url)
    try:
        async with holder.transaction():
            await holder.execute("select from account where account_id = any($1::uuid[]) for update", locked)
            sent = [asyncio.create_task(request) for request in requests]
            waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and pid <> pg_backend_pid()"
            async with asyncio.timeout(20):
                while await watcher.fetchval(waiting) < len(sent):
                    await asyncio.sleep(0.02)
        return sorted([answer.status_code for answer in await asyncio.gather(*sent)])
    finally:
        await holder.close()
        await watcher.close()


async def test_of_two_who_deactivate_at_once_one_is_recorded(provider: Provider, security: Tokens) -> None:
    person, _ = await provider.open_person()
    both = [change(provider, security, person, "deactivation") for _ in range(2)]
    assert await at_once(provider, [person], *both) == [200, 200]
    assert await entries(provider, person) == ["identity.account.deactivated"]


async def test_nobody_deactivates_themselves_or_beyond_their_remit(provider: Provider, security: Tokens) -> None:
    county, village = await provider.establish(), await provider.establish()
    officer, local = await provider.signed_in(("security_administrator", county))
    here, _ = await provider.open_person(("officer", orgtree.ROOT_ID))
    there, _ = await provider.open_person()
    async with provider.database.transaction() as session:
        for person, place in ((here, county), (there, village)):
            event = MemberAffiliatedV1(person_id=person, organisation_id=place)
            await orgtree.HANDLERS[MemberAffiliatedV1](session, [Publication(event, 1)])

    async def refused(tokens: Tokens, person: UUID) -> tuple[int, str]:
        answer = await change(provider, tokens, person, "deactivation")
        return answer.status_code, answer.json()["type"].removeprefix("/problems/")

    _, plain = await provider.signed_in()
    assert await refused(local, officer) == (403, "own_account")
    assert await refused(local, there) == (404, "not_found")
    assert await refused(local, new_id()) == (404, "not_found")
    assert await refused(local, here) == (403, "role_beyond_scope")
    assert await refused(plain, there) == (403, "permission_missing")
    for person in (here, there):
        assert [version for version, _ in await changes_of(provider.database, person)] in ([], [1])
    assert (await change(provider, security, there, "deactivation")).status_code == 200


async def auditors(provider: Provider) -> dict[UUID, UUID]:
    """Give the assignments of the administration of audits by who holds them."""
    asked = (
        "select person_id, assignment_id from role_assignment where role = 'audit_administrator' and status = 'granted'"
    )
    async with provider.database.read() as session:
        return dict(await (await raw(session)).fetch(asked))


async def test_the_last_administrator_stays_in_use(provider: Provider, security: Tokens) -> None:
    holders = list(await auditors(provider))
    for person in holders[:-1]:
        assert (await change(provider, security, person, "deactivation")).status_code == 200
    answer = await change(provider, security, holders[-1], "deactivation")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/last_administrator")
    for person in holders[:-1]:
        await change(provider, security, person, "reactivation")


@pytest.mark.parametrize("how", ["deactivation", "end of the role"])
async def test_of_the_last_two_administrators_taken_away_at_once_one_stays(provider: Provider, how: str) -> None:
    _, tokens = await strongly_signed_in(provider, ("security_administrator", orgtree.ROOT_ID))
    for _ in range(2):
        await provider.open_person(("audit_administrator", orgtree.ROOT_ID))
    assignments = await auditors(provider)
    *others, first, second = assignments
    for person in others:
        assert (await change(provider, tokens, person, "deactivation")).status_code == 200
    away = change(provider, tokens, first, how) if how == "deactivation" else end(provider, tokens, assignments[first])
    both = (away, change(provider, tokens, second, "deactivation"))
    assert await at_once(provider, [first, second], *both) == [200, 409]
    for person in assignments:
        await change(provider, tokens, person, "reactivation")


async def test_a_deactivation_is_told_with_who_did_it(provider: Provider, security: Tokens) -> None:
    person, name = await provider.open_person()
    tokens = await provider.front_end().tokens(name)
    listed = await provider.http.get("/v1/me/sessions", headers=tokens.headers)
    [session] = listed.json()["items"]
    await change(provider, security, person, "deactivation")
    assert await is_told_revoked(provider.database, session["session_id"])
    assert await told_of(provider.database, person, "authorization_changed") == [
        (1, {"person_id": str(person), "authorization_version": 2})
    ]
