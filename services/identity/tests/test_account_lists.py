"""Check 35: accounts of members take two people: one gives a list, another approves it, the worker opens them."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from sqlalchemy import func, select, update

import orgtree
from contracts.members import MemberAffiliatedV1
from database import Database, new_id, raw, utc_now
from identity.account_lists.opening import open_what_is_approved
from identity.account_lists.rules import MOST_ROWS, MOST_WAITING
from identity.account_lists.tables import AccountList, AccountListRow
from identity.accounts.commands import open_account
from identity.accounts.tables import Account, Credential
from identity.housekeeping import delete_expired
from identity.roles.tables import RoleAssignment
from messaging import Publication

from .front_end import Tokens
from .granting import grant
from .phone_proofs import requests
from .provider import Provider

ROOT = orgtree.ROOT_ID
PATH = "/v1/account-lists"
OPERATIONS = [
    ("POST", ""),
    ("GET", ""),
    ("GET", "/{list_id}"),
    ("GET", "/{list_id}/rows"),
    ("POST", "/{list_id}/approval"),
    ("POST", "/{list_id}/refusal"),
    ("DELETE", "/{list_id}"),
]


def row(place: UUID = ROOT, **changed: object) -> dict[str, str]:
    values = {"person_id": new_id(), "organisation_id": place, "username": f"listed.{new_id().hex[-12:]}", **changed}
    return {name: str(value) for name, value in values.items()}


async def give(provider: Provider, tokens: Tokens, *rows: dict[str, str], place: UUID = ROOT) -> httpx.Response:
    body = {"organisation_id": str(place), "rows": list(rows)}
    return await provider.http.post(PATH, json=body, headers=tokens.headers)


async def given(provider: Provider, tokens: Tokens, *rows: dict[str, str], place: UUID = ROOT) -> str:
    made = await give(provider, tokens, *rows, place=place)
    assert made.status_code == 201, made.text
    assert (made.json()["status"], made.json()["size"]) == ("proposed", len(rows))
    return str(made.json()["list_id"])


async def say(provider: Provider, tokens: Tokens, list_id: str, word: str = "approval") -> httpx.Response:
    method, path = ("DELETE", "") if word == "withdrawal" else ("POST", f"/{word}")
    return await provider.http.request(method, f"{PATH}/{list_id}{path}", headers=tokens.headers)


async def told(provider: Provider, tokens: Tokens, list_id: str, part: str = "") -> dict[str, Any]:
    answer = await provider.http.get(f"{PATH}/{list_id}{part}", headers=tokens.headers)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def outcomes(provider: Provider, tokens: Tokens, list_id: str) -> list[str | None]:
    return [each["outcome"] for each in (await told(provider, tokens, list_id, "/rows"))["items"]]


async def administrator(provider: Provider, place: UUID = ROOT) -> Tokens:
    return (await provider.signed_in(("system_administrator", place)))[1]


async def count_of(database: Database, *rows: dict[str, str]) -> int:
    people = [UUID(each["person_id"]) for each in rows]
    async with database.read() as session:
        return await session.scalar(select(func.count()).where(Account.account_id.in_(people))) or 0


async def test_two_people_open_accounts_without_a_password(provider: Provider) -> None:
    giver, other, rows = await administrator(provider), await administrator(provider), [row() for _ in range(3)]
    list_id = await given(provider, giver, *rows)
    await open_what_is_approved(provider.database)
    assert await count_of(provider.database, *rows) == 0
    assert (await say(provider, giver, list_id)).json()["type"] == "/problems/not_independent"
    approved = await say(provider, other, list_id)
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    assert (await say(provider, other, list_id)).json() == approved.json()
    await open_what_is_approved(provider.database)
    shown = await told(provider, giver, list_id)
    assert (shown["size"], shown["opened"], shown["not_opened"]) == (3, 3, 0)
    people = [UUID(each["person_id"]) for each in rows]
    async with provider.database.read() as session:
        openers = await session.scalars(select(Account.opened_by).where(Account.account_id.in_(people)))
        assert {str(each) for each in openers} == {shown["given_by"]}
        assert await session.scalar(select(func.count()).where(Credential.account_id.in_(people))) == 0


async def test_nobody_of_one_hand_with_the_giver_approves(provider: Provider) -> None:
    """The giver granted the friend's office alone, as a security administrator of former days."""
    township = await provider.establish(await provider.establish())
    giver_id, giver = await provider.signed_in(("system_administrator", ROOT))
    _, security = await provider.signed_in(("security_administrator", ROOT))
    officers = []
    for _ in range(2):
        person_id, username = await provider.open_person()
        await grant(provider, security, person_id=person_id, role="officer", organisation_id=township)
        tokens = await provider.with_second_factor(await provider.front_end().tokens(username))
        officers.append((person_id, tokens))
    (friend_id, friend), (_, other) = officers
    async with provider.database.transaction() as session:
        made = update(RoleAssignment).where(RoleAssignment.person_id == friend_id)
        await session.execute(made.values(granted_by=giver_id))
    list_id = await given(provider, giver, row(township), place=township)
    refused = await say(provider, friend, list_id)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not_independent")
    assert (await say(provider, other, list_id)).status_code == 200


