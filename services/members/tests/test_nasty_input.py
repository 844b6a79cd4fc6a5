"""Whatever a client sends, it is at fault for it: no number, day, text or cursor ends in an error of ours."""

from uuid import uuid4

import pytest

import orgtree
from testkit.nasty import refused_badly

from .provinces import Province, id_number, member_row


async def test_no_nasty_value_is_an_error_of_ours(province: Province) -> None:
    branch = await province.branch()
    member = await province.enrol(branch)
    known = {
        "organisation_id": str(branch),
        "person_id": str(member),
        "parent_id": str(await province.establish()),
        "id_number": id_number(),
        "phone": "14212345678",
        "division_code": "520424",
        "base_version": 1,
        "purpose": "contact",
        "stage": "full",
    }
    staff = province.person(("registrar", orgtree.ROOT_ID), ("officer", orgtree.ROOT_ID))
    assert await refused_badly(province.http, staff.headers, known) == []


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_a_file_cannot_be_asked_for_as_of_a_day_beyond_the_calendar(province: Province, day: str) -> None:
    member = await province.enrol(await province.branch())
    refused = await province.person(person_id=member).get(f"/members/{member}", params={"as_of": day})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/query/as_of")


@pytest.mark.parametrize("version", [2**31, 2**63, 10**40])
async def test_a_version_that_no_file_can_have_is_refused(province: Province, version: int) -> None:
    member = await province.enrol(await province.branch())
    body = {"base_version": version, "away": True}
    assert (await province.person(person_id=member).post(f"/members/{member}/revisions", body)).status_code == 422


@pytest.mark.parametrize(
    ("language", "empty", "null"),
    [
        ("en", "Send at least one field besides base_version", "Only the phone can be null"),
        ("zh", "请至少提交一项要更改的内容", "只有电话可以为 null"),
    ],
)
async def test_a_change_that_is_none_is_refused_with_what_to_do(
    province: Province, language: str, empty: str, null: str
) -> None:
    person = province.person(person_id=uuid4())
    path, headers = f"/members/{person.person_id}/revisions", {"accept-language": language}
    for body, rule, message in (
        ({"base_version": 1}, "nothing_to_change", empty),
        ({"base_version": 1, "away": None}, "only_the_phone_can_go", null),
    ):
        [error] = (await person.post(path, body, headers=headers)).json()["errors"]
        assert (error["pointer"], error["rule"]) == ("/body", rule)
        assert message in error["message"]


async def test_a_name_stands_on_one_line_of_seen_characters(province: Province) -> None:
    row = {"parent_id": str(orgtree.ROOT_ID), "kind": "committee", "level": "county", "name": "中共\x00某县"}
    refused = await province.registrar.post("/organisations", row)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/body/name")
    taken = await province.registrar.post("/organisations", {**row, "name": "中共\n某县\u3000委员会\n"})
    assert (taken.status_code, taken.json()["name"]) == (201, "中共 某县 委员会")


async def test_a_row_from_a_spreadsheet_is_taken_as_what_it_means(province: Province) -> None:
    branch = await province.branch()
    body = member_row(branch)
    written = {
        **body,
        "name": "阿卜杜热西提•买买提\n",
        "id_number": f"'{body['id_number']}\t",
        "phone": "+86 138 0013 8000",
    }
    enrolled = await province.registrar.post("/members", written)
    assert enrolled.status_code == 201
    again = {**body, "name": "阿卜杜热西提・买买提", "phone": "138-0013-8000"}
    assert (await province.registrar.post("/members", again)).status_code == 200  # it says the same
