"""Acts that come later: each goes to its owner once, in order, and has one result, whatever fails on the way."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from database import Database, new_id
from gateway.sync import own_data, pushing, receipts
from gateway.sync.kinds import KINDS
from privacy import Asked as AskedOfPerson

from .owners import HELPER, ME, NOW, OTHER, REFUSED, Owners, act, code, results


async def test_each_kind_is_asked_of_its_owner_with_the_callers_token_and_its_key(owners: Owners) -> None:
    acts = [act(kind, base_version=3, body={"words": 1}) for kind in KINDS]
    assert set(results(await owners.push(*acts, headers={"accept-language": "en"}))) == {"applied"}
    by_key = {(asked.header(b"idempotency-key") or b"").decode(): asked for _, asked in owners.seen}
    for each in acts:
        kind, asked = KINDS[each["kind"]], by_key[each["op_id"]]
        assert (asked.method, asked.target.decode()) == (kind.method, kind.path.format(each["subject_id"]))
        assert (asked.header(b"authorization") or b"").startswith(b"Bearer ")
        assert asked.header(b"accept-language") == b"en"
        body = orjson.loads(asked.body)
        assert body.pop("words") == 1
        told = {kind.acted_at: NOW.isoformat(), kind.subject: each["subject_id"], kind.base: 3}
        assert body == {field: value for field, value in told.items() if field is not None}
        assert asked.header(b"if-match") == (None if kind.base else b'"3"')


async def test_an_act_that_is_sent_again_is_a_duplicate_and_asked_of_nobody(owners: Owners) -> None:
    acts = [act() for _ in range(20)]
    first = await owners.push(*acts)
    assert [(each["result"], each["version"]) for each in first] == [("applied", 7)] * 20
    again = await owners.push(*acts[::-1])
    assert [each["op_id"] for each in again] == [each["op_id"] for each in acts[::-1]]
    assert set(results(again)) == {"duplicate"}
    assert set(owners.asked().values()) == {1}


async def test_without_receipts_an_act_of_three_days_ago_is_asked_of_its_owner_again(
    owners: Owners, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def keep_nothing(*_: Any, **__: Any) -> None: ...

    monkeypatch.setattr(receipts, "keep", keep_nothing)
    one = act()
    await owners.push(one)
    await owners.push(one)
    assert owners.asked()[one["op_id"]] == 2


async def test_two_tabs_that_send_the_same_at_once_get_one_effect_each_by_the_owners_key(owners: Owners) -> None:
    acts = [act() for _ in range(10)]
    both = await asyncio.gather(owners.push(*acts), owners.push(*acts))
    assert {frozenset(results(found)) <= {"applied", "duplicate"} for found in both} == {True}
    assert all(times <= 2 for times in owners.asked().values()), "each time under the same key"
    assert set(results(await owners.push(*acts))) == {"duplicate"}


async def test_what_an_owner_replays_is_a_duplicate(owners: Owners) -> None:
    one = act()
    owners.answers[one["subject_id"]] = (200, {"version": 4}, b"idempotency-replayed: true\r\n")
    assert results(await owners.push(one)) == ["duplicate"]


async def test_another_act_under_an_id_is_refused_and_the_first_stands(owners: Owners) -> None:
    one = act()
    await owners.push(one)
    changed = [{**one, "body": {"progress": 6}}, {**one, "subject_id": str(new_id())}, {**one, "kind": "register"}]
    for other in changed:
        (told,) = await owners.push(other)
        assert (told["result"], told["status"], code(told)) == ("rejected", 422, "op_reused")
    assert results(await owners.push(one)) == ["duplicate"]


async def test_what_is_never_tried(owners: Owners) -> None:
    acts = [
        act(person_id=str(OTHER)),
        act("opinion.add"),
        act(acted_at=(datetime.now(UTC) + timedelta(minutes=6)).isoformat()),
        act(acted_at=(NOW - timedelta(days=731)).isoformat()),
        act(after=str(new_id())),
    ]
    told = await owners.push(*acts)
    assert set(results(told)) == {"rejected"}
    wrong = ["other_person", "unknown_kind", "acted_in_future", "acted_too_long_ago", "depends_on"]
    assert [code(each) for each in told] == wrong
    assert owners.seen == []
    mine = {**acts[0], "person_id": str(ME)}
    assert results(await owners.push(mine)) == ["applied"], "nothing was kept of what was never tried"


async def test_answers_become_results(owners: Owners) -> None:
    told = {
        409: ({"type": "/problems/stale", "status": 409, "conflicts": {"phone": [1, 2]}}, b"", "conflict"),
        412: ({"type": "/problems/version_past", "status": 412, "version": 9}, b'etag: "9"\r\n', "conflict"),
        404: ({"type": "/problems/not_found", "status": 404}, b"", "rejected"),
        422: ({"type": "/problems/invalid", "status": 422}, b"", "rejected"),
        429: ({"type": "/problems/too_often", "status": 429}, b"retry-after: 77\r\n", "retry"),
        503: ({"type": "/problems/unavailable", "status": 503}, b"", "retry"),
        401: ({"type": "/problems/token_invalid", "status": 401}, b"", "retry"),
    }
    acts = {status: act() for status in told}
    for status, one in acts.items():
        owners.answers[one["subject_id"]] = (status, *told[status][:2])
    found = dict(zip(acts, await owners.push(*acts.values()), strict=True))
    assert {status: each["result"] for status, each in found.items()} == {
        status: result for status, (_, _, result) in told.items()
    }
    assert found[409]["problem"]["conflicts"] == {"phone": [1, 2]}
    assert found[412]["version"] == 9
    assert found[429]["retry_after"] == 77
    owners.answers.clear()
    again = dict(zip(acts, results(await owners.push(*acts.values())), strict=True))
    final = {404, 422}
    assert again == {status: "rejected" if status in final else "applied" for status in acts}


async def test_acts_on_one_thing_keep_their_order_and_wait_for_one_that_must_be_sent_again(owners: Owners) -> None:
    owners.away = {"learning"}
    lesson, meeting = new_id(), new_id()
    acts = [act(subject=lesson), act("register", subject=meeting), act(subject=lesson), act("attend", subject=meeting)]
    assert results(await owners.push(*acts)) == ["retry", "applied", "retry", "applied"]
    in_order = [target for target, asked in owners.seen if asked.header(b"idempotency-key") in _keys(acts[1], acts[3])]
    assert [target.rpartition(b"/")[2] for target in in_order] == [b"registrations", b"attendances"]
    assert not any(asked.header(b"idempotency-key") in _keys(acts[2]) for _, asked in owners.seen)
    owners.away = set()
    assert results(await owners.push(*acts)) == ["applied", "duplicate", "applied", "duplicate"]


def _keys(*acts: dict[str, Any]) -> set[bytes]:
    return {each["op_id"].encode() for each in acts}


async def test_what_depends_on_another_act_follows_its_result(owners: Owners) -> None:
    good, bad, late = act("case.open"), act("register"), act("progress")
    owners.answers[bad["subject_id"]] = (409, REFUSED, b"")
    owners.away = {"learning"}
    followers = [act("case.confirm", after=each["op_id"]) for each in (good, bad, late)]
    told = await owners.push(good, bad, late, *followers)
    assert results(told) == ["applied", "rejected", "retry", "applied", "rejected", "retry"]
    assert code(told[4]) == "depends_on"
    owners.away = set()
    later = [act("case.confirm", after=each["op_id"]) for each in (good, bad)]
    assert results(await owners.push(*later)) == ["applied", "rejected"], "by their receipts"
    backwards = [act("case.confirm", after=None), act("case.open")]
    backwards[0]["after"] = backwards[1]["op_id"]
    assert results(await owners.push(*backwards)) == ["rejected", "applied"]


async def test_four_things_at_a_time_and_what_gets_no_turn_is_sent_again(
    owners: Owners, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts = [act() for _ in range(60)]
    await owners.push(*acts)
    assert owners.most_at_once == 4
    monkeypatch.setattr(pushing, "SECONDS", 0.05)
    more = [act() for _ in range(200)]
    told = await owners.push(*more)
    assert {"applied", "retry"} >= set(results(told))
    assert "retry" in results(told)
    monkeypatch.setattr(pushing, "SECONDS", 20.0)
    assert set(results(await owners.push(*more))) <= {"applied", "duplicate"}


async def test_results_come_line_by_line_where_they_are_wanted_so(owners: Owners) -> None:
    acts = [act() for _ in range(30)]
    found = await owners.gateway.client.post(
        "/v1/sync/push",
        json={"device_id": "phone", "ops": acts},
        headers={**owners.issuer.headers(ME), "accept": "application/x-ndjson"},
    )
    assert found.headers["content-type"] == "application/x-ndjson"
    lines = [orjson.loads(line) for line in found.content.splitlines()]
    assert {(each["op_id"], each["result"]) for each in lines} == {(each["op_id"], "applied") for each in acts}


async def test_a_helper_sends_for_the_person_and_stands_on_the_receipt(owners: Owners, database: Database) -> None:
    one = act()
    assert results(await owners.push(one, actor=HELPER, actions=["gateway.sync"])) == ["applied"]
    refused = await owners.gateway.client.post(
        "/v1/sync/push", json={"device_id": "phone", "ops": [act()]}, headers=owners.issuer.headers(ME, actor=HELPER)
    )
    assert refused.status_code == 403
    async with database.read() as session:
        told = await own_data.compose(AskedOfPerson(session, ME))
    assert [(row["op_id"], row["by_helper"]) for row in told["sync_receipts"]] == [(UUID(one["op_id"]), True)]
    async with database.transaction() as session:
        await own_data.forget(session, [HELPER])
    async with database.look() as connection:
        assert await connection.fetchval("select actor_id from sync_receipt") is None
    async with database.transaction() as session:
        await own_data.forget(session, [ME])
    async with database.look() as connection:
        assert await connection.fetchval("select count(*) from sync_receipt") == 0


async def test_a_receipt_keeps_nothing_that_its_owner_told_of_the_subject(owners: Owners, database: Database) -> None:
    one = act("register")
    owners.answers[one["subject_id"]] = (409, REFUSED, b"")
    await owners.push(one)
    async with database.look() as connection:
        kept = await connection.fetchval("select problem::text from sync_receipt")
    assert "activity_over" in kept
    assert "a name" not in kept


@pytest.mark.parametrize(
    ("envelope", "status", "said"),
    [
        ({"device_id": "p", "ops": []}, 422, "/body/ops"),
        ({"device_id": "p", "ops": [act() for _ in range(201)]}, 422, "/body/ops"),
        ({"device_id": "p", "ops": [act("case.open", body={"text": "字" * 90_000})]}, 413, "body_too_large"),
        ({"device_id": "p", "ops": [act("\u0000" * 300_000)]}, 413, "body_too_large"),
        ({"device_id": "", "ops": [act()]}, 422, "/body/device_id"),
        ({"device_id": "p", "ops": [act(base_version=-1)]}, 422, "/body/ops/0/base_version"),
        ({"device_id": "p", "ops": [act(acted_at=1765000000000)]}, 422, "/body/ops/0/acted_at"),
        ({"device_id": "p", "ops": [act()] * 2}, 422, "ops_repeated"),
    ],
)
async def test_bad_envelopes(owners: Owners, envelope: dict[str, Any], status: int, said: str) -> None:
    found = await owners.gateway.client.post("/v1/sync/push", json=envelope, headers=owners.issuer.headers(ME))
    assert found.status_code == status, found.text
    assert said in found.text
    assert owners.seen == []


async def test_months_are_made_ahead_and_dropped_when_nothing_of_them_is_kept(
    owners: Owners, database: Database
) -> None:
    await owners.push(*(act() for _ in range(3)))
    async with database.raw_transaction() as connection:
        await connection.execute(
            "create table sync_receipt_202001 partition of sync_receipt "
            "for values from ('2020-01-01') to ('2020-02-01')"
        )
    for _ in range(2):
        await receipts.keep_months(database)
    async with database.look() as connection:
        parts = await connection.fetch(
            "select relname from pg_class where relname like 'sync_receipt_2%' and relkind = 'r'"
        )
        assert await connection.fetchval("select count(*) from sync_receipt") == 3
        assert await connection.fetchval("select count(*) from sync_receipt_default") == 0
    assert len(parts) == 2
    assert "sync_receipt_202001" not in {row["relname"] for row in parts}