async def test_a_row_that_cannot_be_opened_says_why_and_stops_nobody_else(provider: Provider) -> None:
    county, sibling = await provider.establish(), await provider.establish()
    giver, other = await administrator(provider, county), await administrator(provider, county)
    has_account, username = await provider.open_person()
    stranger = new_id()
    async with provider.database.transaction() as session:
        event = MemberAffiliatedV1(person_id=stranger, organisation_id=sibling)
        await orgtree.HANDLERS[MemberAffiliatedV1](session, [Publication(event, 1)])
    rows = [
        row(county, person_id=has_account),
        row(county, username=username),
        row(sibling),
        row(county, person_id=stranger),
        row(county),
    ]
    list_id = await given(provider, giver, *rows, place=county)
    assert (await say(provider, other, list_id)).status_code == 200
    await open_what_is_approved(provider.database)
    expected = ["account_exists", "username_taken", "outside_scope", "outside_scope", "opened"]
    assert await outcomes(provider, giver, list_id) == expected
    assert await count_of(provider.database, *rows) == 2  # who had one, and who got one


async def test_opening_goes_on_where_it_was_killed_and_opens_each_account_once(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    giver, other, rows = await administrator(provider), await administrator(provider), [row() for _ in range(60)]
    list_id = await given(provider, giver, *rows)
    await say(provider, other, list_id)
    begun = 0

    async def killed(*positional: Any, **named: Any) -> Account:
        nonlocal begun
        begun += 1
        if begun > 25:
            await asyncio.Event().wait()  # as the process stands when it is killed: in the middle of a transaction
        return await open_account(*positional, **named)

    monkeypatch.setattr("identity.account_lists.opening.open_account", killed)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(open_what_is_approved(provider.database), 5)
    monkeypatch.undo()
    before = (await told(provider, giver, list_id))["opened"]
    assert 0 < before < 60
    assert await count_of(provider.database, *rows) == before
    claimed = update(AccountListRow).where(AccountListRow.list_id == UUID(list_id), AccountListRow.outcome.is_(None))
    async with provider.database.transaction() as session:
        await session.execute(claimed.values(due_at=utc_now()))  # the claims of the dead are over
    await asyncio.gather(*(open_what_is_approved(provider.database) for _ in range(3)))
    assert await outcomes(provider, giver, list_id) == ["opened"] * 50  # a page
    assert (await told(provider, giver, list_id))["opened"] == 60
    assert await count_of(provider.database, *rows) == 60


async def test_a_list_waits_fourteen_days_for_one_word(provider: Provider) -> None:
    giver, other = await administrator(provider), await administrator(provider)
    words = {"refusal": "refused", "withdrawal": "withdrawn"}
    for word, status in words.items():
        teller, list_id = (giver if word == "withdrawal" else other), await given(provider, giver, row())
        assert (await say(provider, teller, list_id, word)).json()["status"] == status
        assert (await say(provider, other, list_id)).json()["type"] == "/problems/account_list_decided"
    late = await given(provider, giver, row())
    expiry = update(AccountList).where(AccountList.list_id == UUID(late))
    async with provider.database.transaction() as session:
        await session.execute(expiry.values(expires_at=utc_now()))
    assert (await told(provider, giver, late))["status"] == "expired"
    assert (await say(provider, other, late)).json()["type"] == "/problems/account_list_decided"
    async with provider.database.transaction() as session:
        await session.execute(expiry.values(expires_at=utc_now() - timedelta(days=92)))
    await delete_expired(provider.database)
    assert (await provider.http.get(f"{PATH}/{late}", headers=giver.headers)).status_code == 404


async def test_lists_are_found_by_how_they_stand(provider: Provider) -> None:
    county = await provider.establish()
    giver, other = await administrator(provider, county), await administrator(provider, county)
    made = {}
    for status, word in (("proposed", None), ("approved", "approval"), ("refused", "refusal"), ("expired", None)):
        made[status] = await given(provider, giver, row(county), place=county)
        if word is not None:
            await say(provider, other, made[status], word)
    made["withdrawn"] = await given(provider, giver, row(county), place=county)
    await say(provider, giver, made["withdrawn"], "withdrawal")
    lapsed = update(AccountList).where(AccountList.list_id == UUID(made["expired"]))
    async with provider.database.transaction() as session:
        await session.execute(lapsed.values(expires_at=utc_now()))
    for status, list_id in made.items():
        listed = await provider.http.get(PATH, params={"status": status}, headers=other.headers)
        assert [(each["list_id"], each["status"]) for each in listed.json()["items"]] == [(list_id, status)]
    asked_for = {"list_id": [made["approved"], made["expired"], str(new_id())]}
    chosen = (await provider.http.get(PATH, params=asked_for, headers=other.headers)).json()["items"]
    assert {each["list_id"] for each in chosen} == {made["approved"], made["expired"]}
    assert (await provider.http.get(PATH, params={"status": "open"}, headers=other.headers)).status_code == 422
    asked = "select payload from outbox where type like 'xiangqiao.identity.account_list.%' order by id"
    async with provider.database.read() as session:
        events = [orjson.loads(each["payload"]) for each in await (await raw(session)).fetch(asked)]
    told = [
        (each["type"].split(".")[-2], each["aggregateversion"], each["data"]["status"])
        for each in events
        if each["data"]["organisation_id"] == str(county)
    ]
    waits = ("given", 1, "proposed")
    assert told == [
        *[waits, waits, ("decided", 2, "approved"), waits, ("decided", 2, "refused"), waits],
        *[waits, ("decided", 2, "withdrawn")],
    ]


async def test_lists_are_bounded_and_name_everybody_once(provider: Provider) -> None:
    giver, one = await administrator(provider), row()
    for rows in ([], [row() for _ in range(MOST_ROWS + 1)], [one, row(person_id=one["person_id"])]):
        assert (await give(provider, giver, *rows)).status_code == 422
    assert (await give(provider, giver, one, row(username=one["username"].upper()))).status_code == 422
    assert (await give(provider, giver, row(username="13800138000"))).status_code == 422
    for _ in range(MOST_WAITING):
        await given(provider, giver, row())
    assert (await give(provider, giver, row())).json()["type"] == "/problems/too_many_account_lists"


async def test_a_list_is_seen_and_decided_about_in_its_place_alone(provider: Provider) -> None:
    county, sibling = await provider.establish(), await provider.establish()
    giver, stranger = await administrator(provider, county), await administrator(provider, sibling)
    list_id = await given(provider, giver, row(county), place=county)
    assert (await give(provider, stranger, row(county), place=county)).status_code == 404
    for asked in ({}, {"list_id": list_id}):
        listed = await provider.http.get(PATH, params=asked, headers=stranger.headers)
        assert list_id not in {each["list_id"] for each in listed.json()["items"]}
    for part in ("", "/rows"):
        assert (await provider.http.get(f"{PATH}/{list_id}{part}", headers=stranger.headers)).status_code == 404
    for word in ("approval", "refusal", "withdrawal"):
        assert (await say(provider, stranger, list_id, word)).status_code == 404


async def test_opening_takes_two_factors_in_every_operation(provider: Provider) -> None:
    _, weak = await provider.weakly_signed_in(("system_administrator", ROOT))
    list_id = await given(provider, await administrator(provider), row())
    asked = [(method, PATH + part.format(list_id=list_id)) for method, part in OPERATIONS]
    for method, path in [*asked, ("POST", "/v1/accounts")]:
        body = {"organisation_id": str(ROOT), "rows": [row()]} if path == PATH and method == "POST" else None
        if path == "/v1/accounts":
            body = {**row(), "password": "a first password"}
        refused = await provider.http.request(method, path, json=body, headers=weak.headers)
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/step_up_required"), (method, path)


async def test_who_has_no_phone_is_given_a_first_password_once(provider: Provider) -> None:
    county, sibling = await provider.establish(), await provider.establish()
    giver, other = await administrator(provider, county), await administrator(provider, county)
    stranger, one = await administrator(provider, sibling), row(county)
    list_id = await given(provider, giver, one, place=county)
    await say(provider, other, list_id)
    await open_what_is_approved(provider.database)

    async def first_password(tokens: Tokens, **changed: str) -> httpx.Response:
        body = {**one, "password": "a first password", **changed}
        return await provider.http.post("/v1/accounts", json=body, headers=tokens.headers)

    assert (await first_password(stranger)).status_code == 404
    assert (await first_password(stranger, organisation_id=str(sibling))).status_code == 404
    assert (await first_password(other, username="somebody.else")).json()["type"] == "/problems/account_exists"
    at_once = await asyncio.gather(*(first_password(other) for _ in range(4)))
    assert sorted(answer.status_code for answer in at_once) == [201, 409, 409, 409]
    assert (await first_password(giver, password="another password")).json()["type"] == "/problems/account_exists"
    async with provider.database.read() as session:
        [secret] = (
            await session.scalars(select(Credential).where(Credential.account_id == UUID(one["person_id"])))
        ).all()
        account = await session.get_one(Account, UUID(one["person_id"]))
    assert [each["text"] for each in await requests(provider, person_id=one["person_id"])] == ["account_opened"] * 2
    assert account.opened_within == [county]
    assert secret.first_until is not None
    assert str(account.opened_by) == (await told(provider, giver, list_id))["decided_by"]
