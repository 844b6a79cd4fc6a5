"""Erasure: all of it where the law allows, named with its reason where it does not, and never back again."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, text, update

import audit
import orgtree
import privacy
from contracts.identity import ExportRequestedV1, PersonErasedV1
from contracts.members import MemberAffiliatedV1
from database import Database, raw, utc_now
from database.migrations import declared_by
from identity.accounts.tables import Account
from identity.challenges.commands import Asking, issue
from identity.messages.tables import MessageToSend
from identity.privacy import erasure, own_data
from identity.privacy.erasure import TOLD_AGAIN_AFTER, tell_again, tell_all_again
from identity.privacy.removal import FORGOTTEN, KEPT
from identity.privacy.tables import Erasure, LegalHold
from messaging import Publication, Received
from testkit.backups import backup, restore
from testkit.databases import TestDatabases

from .front_end import Tokens, tokens_of
from .granting import strongly_signed_in
from .phones import Phones
from .provider import Provider, ring
from .step_up import by_code_too


async def erase(provider: Provider, tokens: Tokens) -> httpx.Response:
    return await provider.http.post("/v1/me/erasure", headers=tokens.headers)


async def affiliate(provider: Provider, person_id: UUID) -> None:
    event = MemberAffiliatedV1(person_id=person_id, organisation_id=await provider.establish())
    async with provider.database.transaction() as session:
        await orgtree.HANDLERS[MemberAffiliatedV1](session, [Publication(event, 1)])


async def told(provider: Provider, person_id: UUID) -> list[int]:
    async with provider.database.read() as session:
        rows = await (await raw(session)).fetch(
            "select aggregate_version from outbox where aggregate_id = $1 and type = $2 order by id",
            person_id,
            PersonErasedV1.type,
        )
    return [row["aggregate_version"] for row in rows]


async def rows_about(database: Database, person_id: UUID) -> dict[str, int]:
    """Count the rows that name a person in each table from which such rows go."""
    counts = {}
    async with database.read() as session:
        for table, column in FORGOTTEN:
            found = (await session.execute(select(column).where(column == person_id))).all()
            counts[table.__tablename__] = len(found)
    return {name: count for name, count in counts.items() if count}


async def test_nothing_that_is_known_of_a_person_outlives_the_erasure(provider: Provider, phones: Phones) -> None:
    person_id, username = await provider.open_person()
    number = await phones.give(person_id)
    front_end = provider.front_end()
    weak = await erase(provider, await front_end.tokens(username))
    assert (weak.status_code, weak.json()["acr_values"]) == (401, "2")
    tokens = await by_code_too(provider, phones, username, number)
    assert len(await rows_about(provider.database, person_id)) >= 4
    foreseen = (await provider.http.get("/v1/me/erasure", headers=tokens.headers)).json()
    assert (foreseen["outcome"], foreseen["kept"], foreseen["holds"]) == ("erased", [], [])
    done = await erase(provider, tokens)
    assert (done.status_code, done.json()["outcome"]) == (200, "erased")
    assert await rows_about(provider.database, person_id) == {}
    assert await told(provider, person_id) == [1]
    async with provider.database.read() as session:
        assert (await session.get_one(Account, person_id)).status == "erased"
        connection = await raw(session)
        assert await connection.fetchval("select count(*) from erased_person where person_id = $1", person_id) == 1
        everything = await connection.fetchval("select count(*) from identifier where plain = $1", username)
    assert everything == 0
    assert [sent.template for sent in await phones.messages_to(number)] == ["code.en", "erased.en"]
    assert (await front_end.refresh(tokens.refresh)).status_code == 400
    other = provider.front_end()
    page = await other.http.get((await other.authorize()).headers["location"])
    assert (await other.submit(page, username=username, password="correct horse battery")).status_code != 303
    assert (await erase(provider, tokens)).status_code in {401, 409}


async def test_what_waits_to_be_sent_to_an_erased_person_never_goes_out(provider: Provider, phones: Phones) -> None:
    person_id, _ = await provider.open_person()
    number, other_id = await phones.give(person_id), (await provider.open_person())[0]
    other = await phones.give(other_id)

    async def code_for(account_id: UUID, phone: str, purpose: str = "sign_in") -> None:
        async with provider.database.transaction() as session:
            await issue(
                session, ring(), purpose=purpose, phone=f"+86{phone}", account_id=account_id,
                asking=Asking("zh"), now=utc_now(), new_id=uuid4,
            )  # fmt: skip

    await code_for(person_id, number)
    await code_for(other_id, other)
    async with provider.database.transaction() as session:
        done = await erasure.erase(session, ring(), by=audit.Actor(person_id), language="zh", now=utc_now())
    assert done.outcome == "erased"
    await code_for(person_id, number, "recovery")  # asked for in the same moment, and queued after it
    assert [sent.template for sent in await phones.messages_to(number)] == ["erased.zh"]
    assert [sent.template for sent in await phones.messages_to(other)] == ["code.zh"]
    async with provider.database.read() as session:
        assert await session.scalar(select(MessageToSend).where(MessageToSend.account_id == person_id)) is None


async def test_the_user_name_is_free_again(provider: Provider) -> None:
    person_id, username = await provider.open_person()
    await erase(provider, await provider.front_end().tokens(username))
    again, _ = await provider.open_person(username=username)
    assert again != person_id


async def test_a_member_keeps_the_file_by_duty_and_is_told_so(provider: Provider) -> None:
    person_id, tokens = await provider.signed_in()
    await affiliate(provider, person_id)
    await provider.http.put("/v1/me/consents/wechat", json={"text_version": 1}, headers=tokens.headers)
    done = (await erase(provider, tokens)).json()
    assert (done["outcome"], done["withdrawn"]) == ("kept_by_duty", ["wechat"])
    [kept] = done["kept"]
    assert (kept["duty"], "members.file" in kept["kept"]) == ("membership", True)
    assert kept["explanation_zh"]
    assert kept["explanation_en"]
    assert await told(provider, person_id) == []
    assert (await provider.http.get("/v1/me", headers=tokens.headers)).status_code == 200


async def test_an_office_keeps_the_account(provider: Provider) -> None:
    _, tokens = await provider.signed_in(("officer", await provider.establish()))
    assert [kept["duty"] for kept in (await erase(provider, tokens)).json()["kept"]] == ["office"]


async def test_a_legal_hold_is_respected_explained_and_seen(provider: Provider) -> None:
    security_id, security = await strongly_signed_in(provider, ("security_administrator", orgtree.ROOT_ID))
    person_id, tokens = await provider.signed_in()
    body = {"person_id": str(person_id), "basis": "court_order"}
    placed = await provider.http.post("/v1/legal-holds", json=body, headers=security.headers)
    assert placed.status_code == 201, placed.text
    refused = await provider.http.post("/v1/me/erasure", headers={**tokens.headers, "Accept-Language": "zh"})
    problem = refused.json()
    assert (refused.status_code, problem["type"], problem["bases"]) == (409, "/problems/legal_hold", ["court_order"])
    assert "司法机关" in problem["detail"]
    [seen] = (await provider.http.get("/v1/me/erasure", headers=tokens.headers)).json()["holds"]
    assert (seen["basis"], "placed_by" in seen) == ("court_order", False)
    listed = await provider.http.get(f"/v1/legal-holds?person_id={person_id}", headers=security.headers)
    assert [each["hold_id"] for each in listed.json()["items"]] == [placed.json()["hold_id"]]
    async with provider.database.transaction() as session:  # placed by another, before this office was theirs
        on_oneself = {"hold_id": uuid4(), "person_id": security_id, "basis": "court_order"}
        session.add(LegalHold(**on_oneself, placed_by=uuid4(), placed_at=utc_now()))
    refused = await provider.http.delete(f"/v1/legal-holds/{on_oneself['hold_id']}", headers=security.headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/own_hold")
    lifted = await provider.http.delete(f"/v1/legal-holds/{placed.json()['hold_id']}", headers=security.headers)
    assert lifted.status_code == 200
    assert (await erase(provider, tokens)).json()["outcome"] == "erased"


async def test_holds_are_placed_with_the_permission_within_ones_remit_and_on_a_known_basis(provider: Provider) -> None:
    person_id, tokens = await provider.signed_in()
    body = {"person_id": str(person_id), "basis": "court_order"}
    refused = await provider.http.post("/v1/legal-holds", json=body, headers=tokens.headers)
    assert refused.json()["type"] == "/problems/permission_missing"
    county = await provider.establish()
    _, elsewhere = await strongly_signed_in(provider, ("security_administrator", county))
    assert (await provider.http.post("/v1/legal-holds", json=body, headers=elsewhere.headers)).status_code == 404
    security_id, security = await strongly_signed_in(provider, ("security_administrator", orgtree.ROOT_ID))
    own = {**body, "person_id": str(security_id)}
    refused = await provider.http.post("/v1/legal-holds", json=own, headers=security.headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/own_hold")
    _, weak = await provider.weakly_signed_in(("security_administrator", orgtree.ROOT_ID))
    for method, path in (("POST", "/v1/legal-holds"), ("DELETE", f"/v1/legal-holds/{uuid4()}")):
        refused = await provider.http.request(
            method, path, json=body if method == "POST" else None, headers=weak.headers
        )
        assert refused.json()["type"] == "/problems/step_up_required"
    odd = {**body, "basis": "a_whim"}
    refused = await provider.http.post("/v1/legal-holds", json=odd, headers=security.headers)
    assert refused.json()["type"] == "/problems/hold_basis_unknown"


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/me/erasure"), ("POST", "/v1/me/export-requests")])
async def test_who_signed_in_long_ago_signs_in_again_first(provider: Provider, method: str, path: str) -> None:
    person_id, username = await provider.open_person()
    front_end = provider.front_end()
    tokens = await front_end.tokens(username)
    async with provider.database.transaction() as session:
        await session.execute(
            text("update token_family set signed_in_at = signed_in_at - interval '11 minutes' where account_id = :id"),
            {"id": person_id},
        )
    old = tokens_of(await front_end.refresh(tokens.refresh))
    refused = await provider.http.request(method, path, headers=old.headers)
    assert (refused.status_code, refused.json()["type"]) == (401, "/problems/step_up_required")
    assert 'max_age="600"' in refused.headers["www-authenticate"]


async def test_every_table_that_names_a_person_says_whether_its_rows_go() -> None:
    names = {"account_id", "person_id", "subject_id", "helper_id", "approver_id"}
    about_people = {name for name, table in declared_by("identity").tables.items() if names & set(table.columns.keys())}
    going = {table.__tablename__ for table, _ in FORGOTTEN}
    assert about_people == going | KEPT.keys()
    assert not going & KEPT.keys()


async def test_a_restored_backup_forgets_again_when_the_erasure_is_told_again(
    provider: Provider, databases: TestDatabases, phones: Phones
) -> None:
    """Check 25: accounts and what hangs on them."""
    person_id, username = await provider.open_person()
    number = await phones.give(person_id)
    dump = await backup(databases, provider.url)
    await erase(provider, await by_code_too(provider, phones, username, number))
    restored = await restore(databases, dump, provider.url)
    try:
        database = Database(restored, application_name="tests")
        assert (await rows_about(database, person_id)).keys() == {"identifier", "credential"}
        event = PersonErasedV1(person_id=person_id)
        for version in (1, 2):
            received = Received(event, version, uuid4(), utc_now(), None, None, None)
            async with database.transaction() as session:
                await privacy.handlers((own_data,))[PersonErasedV1](session, [received])
        assert await rows_about(database, person_id) == {}
        async with database.read() as session:
            assert (await session.get_one(Account, person_id)).status == "erased"
        assert await tell_all_again(database) >= 1  # it goes on telling what the backup did not know of
        await database.close()
    finally:
        await databases.drop(restored)


async def test_an_erasure_is_told_again_before_the_stream_forgets_it(provider: Provider) -> None:
    person_id, tokens = await provider.signed_in()
    await erase(provider, tokens)
    await tell_again(provider.database)
    assert await told(provider, person_id) == [1]
    async with provider.database.transaction() as session:
        await session.execute(
            update(Erasure)
            .where(Erasure.person_id == person_id)
            .values(told_at=Erasure.told_at - TOLD_AGAIN_AFTER - timedelta(hours=1))
        )
    await tell_again(provider.database)
    assert await told(provider, person_id) == [1, 2]


async def test_ones_part_of_the_export_holds_all_and_nobody_else(provider: Provider, phones: Phones) -> None:
    person_id, username = await provider.open_person()
    number = await phones.give(person_id)
    weak = await provider.front_end().tokens(username)
    refused = await provider.http.post("/v1/me/export-requests", headers=weak.headers)
    assert (refused.status_code, refused.json()["type"]) == (401, "/problems/step_up_required")
    tokens = await by_code_too(provider, phones, username, number)
    stranger_id, stranger = await provider.signed_in()
    stranger = await provider.with_second_factor(stranger)
    asked = await provider.http.post("/v1/me/export-requests", headers=tokens.headers)
    export_id = asked.json()["export_id"]
    event = ExportRequestedV1(export_id=UUID(export_id), person_id=person_id)
    path = f"/v1/export-parts/identity/{export_id}"
    assert (await provider.http.get(path, headers=tokens.headers)).status_code == 404
    async with provider.database.transaction() as session:
        received = Received(event, 1, uuid4(), utc_now(), None, None, None)
        await privacy.handlers((own_data,))[ExportRequestedV1](session, [received])
    assert (await provider.http.get(path, headers=tokens.headers)).status_code == 202
    await privacy.Parts("identity", (own_data,), ring()).compose_all(provider.database)
    assert (await provider.http.get(path, headers=stranger.headers)).status_code == 404
    assert (await provider.http.get(path, headers=weak.headers)).json()["type"] == "/problems/step_up_required"
    part: dict[str, Any] = (await provider.http.get(path, headers=tokens.headers)).json()
    data = part["data"]
    assert (data["account"]["username"], data["account"]["phone"]) == (username, f"+86{number}")
    assert [each["client_id"] for each in data["sessions"]["front_ends"]] == ["command-line"] * 2
    assert "identity.export.requested" in {each["action"] for each in part["access_log"]}
    assert str(stranger_id) not in str(part)
    async with provider.database.read() as session:
        fetched = await (await raw(session)).fetchval(
            "select count(*) from audit.entry "
            "where action = 'identity.export.fetched' and object_id = $1 and actor = $2",
            UUID(export_id),
            person_id,
        )
    assert fetched == 1
    async with provider.database.read() as session:
        stored = await (await raw(session)).fetchval(
            "select part from export_part where export_id = $1", UUID(export_id)
        )
    assert username.encode() not in stored
    for mine in ("/v1/me/export-requests", f"/v1/me/export-requests/{export_id}"):
        assert (await provider.http.get(mine, headers=tokens.headers)).status_code == 200
        by_password = await provider.http.get(mine, headers=weak.headers)
        assert (by_password.status_code, by_password.json()["acr_values"]) == (401, "2")
    listed = (await provider.http.get("/v1/me/export-requests", headers=stranger.headers)).json()
    assert listed["items"] == []
    other = await provider.http.get(f"/v1/me/export-requests/{export_id}", headers=stranger.headers)
    assert other.status_code == 404
