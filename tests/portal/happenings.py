"""What has happened in the branch before somebody looks: a meeting that goes on, a case, a call for help."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from china_time import CHINA
from database import new_id
from tests.flows.conftest import System
from tests.flows.ways_in import code_to, codes_to, propose_phone

PHONE = "14255500017"

Here = dict[str, str]
"""Ids by which addresses of screens name what has happened."""


async def happened(system: System) -> Here:
    """Let people of the demonstration do it."""
    branch = str(system.seeded.branch_id)
    async with (
        system.person("secretary.demo") as secretary,
        system.person("member.demo") as member,
        system.person("villager.demo") as villager,
    ):
        now, later = str(new_id()), str(new_id())
        for activity_id, days, title in ((now, 0, "主题党日：清理水沟"), (later, 9, "第四季度党课")):
            starts_at = datetime.now(CHINA).replace(microsecond=0) + timedelta(days=days, minutes=-5)
            await secretary.post(
                "/v1/activities",
                {
                    "activity_id": activity_id,
                    "organisation_id": branch,
                    "kind": "party_class" if days else "theme_day",
                    "title": title,
                    "starts_at": starts_at.isoformat(),
                    "ends_at": (starts_at + timedelta(hours=2)).isoformat(),
                    "place": "村委会二楼会议室",
                },
            )
        await member.post(f"/v1/activities/{now}/attendances", {"mode": "in_person"})
        case = await villager.post(
            "/v1/cases",
            {"category": "roads", "organisation_id": branch, "text": "学校门口的路坑坑洼洼，下雨天娃娃不好走。"},
        )
        courses = await member.get("/v1/courses")
        course = await member.get(f"/v1/courses/{courses['items'][0]['course_id']}")
        lesson_id = course["lessons"][0]["lesson_id"]
        await member.post(f"/v1/lessons/{lesson_id}/understanding", {"understanding": "need_help"}, status=200)
        assert system.outside is not None
        named = await member.post("/v1/me/phone", {"phone": PHONE}, status=202)
        code = {"challenge_id": named["challenge_id"], "code": await code_to(system.outside.phones, PHONE)}
        await member.post("/v1/me/phone/confirmation", code, status=200)
        return {
            "activity_id": now,
            "later_id": later,
            "case_id": case["case_id"],
            "lesson_id": lesson_id,
            "member_id": system.person_id("member.demo"),
            "person_id": system.person_id("away.demo"),
        }


async def proposed(system: System) -> dict[str, str]:
    """Let an officer propose another phone for the member, whose owner confirms it; give what it is known by."""
    assert system.outside is not None
    async with system.person("officer.demo") as officer:
        replacement, code = await propose_phone(officer, system.outside.phones, system.person_id("member.demo"))
        path = f"/v1/phone-replacements/{replacement}/confirmation"
        confirmed = await officer.post(path, code, status=200)
    return {"replacement": replacement, "phone": f"新手机号的尾号 {confirmed['ends_in']}"}


async def pass_code_on(system: System, file: Path) -> None:
    """Write the next code that comes to the member's phone into a file, as they would tell it."""
    assert system.outside is not None
    phones = system.outside.phones
    before = len(codes_to(phones, PHONE))
    while len(codes := codes_to(phones, PHONE)) == before:
        await asyncio.sleep(0.2)
    await asyncio.to_thread(file.write_text, codes[-1])
