"""Bulk import of members: all or none, errors by row, a second run adds nothing, counts and events equal the files."""

from collections import Counter
from typing import Any
from uuid import UUID

from contracts.identity import PersonErasedV1
from database import Database, new_id, raw
from members.worker import HANDLERS
from testkit.delivery import tell

from .provinces import Province, id_number, member_row


async def count(database: Database, table: str) -> int:
    async with database.read() as session:
        return int(await (await raw(session)).fetchval(f"select count(*) from {table}"))  # noqa: S608 - ours


async def test_a_thousand_members_in_one_request_and_a_second_run_adds_nothing(
    province: Province, database: Database, published: Any
) -> None:
    county = await province.establish()
    branches = [await province.branch(county) for _ in range(25)]
    rows = [member_row(branches[n // 40], person_id=new_id(), away=n % 5 == 0) for n in range(1000)]
    first = await province.registrar.post("/member-imports", {"rows": rows})
    assert first.json() == {"added": 1000, "unchanged": 0}
    second = await province.registrar.post("/member-imports", {"rows": [*rows[1:], member_row(branches[0])]})
    assert second.json() == {"added": 1, "unchanged": 999}
    assert await count(database, "member") == await count(database, "member_version") == 1001
    affiliated = await published("affiliation")
    assert Counter(version for _, _, version, _ in affiliated) == {1: 1001}
    assert {UUID(row["person_id"]) for row in rows} < {key for _, key, _, _ in affiliated}
    counted = {key: data for _, key, _, data in await published("composition")}
    assert {counted[branch]["members"] for branch in branches[1:]} == {40}
    assert counted[branches[0]]["members"] == 41
    assert all(data["away"] == 8 for data in counted.values())


async def test_rows_without_an_id_are_known_by_their_identity_number(province: Province, database: Database) -> None:
    branch = await province.branch()
    rows = [member_row(branch) for _ in range(3)]
    answers = [(await province.registrar.post("/member-imports", {"rows": rows})).json() for _ in range(2)]
    assert answers == [{"added": 3, "unchanged": 0}, {"added": 0, "unchanged": 3}]
    assert await count(database, "member") == 3


async def test_wrong_rows_are_told_by_number_and_rule_and_nothing_is_done(
    province: Province, database: Database
) -> None:
    branch = await province.branch()
    number = id_number()
    rows = [
        member_row(branch),
        member_row(branch, id_number="522701197005170000"),
        member_row(branch, id_number="12345"),
        member_row(branch, id_number="522701197013170016"),
        member_row(new_id()),
        member_row(branch, id_number=number),
        member_row(branch, id_number=f" {number.lower()} "),
    ]
    refused = await province.registrar.post("/member-imports", {"rows": rows})
    assert refused.status_code == 422
    told = [(error["row"], error["rule"], error["requirement"]) for error in refused.json()["rows"]]
    assert told == [
        (2, "id_number", "check_digit"),
        (3, "id_number", "form"),
        (4, "id_number", "birth_date"),
        (5, "organisation_id", "unknown"),
        (7, "id_number", "repeated"),
    ]
    assert await count(database, "member") == await count(database, "composition") == 0


async def test_rows_that_say_something_else_than_the_file_are_duplicates(province: Province) -> None:
    branch = await province.branch()
    rows = [member_row(branch, person_id=new_id()) for _ in range(4)]
    assert (await province.registrar.post("/member-imports", {"rows": rows})).status_code == 200
    other = [
        {**rows[0], "name": "另一人"},
        {**rows[1], "person_id": str(new_id())},
        {**rows[2], "id_number": id_number()},
        rows[3],
    ]
    refused = await province.registrar.post("/member-imports", {"rows": other})
    assert [(error["row"], error["rule"]) for error in refused.json()["rows"]] == [
        (1, "person_id"),
        (2, "id_number"),
        (3, "person_id"),
    ]


async def test_a_file_outside_the_remit_is_never_compared_with(province: Province) -> None:
    county, other = await province.establish(), await province.branch()
    row = member_row(other, person_id=new_id())
    await province.registrar.post("/member-imports", {"rows": [row]})
    registrar = province.person(("registrar", county))
    mine = await province.branch(county)
    refused = await registrar.post("/member-imports", {"rows": [{**row, "organisation_id": str(mine)}]})
    assert [error["requirement"] for error in refused.json()["rows"]] == ["not_enrollable"]


async def test_a_branch_never_has_more_members_than_the_rule_allows(province: Province, database: Database) -> None:
    branch = await province.branch()
    rows = [member_row(branch) for _ in range(51)]
    refused = await province.registrar.post("/member-imports", {"rows": rows})
    assert [(error["row"], error["rule"]) for error in refused.json()["rows"]] == [(51, "branch_size")]
    assert await count(database, "member") == 0
    assert (await province.registrar.post("/member-imports", {"rows": rows[:50]})).status_code == 200


async def test_a_repeated_request_gets_the_first_answer(province: Province, database: Database) -> None:
    rows = [member_row(await province.branch())]
    headers = {"Idempotency-Key": "import-1"}
    answers = [await province.registrar.post("/member-imports", {"rows": rows}, headers=headers) for _ in range(2)]
    assert [answer.json() for answer in answers] == [{"added": 1, "unchanged": 0}] * 2
    assert await count(database, "member") == 1


async def test_a_number_on_file_elsewhere_is_refused_in_words_that_do_not_say_so(province: Province) -> None:
    number = id_number()
    branch, elsewhere = await province.branch(), await province.branch()
    person = await province.enrol(elsewhere, id_number=number)
    registrar = province.person(("registrar", branch))
    refused = await registrar.post("/members", member_row(branch, id_number=number))
    [row] = refused.json()["rows"]
    assert (refused.status_code, row["requirement"]) == (422, "not_enrollable")
    assert not {"file", "already", "exists"} & set(row["en"].split())
    assert "档案" not in row["zh"]
    with_id = await registrar.post("/members", member_row(branch, id_number=number, person_id=person))
    assert with_id.json()["rows"] == [row]
    within = await province.registrar.post("/members", member_row(branch, id_number=number))
    assert within.json()["rows"] == [row]


async def test_somebody_who_was_erased_is_enrolled_under_that_id_no_more(
    province: Province, database: Database
) -> None:
    """They need not have had a file: whoever restores an old list must not bring them back."""
    branch, person_id = await province.branch(), new_id()
    await tell(database, HANDLERS, PersonErasedV1(person_id=person_id))
    rows = [member_row(branch), member_row(branch, person_id=person_id)]
    refused = await province.registrar.post("/member-imports", {"rows": rows})
    assert refused.status_code == 422
    assert [(each["row"], each["rule"], each["requirement"]) for each in refused.json()["rows"]] == [
        (2, "person_id", "erased")
    ]
    assert await count(database, "member") == 0
