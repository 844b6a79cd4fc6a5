"""Cases over HTTP: opened by anyone, answered by who is responsible, confirmed by the person, sealed at rest."""

import asyncio
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from database import Database, new_id, raw
from orgtree import ROOT_ID
from testkit.county import BRANCH, COUNTY, OTHER_BRANCH, OTHER_COUNTY, TOWNSHIP, County, Person
from testkit.databases import TestDatabases

from .cases import WORDS, assign, assign_roads, opened, problem, words

ANSWER = "路灯已于今日修复。"


@pytest_asyncio.fixture(autouse=True)
async def roads(county: County) -> None:
    await assign_roads(county.person(("registrar", ROOT_ID)))


@pytest.fixture
def office(county: County) -> Person:
    return county.person(("branch_secretary", COUNTY))


async def test_a_villager_without_a_branch_opens_a_case_that_is_answered_and_confirmed(
    county: County, office: Person, published: Any
) -> None:
    villager = county.person()
    case = await opened(villager)
    path = f"/cases/{case['case_id']}"
    assert (case["responsible_id"], case["status"]) == (str(COUNTY), "open")
    answered = await office.post(f"{path}/answers", {"text": ANSWER})
    assert (answered.status_code, answered.json()["status"]) == (201, "answered")
    confirmed = await villager.post(f"{path}/confirmation")
    assert (confirmed.status_code, confirmed.json()["status"]) == (200, "confirmed")
    entries = (await villager.get(path)).json()["entries"]
    assert [(entry["kind"], entry["text"]) for entry in entries] == [
        ("opened", WORDS),
        ("answered", ANSWER),
        ("confirmed", None),
    ]
    assert entries[1]["actor_id"] == str(office.person_id)
    assert [(what, version, data["status"]) for what, _, version, data in await published("case")] == [
        ("opened.v1", 1, "open"),
        ("answered.v1", 2, "answered"),
        ("confirmed.v1", 3, "confirmed"),
    ]


