"""A helper acts for a member before a witness, over the whole system: both names stand on all that is done."""

from uuid import uuid4

from tests.flows.conftest import System
from tests.flows.helping import ACTIONS, agreed, exchanged
from tests.flows.people import within

FELT_SECONDS = 5.0


async def test_a_helper_acts_for_a_member_until_the_member_ends_it(system: System) -> None:
    async with (
        system.person("secretary.demo") as secretary,
        system.person("officer.demo") as officer,
        system.person("member.demo") as member,
    ):
        assist_id = await agreed(system, secretary, officer)
        helping = await exchanged(system, secretary, assist_id)
        async with helping.http:
            me = system.person_id("member.demo")
            assert (helping.claims["sub"], helping.claims["act"]["sub"]) == (me, system.person_id("secretary.demo"))
            assert helping.claims["roles"] == []
            assert helping.claims["exp"] - helping.claims["iat"] <= 1800
            assert (await helping.status("GET", "/v1/home"))[0] == 200
            masked = (await helping.http.get("/v1/members/me")).json()
            assert "*" in masked["name"]

            case_id = str(uuid4())
            case = {
                "case_id": case_id,
                "category": "roads",
                "organisation_id": str(system.seeded.branch_id),
                "text": "水渠堵了",
            }
            assert (await helping.status("POST", "/v1/cases", case))[0] == 201
            seen = await member.get(f"/v1/cases/{case_id}")
            assert seen["entries"][0]["actor_id"] == system.person_id("secretary.demo")

            for method, path in (
                ("GET", "/v1/me"),
                ("POST", "/v1/me/exports"),
                ("POST", "/v1/me/erasure"),
                ("GET", "/v1/me/consents"),
                ("GET", "/v1/role-assignments"),
                ("GET", "/oauth2/userinfo"),
                ("GET", f"/v1/members/{me}"),
                ("POST", f"/v1/activities/{uuid4()}/registrations"),  # assistable, but not agreed to
            ):
                assert await helping.status(method, path) == (403, "not_assistable"), path

            shown = (await member.get("/v1/me/assisted-sessions"))["items"][0]
            assert (shown["assist_id"], shown["status"], shown["actions"]) == (assist_id, "active", ACTIONS)
            assert shown["organisation_name"]
            await member.post(f"/v1/assisted-sessions/{assist_id}/end", status=200)

            async def refused_everywhere() -> bool:
                paths = ("/v1/home", "/v1/members/me", f"/v1/courses/{uuid4()}")
                return all([(await helping.status("GET", path))[0] == 401 for path in paths])

            await within(FELT_SECONDS, refused_everywhere)
            shown = (await member.get("/v1/me/assisted-sessions"))["items"][0]
            assert shown["status"] == "ended"
