"""The counts of a branch follow its members' files and the calendar, and are published when they change."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from china_time import day_of
from database import Database, raw
from members.files import counting
from members.files.counting import count_anew_as_of_today

from .provinces import Province, id_number, member_row

TODAY = day_of(datetime.now(UTC))


async def test_counts_follow_enrolments_and_revisions(province: Province, published: Any) -> None:
    branch = await province.branch()
    await province.enrol(branch, id_number=id_number(TODAY.replace(year=TODAY.year - 70, day=1)), smartphone=False)
    person = await province.enrol(branch, id_number=id_number(TODAY.replace(year=TODAY.year - 20, day=1)))
    me = province.person(person_id=person)
    await me.post(f"/members/{person}/revisions", {"base_version": 1, "phone": "14200000009"})
    await me.post(f"/members/{person}/revisions", {"base_version": 2, "away": True})
    counted = await published("composition")
    assert [(key, version) for _, key, version, _ in counted] == [(branch, 1), (branch, 2), (branch, 3)]
    assert counted[-1][3] == {
        "organisation_id": str(branch),
        "members": 2,
        "away": 1,
        "without_smartphone": 1,
        "stages": {"full": 2},
        "age_bands": {"60_and_over": 1, "under_35": 1},
    }


async def test_enrolments_at_once_in_one_branch_are_all_counted(province: Province, published: Any) -> None:
    branch = await province.branch()
    answers = await asyncio.gather(*(province.registrar.post("/members", member_row(branch)) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    counted = await published("composition")
    assert [version for _, _, version, _ in counted] == list(range(1, 9))
    assert [data["members"] for *_, data in counted] == list(range(1, 9))


async def test_who_comes_of_age_is_counted_anew_and_nobody_else_is_published(
    province: Province, database: Database, published: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    turning, staying = await province.branch(), await province.branch()
    await province.enrol(turning, id_number=id_number(TODAY.replace(year=TODAY.year - 59, day=1)))
    await province.enrol(staying, id_number=id_number(TODAY.replace(year=TODAY.year - 45, day=1)))
    await count_anew_as_of_today(database)
    assert len(await published("composition")) == 2
    next_year = datetime.now(UTC) + timedelta(days=366)
    monkeypatch.setattr(counting, "utc_now", lambda: next_year)
    for _ in range(2):
        await count_anew_as_of_today(database)
    counted = await published("composition")
    assert len(counted) == 3
    _, key, version, data = counted[-1]
    assert (key, version, data["age_bands"]) == (turning, 2, {"60_and_over": 1})
    async with database.read() as session:
        due = await (await raw(session)).fetchval(
            "select count(*) from composition where counted_on = $1", day_of(next_year)
        )
    assert due == 2