async def test_the_same_case_under_its_id_is_opened_once(county: County, published: Any) -> None:
    villager, body = county.person(), words(case_id=str(new_id()))
    answers = await asyncio.gather(*(villager.post("/cases", body) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(await published("case")) == 1


async def test_a_taken_id_does_not_open_another_case(county: County) -> None:
    villager, body = county.person(), words(case_id=str(new_id()))
    await villager.post("/cases", body)
    assert problem(await villager.post("/cases", {**body, "text": "别的事"})) == (409, "case_id_taken")
    assert problem(await county.person().post("/cases", body)) == (409, "case_id_taken")


async def test_an_idempotency_key_answers_once(county: County, office: Person) -> None:
    path = f"/cases/{(await opened(county.person()))['case_id']}/answers"
    answers = [await office.post(path, {"text": ANSWER}, idempotency_key="a1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert problem(await office.post(path, {"text": ANSWER})) == (409, "case_not_open")


async def test_of_answers_that_come_at_once_one_is_taken(county: County, office: Person, published: Any) -> None:
    path = f"/cases/{(await opened(county.person()))['case_id']}/answers"
    answers = await asyncio.gather(*(office.post(path, {"text": ANSWER}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert [version for _, _, version, _ in await published("case")] == [1, 2]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"text": ""}, (422, "invalid")),
        ({"text": "字" * 4001}, (422, "invalid")),
        ({"status": "answered"}, (422, "invalid")),
        ({"organisation_id": str(new_id())}, (422, "place_unknown")),
        ({"category": "water"}, (422, "category_without_owner")),
    ],
)
async def test_what_makes_no_case_is_refused(county: County, fields: dict[str, Any], expected: tuple[int, str]) -> None:
    assert problem(await county.person().post("/cases", words(**fields))) == expected


async def test_a_case_is_hidden_from_everybody_it_does_not_concern(county: County) -> None:
    case = await opened(county.person())
    path = f"/cases/{case['case_id']}"
    strangers = (
        county.person(),
        await county.member(BRANCH),
        county.person(("branch_secretary", OTHER_COUNTY), ("registrar", ROOT_ID)),
    )
    for stranger in strangers:
        assert (await stranger.get(path)).status_code == 404
        assert (await stranger.post(f"{path}/confirmation")).status_code == 404
        assert await stranger.all("/cases") == []
    assert (await strangers[2].post(f"{path}/answers", {"text": ANSWER})).status_code == 404
    assert problem(await strangers[0].post(f"{path}/answers", {"text": ANSWER})) == (403, "permission_missing")


async def test_staff_of_the_place_and_of_the_responsible_organisation_see_a_case(county: County) -> None:
    await assign(county.person(("registrar", ROOT_ID)), OTHER_BRANCH, TOWNSHIP)
    case = await opened(county.person(), OTHER_BRANCH)
    for place in (OTHER_BRANCH, OTHER_COUNTY, TOWNSHIP, COUNTY):
        officer = county.person(("officer", place))
        assert [item["case_id"] for item in await officer.all("/cases")] == [case["case_id"]]
        assert (await officer.get(f"/cases/{case['case_id']}")).json()["entries"][0]["text"] == WORDS


async def test_who_sees_a_case_but_is_not_responsible_cannot_answer_it(county: County) -> None:
    case = await opened(county.person())
    secretary = county.person(("branch_secretary", BRANCH))
    answer = await secretary.post(f"/cases/{case['case_id']}/answers", {"text": ANSWER})
    assert problem(answer) == (403, "not_responsible")


async def test_only_the_reporter_confirms_and_only_an_answer(county: County, office: Person) -> None:
    villager = county.person()
    path = f"/cases/{(await opened(villager))['case_id']}"
    assert problem(await villager.post(f"{path}/confirmation")) == (409, "case_not_answered")
    await office.post(f"{path}/answers", {"text": ANSWER})
    assert problem(await office.post(f"{path}/confirmation")) == (403, "not_the_reporter")
    confirmed = [await villager.post(f"{path}/confirmation") for _ in range(2)]
    assert [answer.status_code for answer in confirmed] == [200, 200]
    assert confirmed[0].json() == confirmed[1].json()


async def test_ones_own_cases_are_listed_in_pages_from_the_latest(county: County) -> None:
    villager = county.person()
    ids = [(await opened(villager))["case_id"] for _ in range(5)]
    await opened(county.person())
    assert [item["case_id"] for item in await villager.all("/cases")] == ids[::-1]
    assert await villager.all("/cases", status="answered") == []
    assert "text" not in (await villager.get("/cases")).text


async def test_who_has_an_office_lists_their_own_alone_and_reads_nobody_elses_by_it(
    county: County, office: Person, database: Database
) -> None:
    await opened(county.person())
    own = (await opened(office))["case_id"]
    assert [item["case_id"] for item in await office.all("/cases", mine="true")] == [own]
    async with database.read() as session:
        listed = "select count(*) from audit.entry where action = 'feedback.case.listed'"
        assert await (await raw(session)).fetchval(listed) == 0
    assert len(await office.all("/cases")) == 2


async def test_cases_are_listed_by_their_ids_and_those_one_may_not_see_are_left_out(county: County) -> None:
    villager, other = county.person(), county.person()
    own, of_another = [(await opened(villager))["case_id"] for _ in range(3)], (await opened(other))["case_id"]
    asked = [own[0], of_another, own[2], str(new_id())]

    async def seen(reader: Person) -> set[str]:
        return {item["case_id"] for item in (await reader.get("/cases", case_id=asked)).json()["items"]}

    assert await seen(villager) == {own[0], own[2]}
    assert await seen(county.person(("officer", COUNTY))) == {own[0], own[2], of_another}
    helped = {"person_id": villager.person_id, "actor": new_id()}
    assert await seen(county.person(**helped, actions=["feedback.confirm_case"])) == {own[0], own[2]}
    refused = await county.person(**helped, actions=["feedback.open_case"]).get("/cases", case_id=asked)
    assert problem(refused) == (403, "not_assistable")


async def test_what_people_say_is_readable_nowhere_in_the_database(
    county: County, office: Person, database: Database
) -> None:
    villager = county.person()
    answer = await villager.post("/cases", words(), idempotency_key="k1")
    await office.post(f"/cases/{answer.json()['case_id']}/answers", {"text": ANSWER}, idempotency_key="k2")
    kept = ""
    async with database.read() as session:
        connection = await raw(session)
        for (table,) in await connection.fetch("select tablename from pg_tables where schemaname = 'public'"):
            rows = await connection.fetch(f'select everything::text from "{table}" everything')  # noqa: S608 - no input
            kept += "".join(row[0] for row in rows)
    assert str(villager.person_id) in kept
    for said in (WORDS, ANSWER):
        assert said not in kept
        assert said.encode().hex() not in kept  # as PostgreSQL writes bytes


async def test_two_texts_swapped_in_the_database_do_not_open(
    county: County, database: Database, databases: TestDatabases
) -> None:
    """Check 24: the words of cases."""
    villager = county.person()
    first, second = await opened(villager), await opened(villager, text="另一件事")
    superuser = await asyncpg.connect(databases.superuser_url_of(database.dsn))
    await superuser.execute("set session_replication_role = replica")  # no trigger says that entries stay
    await superuser.execute(
        "update case_entry set text = (select text from case_entry where case_id = $1) where case_id = $2",
        first["case_id"],
        second["case_id"],
    )
    await superuser.close()
    assert problem(await villager.get(f"/cases/{second['case_id']}")) == (500, "internal")


@pytest.mark.parametrize(
    "change", ["update case_entry set at = now()", "delete from case_entry", "truncate case_entry"]
)
async def test_the_database_refuses_to_change_what_was_said(county: County, database: Database, change: str) -> None:
    await opened(county.person())
    with pytest.raises(Exception, match="append-only"):
        async with database.transaction() as session:
            await (await raw(session)).execute(change)
