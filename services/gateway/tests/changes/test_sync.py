"""`GET /v1/sync/changes`: all that there is, then what changes, and a cursor that says when it no longer holds."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest

import orgtree
from contracts.identity import RoleDefinedV1
from contracts.members import MemberAffiliatedV1
from database import Database, new_id
from gateway.change_log import Row
from gateway.changes import keeping
from testkit.delivery import tell
from testkit.tokens import TokenIssuer

from ..events import established, hand_over
from ..subjects.owners import opened_owners
from .serving import ME, MINE, OTHER, Served, changes, log, row, served, until_read

BRANCH, COUNTY = UUID(int=12), UUID(int=11)
Headers = dict[str, str]


def ids(answer: Mapping[str, object], *, gone: bool = False) -> list[int]:
    told = answer["changes"]
    assert isinstance(told, list)
    return [UUID(each["subject_id"]).int for each in told if each["gone"] == gone]


async def problem(gateway: Served, headers: Headers, **query: object) -> tuple[int, str]:
    answer = await gateway.client.get("/v1/sync/changes", params=query, headers=headers)  # type: ignore[arg-type]
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


async def test_the_first_call_gives_all_there_is_in_pages_and_then_what_changes(
    database: Database, gateway: Served, me: Headers
) -> None:
    await log(database, *(row(number, gone=number == 3) for number in range(1, 6)))
    first = await changes(gateway, me, limit=3)
    assert (ids(first), first["more"], first["reset"]) == ([1, 2], True, [])
    rest = await changes(gateway, me, limit=3, cursor=first["cursor"])
    assert (ids(rest), rest["more"]) == ([4, 5], False)
    assert ids(await changes(gateway, me, cursor=rest["cursor"])) == []
    await log(database, row(2, 2), row(4, 2, gone=True))
    later = await changes(gateway, me, cursor=rest["cursor"])
    assert (ids(later), ids(later, gone=True)) == ([2], [4])
    assert later["changes"][0] == {
        "scope": "cases",
        "subject_id": str(UUID(int=2)),
        "version": 2,
        "gone": False,
        "data": None,
    }


async def test_what_changed_comes_as_its_owner_gives_it_and_who_does_not_answer_is_named(
    database: Database, database_url: str, issuer: TokenIssuer, me: Headers
) -> None:
    mine = Row("courses", UUID(int=3), MINE, 7, gone=False, part=True)
    meeting = row(2, scope="activities", audience=f"members:{orgtree.ROOT_ID}")
    await log(database, row(1, 5), meeting, mine, row(4, gone=True), row(5), row(6, scope="profile"))
    async with opened_owners() as owners, served(database_url, issuer, urls=owners.urls) as gateway:
        owners.own("case", UUID(int=1), UUID(int=4), status="open")
        owners.own("activity", UUID(int=2))
        owners.own("lesson", UUID(int=3))
        told = await changes(gateway, me)
        data = {UUID(each["subject_id"]).int: (each["data"] or {}).get("title") for each in told["changes"]}
        titled = {number: f"题目 {UUID(int=number)}" for number in (1, 2, 3)}
        assert (data, told["incomplete"]) == ({**titled, 5: None, 6: None}, [])
        assert {UUID(each["subject_id"]).int: each["version"] for each in told["changes"]}[3] is None
        owners.silent.add("feedback")
        told = await changes(gateway, me)
        data = {UUID(each["subject_id"]).int: (each["data"] or {}).get("title") for each in told["changes"]}
        assert (data, told["incomplete"]) == ({**titled, 1: None, 5: None, 6: None}, ["feedback"])


async def test_an_answer_is_stored_nowhere(gateway: Served, me: Headers) -> None:
    answer = await gateway.client.get("/v1/sync/changes", headers=me)
    assert answer.headers["cache-control"] == "no-store"


async def test_what_changes_while_the_pages_are_read_is_read_too(
    database: Database, gateway: Served, me: Headers
) -> None:
    await log(database, *(row(number) for number in range(1, 5)))
    first = await changes(gateway, me, limit=2)
    await log(database, row(1, 2, gone=True), row(4, 2))
    second = await changes(gateway, me, limit=10, cursor=first["cursor"])
    assert (ids(second), ids(second, gone=True)) == ([3, 4], [1])


async def test_nobody_reads_what_others_see(database: Database, gateway: Served, issuer: TokenIssuer) -> None:
    await log(database, row(1), row(2, audience=f"members:{BRANCH}"), row(3, audience=f"members:{orgtree.ROOT_ID}"))
    assert ids(await changes(gateway, issuer.headers(OTHER))) == [3]


async def test_a_thing_is_gone_for_who_sees_it_in_no_audience_any_more(
    database: Database, gateway: Served, me: Headers
) -> None:
    at_root = f"members:{orgtree.ROOT_ID}"
    await log(database, row(1), row(1, audience=at_root))
    cursor = (await changes(gateway, me))["cursor"]
    await log(database, row(1, 2, gone=True), row(1, 2, audience=at_root))
    assert ids(await changes(gateway, me, cursor=cursor)) == [1]
    await log(database, row(1, 3, audience=at_root, gone=True))
    assert ids(await changes(gateway, me, cursor=cursor), gone=True) == [1]


async def test_scopes_are_those_that_are_asked_for_and_that_the_client_may_read(
    database: Database, gateway: Served, issuer: TokenIssuer, me: Headers
) -> None:
    await log(database, row(1), row(2, scope="courses"), row(3, scope="profile"))
    assert ids(await changes(gateway, me, scopes=["courses", "profile"])) == [2, 3]
    third_party = issuer.headers(ME, scope="gateway.read learning.read")
    assert ids(await changes(gateway, third_party)) == [2]
    assert await problem(gateway, third_party, scopes=["cases"]) == (403, "scope_missing")
    assert await problem(gateway, issuer.headers(ME, scope="learning.read")) == (403, "scope_missing")
    assert await problem(gateway, me, scopes=["weather"]) == (422, "invalid")


async def test_a_helper_is_told_of_the_home_alone(database: Database, gateway: Served, issuer: TokenIssuer) -> None:
    await log(database, row(1))
    helper = issuer.headers(ME, actor=OTHER, actions=["gateway.read_home"])
    assert (await changes(gateway, helper))["changes"] == []
    assert await problem(gateway, helper, scopes=["cases"]) == (403, "not_assistable")
    assert await problem(gateway, issuer.headers(ME, actor=OTHER, actions=["learning.study"])) == (
        403,
        "not_assistable",
    )


async def test_a_cursor_is_one_persons_through_one_client(gateway: Served, issuer: TokenIssuer, me: Headers) -> None:
    cursor = (await changes(gateway, me))["cursor"]
    for other in (issuer.headers(OTHER), issuer.headers(ME, client_id="another")):
        assert await problem(gateway, other, cursor=cursor) == (422, "cursor_invalid")
    assert await problem(gateway, me, cursor="x" * len(cursor)) == (422, "cursor_invalid")
    assert await problem(gateway, me, cursor="字" * len(cursor)) == (422, "cursor_invalid")
    assert await problem(gateway, me, cursor=cursor[:-1]) == (422, "invalid")


async def test_who_sees_something_else_by_now_begins_anew(database: Database, gateway: Served, me: Headers) -> None:
    await log(database, row(1), row(2, audience=f"members:{COUNTY}"))
    begun = await changes(gateway, me)
    assert ids(begun) == [1]
    places = [(established(COUNTY, orgtree.ROOT_ID, "county"), 1), (established(BRANCH, COUNTY, "branch"), 1)]
    joined = MemberAffiliatedV1(person_id=ME, organisation_id=BRANCH)
    root = (established(orgtree.ROOT_ID, None, "province"), 1)
    await hand_over(database, orgtree.HANDLERS, [root, *places, (joined, 1)])
    anew = await changes(gateway, me, cursor=begun["cursor"])
    assert (sorted(ids(anew)), anew["reset"]) == ([1, 2], ["activities", "cases", "courses", "home", "profile"])
    assert (await changes(gateway, me, cursor=anew["cursor"]))["reset"] == []
    other = await changes(gateway, me, cursor=anew["cursor"], scopes=["cases"])
    assert (sorted(ids(other)), other["reset"]) == ([1, 2], ["cases"])


async def test_staff_are_told_of_what_they_have_to_do(database: Database, gateway: Served, issuer: TokenIssuer) -> None:
    role = RoleDefinedV1(role_id=new_id(), role="officer", permissions=("feedback.case.answer",))
    await tell(database, orgtree.HANDLERS, role)
    await log(database, row(1, audience=f"staff:feedback.case.answer:{COUNTY}"))
    assert ids(await changes(gateway, issuer.headers(ME, [("officer", COUNTY)]))) == [1]
    assert ids(await changes(gateway, issuer.headers(ME, [("officer", BRANCH)]))) == []


async def test_a_cursor_from_before_what_was_purged_is_told_where_to_begin(
    database: Database, gateway: Served, me: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log(database, row(1), row(2))
    old = (await changes(gateway, me))["cursor"]
    await log(database, row(1, 2, gone=True))
    monkeypatch.setattr(keeping, "KEPT_FOR", timedelta(0))
    await keeping.keep(database)
    refused = await gateway.client.get("/v1/sync/changes", params={"cursor": old}, headers=me)
    assert (refused.status_code, refused.json()["type"]) == (410, "/problems/cursor_expired")
    anew = await changes(gateway, me, cursor=refused.json()["cursor"])
    assert (ids(anew), anew["reset"]) == ([2], [])
    assert ids(await changes(gateway, me, cursor=anew["cursor"])) == []


async def test_who_reads_now_and_then_does_not_expire(database: Database, gateway: Served, me: Headers) -> None:
    await log(database, row(1))
    first = (await changes(gateway, me))["cursor"]
    await log(database, row(9, audience="person:nobody", gone=True))
    await keeping.keep(database)
    cursor = (await changes(gateway, me, cursor=first))["cursor"]
    async with database.raw_transaction() as connection:
        await connection.execute("update change_mark set marked_at = marked_at - $1::interval", keeping.KEPT_FOR)
    await keeping.keep(database)
    assert ids(await changes(gateway, me, cursor=cursor)) == []
    assert await problem(gateway, me, cursor=first) == (410, "cursor_expired")


async def test_after_a_restored_database_everybody_begins_anew_and_misses_nothing(
    database: Database, gateway: Served, me: Headers
) -> None:
    await log(database, row(1))
    cursor = (await changes(gateway, me))["cursor"]
    async with database.raw_transaction() as connection:  # as a dump brings it into another cluster
        await connection.execute("update change_log set cluster = cluster + 1")
        await connection.execute("update change set txid = '4611686018427387904'")
    assert ids(await changes(gateway, me)) == []
    await keeping.keep(database)
    await until_read(database)
    anew = await changes(gateway, me, cursor=cursor)
    assert (ids(anew), anew["reset"][:1]) == ([1], ["activities"])
