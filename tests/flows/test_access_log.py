"""A member sees in one list what all services recorded: who read, who helped, who answered, each sign-in."""

from typing import Any
from uuid import uuid4

from tests.flows.conftest import System
from tests.flows.helping import agreed, exchanged


async def test_a_member_reads_in_one_list_what_every_service_recorded(system: System) -> None:
    """Check 14: the calls of a helper in every service."""
    me, branch = system.person_id("member.demo"), str(system.seeded.branch_id)
    secretary_id = system.person_id("secretary.demo")
    case_id = str(uuid4())
    async with (
        system.person("secretary.demo") as secretary,
        system.person("officer.demo") as officer,
        system.person("member.demo") as member,
    ):
        await member.get("/v1/me")  # signs in
        await secretary.get(f"/v1/members/{me}", purpose="contact")
        assist_id = await agreed(system, secretary, officer)
        helping = await exchanged(system, secretary, assist_id)
        async with helping.http:
            assert (await helping.status("GET", "/v1/home"))[0] == 200
            case = {"case_id": case_id, "category": "roads", "organisation_id": branch, "text": "路灯不亮"}
            assert (await helping.status("POST", "/v1/cases", case))[0] == 201
            assert await helping.status("GET", "/v1/me/access-log") == (403, "not_assistable")
        await secretary.post(f"/v1/cases/{case_id}/answers", {"text": "已派人维修"})
        await member.post(f"/v1/assisted-sessions/{assist_id}/end", status=200)

        pages: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        while True:
            page = await member.get("/v1/me/access-log", limit=2, **cursor)
            assert page["incomplete"] == []
            assert len(page["items"]) <= 2
            pages.append(page)
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}

        items: list[dict[str, Any]] = [item for page in pages for item in page["items"]]
        at_once = await member.get("/v1/me/access-log", limit=200)
    assert items[:200] == at_once["items"]
    assert len({(item["service"], item["id"]) for item in items}) == len(items)
    assert {item["service"] for item in items} >= {"identity", "members", "feedback", "gateway"}

    def newest(action: str) -> dict[str, Any]:
        return next(item for item in items if item["action"] == action)

    office = {
        key: newest("members.file.read")[key] for key in ("actor", "actor_role", "actor_organisation_id", "purpose")
    }
    assert office == {
        "actor": secretary_id,
        "actor_role": "branch_secretary",
        "actor_organisation_id": branch,
        "purpose": "contact",
    }
    assert newest("members.file.read")["actor_organisation"]
    assert newest("feedback.case.answered")["actor"] == secretary_id
    assert newest("identity.session.signed_in")["actor"] == me
    for helped in ("gateway.assisted.home", "feedback.assisted.open_case", "identity.assistance.asked"):
        assert (newest(helped)["actor"], newest(helped)["assist_id"]) == (secretary_id, assist_id), helped
