"""What is sent to make a push do more than it should, hold more, or say what is not so."""

import asyncio

import httpx
import orjson
import pytest

from database import Database, new_id
from gateway.sync import receipts

from .owners import HELPER, ME, REFUSED, Owners, act, code, results

_LOOKALIKES = {"op_id": str(new_id()), "person_id": str(new_id()), "kind": "case.open", "subject_id": "../../v1/audit"}


async def sent(owners: Owners, body: bytes) -> httpx.Response:
    """Send an envelope as it is written."""
    headers = {**owners.issuer.headers(ME), "content-type": "application/json"}
    return await owners.gateway.client.post("/v1/sync/push", content=body, headers=headers)


async def _kept(database: Database) -> int:
    """Count the receipts."""
    async with database.look() as connection:
        return int(await connection.fetchval("select count(*) from sync_receipt"))


@pytest.mark.parametrize(
    "value", [b"1" + b"0" * 400, b"NaN", b"-1e999", b'"\\ud800"', b"[" * 5_000 + b"]" * 5_000], ids=lambda v: v[:12]
)
async def test_what_no_owner_could_read_is_refused_and_not_sent_for_ever(owners: Owners, value: bytes) -> None:
    envelope = orjson.dumps({"device_id": "phone", "ops": [act(body={"progress": 5, "odd": 0})]})
    found = await sent(owners, envelope.replace(b'"odd":0', b'"odd":' + value))
    assert found.status_code in {400, 422}, found.text
    assert owners.seen == []


@pytest.mark.parametrize("depth", [100, 400, 900])
async def test_what_is_nested_is_refused(owners: Owners, depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    envelope = orjson.dumps({"device_id": "p", "ops": [act(body={})]})
    found = await sent(owners, envelope.replace(b'"body":{}', b'"body":{"deep":%b}' % deep))
    told = found.json()
    read = told["type"] == "/problems/invalid"  # what is nested so deeply that it cannot be read is no request
    assert (found.status_code, depth > 400 or read) == (422 if read else 400, True), found.text
    assert not read or told["errors"][0]["pointer"] == "/body/ops/0/body"
    assert owners.seen == []


async def test_what_an_act_says_of_itself_in_its_body_changes_nothing_of_it(owners: Owners) -> None:
    one = act("case.open", body={**_LOOKALIKES, "case_id": str(new_id()), "acted_at": "1999-01-01T00:00:00Z"})
    assert results(await owners.push(one)) == ["applied"]
    [(target, asked)] = owners.seen
    assert (target, asked.header(b"idempotency-key")) == (b"/v1/cases", one["op_id"].encode())
    assert orjson.loads(asked.body)["case_id"] == one["subject_id"]


@pytest.mark.parametrize("subject", ["../../audit/entries", "%2e%2e", "me", "1/../2", "\u0000", "{}"])
async def test_a_subject_is_an_id(owners: Owners, subject: str) -> None:
    found = await sent(owners, orjson.dumps({"device_id": "p", "ops": [{**act(), "subject_id": subject}]}))
    assert (found.status_code, owners.seen) == (422, [])


async def test_things_of_others_are_not_found_by_trying(owners: Owners) -> None:
    """Check 38: with envelopes as little as at the door."""
    acts = [act() for _ in range(300)]
    for each in acts:
        owners.answers[each["subject_id"]] = (404, {"type": "/problems/not_found", "status": 404}, b"")
    first, rest = await owners.push(*acts[:150]), await owners.push(*acts[150:])
    assert len(owners.seen) <= 110, "as many as somebody may ask for at the door"
    told = [each for each in (*first, *rest) if each["result"] == "retry"]
    assert {(each["status"], code(each)) for each in told} == {(429, "too_many_refused")}
    assert all(each["retry_after"] > 0 for each in told)


@pytest.mark.parametrize("problem", ["scope_missing", "not_assistable"])
async def test_what_an_owner_says_of_who_asks_is_not_the_last_word_on_an_act(owners: Owners, problem: str) -> None:
    one = act()
    owners.answers[one["subject_id"]] = (403, {"type": f"/problems/{problem}", "status": 403}, b"")
    [told] = await owners.push(one, actor=HELPER, actions=["gateway.sync"])
    assert (told["result"], told["status"], code(told)) == ("retry", 403, problem)
    owners.answers.clear()
    assert results(await owners.push(one)) == ["applied"]


async def test_another_body_under_the_owners_key_leaves_the_first_act_as_it_was(owners: Owners) -> None:
    one = act()
    changed = {**one, "body": {"progress": 6}}
    owners.answers[one["subject_id"]] = (422, {"type": "/problems/idempotency_key_reused", "status": 422}, b"")
    [told] = await owners.push(changed)
    assert (told["result"], code(told)) == ("rejected", "op_reused")
    owners.answers[one["subject_id"]] = (200, {"version": 3}, b"idempotency-replayed: true\r\n")
    assert results(await owners.push(one)) == ["duplicate"]


async def test_what_follows_a_conflict_waits_until_that_is_settled(owners: Owners) -> None:
    first = act("profile.revise", base_version=3)
    then = act("case.confirm", after=first["op_id"])
    owners.answers[first["subject_id"]] = (409, {"type": "/problems/stale", "status": 409}, b"")
    assert results(await owners.push(first, then)) == ["conflict", "retry"]
    owners.answers.clear()
    assert results(await owners.push({**first, "base_version": 4}, then)) == ["applied", "applied"]


async def test_what_was_done_although_its_answer_is_not_kept_is_a_duplicate(owners: Owners) -> None:
    one = act()
    owners.answers[one["subject_id"]] = (409, {"type": "/problems/answer_not_kept", "status": 409}, b"")
    assert results(await owners.push(one)) == ["duplicate"]
    assert results(await owners.push(one)) == ["duplicate"]


async def test_two_tabs_ask_an_owner_once_and_are_told_the_same(owners: Owners) -> None:
    acts = [act() for _ in range(40)]
    refused = (409, {"type": "/problems/activity_over", "status": 409}, b"")
    owners.turns = {each["subject_id"]: [refused] for each in acts[::2]}  # and whoever asks then may do it
    both = await asyncio.gather(owners.push(*acts), owners.push(*acts))
    told = [{each["op_id"]: each["result"].replace("duplicate", "applied") for each in found} for found in both]
    assert told[0] == told[1]
    assert set(owners.asked().values()) == {1}


async def test_one_person_has_four_acts_under_way_and_no_more_in_however_many_envelopes(owners: Owners) -> None:
    """Check 38: nobody keeps the connections to an owner busy."""
    pushes = [owners.send(*(act() for _ in range(20))) for _ in range(12)]
    answers = await asyncio.gather(*pushes)
    assert owners.most_at_once <= 4
    statuses = [each.status_code for each in answers]
    assert set(statuses) == {200, 429}, statuses
    refused = next(each for each in answers if each.status_code == 429)
    assert (refused.json()["type"], int(refused.headers["retry-after"]) > 0) == ("/problems/too_many_requests", True)


async def test_what_was_begun_for_a_device_that_left_gets_its_receipt(owners: Owners, database: Database) -> None:
    acts = [act() for _ in range(60)]
    owners.seconds = 0.1
    leaving = asyncio.create_task(owners.send(*acts, headers={"accept": "application/x-ndjson"}))
    await asyncio.sleep(0.5)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    async with asyncio.timeout(10):
        while True:
            kept = await _kept(database)
            if kept and kept == len(owners.seen):
                break
            await asyncio.sleep(0.05)
    assert kept < len(acts), "what was not begun is left"
    owners.seconds = 0.005
    assert set(results(await owners.push(*acts))) == {"applied", "duplicate"}
    assert set(owners.asked().values()) == {1}


async def test_acts_of_a_device_that_left_are_refused_as_others_are(
    owners: Owners, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    first = act()
    owners.answers[first["subject_id"]], owners.seconds = (409, REFUSED, b""), 0.3
    leaving = asyncio.create_task(owners.send(first, act(after=first["op_id"])))
    while not owners.seen:
        await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    async with asyncio.timeout(10):
        while not await _kept(database):
            await asyncio.sleep(0.05)
    assert [each.message for each in caplog.records if each.name == "gateway.sync.pushing"] == []


async def test_a_long_problem_is_told_in_short(owners: Owners) -> None:
    acts = [act() for _ in range(200)]
    errors = [{"pointer": "/body/" + "字" * 300, "detail": "-"} for _ in range(20)]
    told = {"type": "/problems/invalid", "title": "Some of what was sent is not valid.", "status": 422}
    for each in acts:
        owners.answers[each["subject_id"]] = (422, {**told, "errors": errors}, b"")
    found = await owners.send(*acts)
    assert len(found.content) < 200 * 600, "a slow reader holds no more than that"
    assert [each["problem"] for each in found.json()["results"]] == [told] * 200


async def test_a_receipt_is_kept_of_nobody_who_was_erased_meanwhile(owners: Owners, database: Database) -> None:
    await owners.push(act())
    async with database.raw_transaction() as connection:
        await connection.execute("delete from sync_receipt")
        await connection.execute("insert into erased_person values ($1, now())", ME)
    assert results(await owners.push(act())) == ["applied"]
    async with database.look() as connection:
        assert await receipts.find(connection, ME, [new_id()]) == {}
        assert await connection.fetchval("select count(*) from sync_receipt") == 0
