"""A person takes all their data away in one file, and is then forgotten by every service."""

import hashlib
import io
import secrets
import zipfile
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from standalone.seed import ADMINISTRATOR
from standalone.services import NAMES
from tests.flows.conftest import System
from tests.flows.people import Person, open_account, within

PASSWORD = "a-brook-under-nine-willows"
WORDS = "井水有异味，请来看看"
OLD_LIST = {
    "stage": "full",
    "name": "归来者",
    "id_number": "11010519491231002X",
    "phone": "14212345678",
    "away": False,
    "smartphone": True,
}
GATHERED_SECONDS = 20.0
FORGOTTEN_SECONDS = 10.0


async def newcomer(system: System) -> tuple[str, str]:
    """Open an account for a villager who is no member; give the id and the user name."""
    username = f"newcomer.{secrets.token_hex(4)}"
    async with system.person(ADMINISTRATOR) as administrator:
        county = system.seeded.county_id
        person_id = await open_account(
            administrator, system.url, username=username, password=PASSWORD, organisation_id=county
        )
    return person_id, username


def read(content: bytes) -> dict[str, Any]:
    """Check the file against its manifest; give every part by its service."""
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        manifest = orjson.loads(opened.read("manifest.json"))
        for file in manifest["files"]:
            assert hashlib.sha256(opened.read(file["name"])).hexdigest() == file["sha256"]
        assert {file["service"] for file in manifest["files"]} == set(NAMES)
        assert {"README.txt", "manifest.json"} < set(opened.namelist())
        return {name: orjson.loads(opened.read(f"{name}.json")) for name in NAMES}


async def test_all_that_is_known_comes_in_one_file_and_then_is_gone(system: System) -> None:
    """Check 26: the file of a villager."""
    person_id, username = await newcomer(system)
    _, strangers_name = await newcomer(system)
    async with (
        Person(system.url, username, PASSWORD) as me,
        system.person("secretary.demo") as secretary,
        Person(system.url, strangers_name, PASSWORD) as stranger,
    ):
        case_id = str(uuid4())
        await me.post(
            "/v1/cases",
            {"case_id": case_id, "category": "roads", "organisation_id": str(system.seeded.branch_id), "text": WORDS},
        )
        course = await me.get(f"/v1/courses/{(await me.get('/v1/courses'))['items'][0]['course_id']}")
        await me.put(f"/v1/lessons/{course['lessons'][0]['lesson_id']}/progress", {"progress": 35})
        await me.put("/v1/me/consents/wechat", {"text_version": 1})

        async def on_my_home() -> bool:
            return f"case.confirm:{case_id}" in await me.home()

        await within(GATHERED_SECONDS, on_my_home)
        await me.set_up_second_factor()  # what is known of oneself is given to who proved two

        assert (await me.answer("GET", "/v1/me/export")).status_code == 404
        where = (await me.answer("POST", "/v1/me/exports")).headers["location"]

        async def gathered() -> bool:
            state = await me.get(where)
            assert state["total"] == len(NAMES)
            return bool(state["done"] == state["total"])

        await within(GATHERED_SECONDS, gathered)
        assert (await stranger.answer("GET", where)).status_code == 404
        assert (await stranger.answer("GET", f"{where}/file")).status_code == 404
        file = await me.answer("GET", f"{where}/file")
        assert (file.status_code, file.headers["content-type"]) == (200, "application/zip")
        parts = read(file.content)
        assert read((await me.answer("GET", "/v1/me/export")).content).keys() == parts.keys()
        assert parts["identity"]["data"]["account"]["username"] == username
        assert [each["purpose"] for each in parts["identity"]["data"]["consents"]] == ["wechat"]
        assert [case["entries"][0]["text"] for case in parts["feedback"]["data"]["cases"]] == [WORDS]
        assert [study["progress"] for study in parts["learning"]["data"]["studies"]] == [35]
        assert parts["members"]["data"]["file"] == []
        assert [item["subject_id"] for item in parts["gateway"]["data"]["home_items"]] == [case_id]
        everything = str(parts)
        strangers = [str(each.person_id) for each in system.seeded.people]
        assert not [stranger for stranger in strangers if stranger in everything]

        assert WORDS in str(await secretary.get(f"/v1/cases/{case_id}"))
        done = await me.post("/v1/me/erasure", status=200)
        assert (done["outcome"], done["kept"]) == ("erased", [])

        async def forgotten() -> bool:
            case = await secretary.get(f"/v1/cases/{case_id}")
            tokens = [(await me.answer("GET", path)).status_code for path in ("/v1/home", "/v1/me", "/v1/cases")]
            return WORDS not in str(case) and tokens == [401, 401, 401]

        await within(FORGOTTEN_SECONDS, forgotten)
        assert (await secretary.get(f"/v1/cases/{case_id}"))["status"] == "open"  # it stays, and is counted
    with pytest.raises(Exception, match="cannot sign in"):
        async with Person(system.url, username, PASSWORD) as gone:
            await gone.home()
    async with system.person("registrar.demo") as registrar:  # nor is the id taken up again by an old list
        row = {"person_id": person_id, "organisation_id": str(system.seeded.branch_id), **OLD_LIST}
        refused = await registrar.post("/v1/member-imports", {"rows": [row]}, status=422)
    assert "erased" in [each["requirement"] for each in refused["rows"]]


async def test_a_sign_in_by_password_alone_gets_nothing_of_what_two_factors_ordered(system: System) -> None:
    _, username = await newcomer(system)
    async with Person(system.url, username, PASSWORD) as weak, Person(system.url, username, PASSWORD) as strong:
        await weak.get("/v1/me")  # of a moment ago, and before there was an app
        await strong.set_up_second_factor()
        export_id = (await strong.post("/v1/me/exports", status=202))["export_id"]
        where = f"/v1/me/exports/{export_id}"

        async def gathered() -> bool:
            return bool((await strong.get(where))["file"])

        await within(GATHERED_SECONDS, gathered)
        for path in ("/v1/me/export", where, f"{where}/file", "/v1/me/export-requests"):
            refused = await weak.answer("GET", path)
            assert (refused.status_code, refused.json()["type"]) == (401, "/problems/step_up_required"), path
            assert 'acr_values="2"' in refused.headers["www-authenticate"]
        for service in NAMES:  # nor are the parts to be had by themselves
            for person in (weak, strong):
                assert (await person.answer("GET", f"/v1/export-parts/{service}/{export_id}")).status_code == 404
        assert (await strong.answer("GET", f"{where}/file")).status_code == 200


async def test_a_members_file_holds_what_is_on_file_of_them_and_of_nobody_else(system: System) -> None:
    """Check 26: a member's file, and nobody else's data."""
    person_id = system.person_id("secretary.demo")
    async with system.person("secretary.demo") as member, system.person("officer.demo") as officer:
        on_file = await officer.get(f"/v1/members/{person_id}", purpose="verification")
        on_file["phone"] = (await officer.get(f"/v1/members/{person_id}", purpose="contact"))["phone"]
        listed = await officer.get("/v1/members", organisation_id=str(system.seeded.branch_id), limit=200)
        member.sign_in_anew()  # an export asks for a sign-in of the last minutes
        where = f"/v1/me/exports/{(await member.post('/v1/me/exports', status=202))['export_id']}"

        async def gathered() -> bool:
            return bool((await member.get(where))["file"])

        await within(GATHERED_SECONDS, gathered)
        file = await member.answer("GET", f"{where}/file")
        assert file.status_code == 200, file.text
        parts = read(file.content)
    versions = parts["members"]["data"]["file"]
    for name in ("name", "id_number", "phone"):
        assert versions[-1][name] == on_file[name]
    assert versions[-1]["name"]
    others = [each["person_id"] for each in listed["items"] if each["person_id"] != person_id]
    assert others
    assert not [other for other in others if other in str(parts["members"])]


async def test_a_member_is_told_what_stays_and_why(system: System) -> None:
    async with system.person("away.demo") as member:
        foreseen = await member.get("/v1/me/erasure")
    assert [kept["duty"] for kept in foreseen["kept"]] == ["membership"]
    assert foreseen["kept"][0]["explanation_zh"]


async def test_the_file_of_nobody_is_not_to_be_had(system: System) -> None:
    async with httpx.AsyncClient(base_url=system.url, trust_env=False, timeout=20) as client:
        for path in ("/v1/me/export", f"/v1/me/exports/{uuid4()}/file"):
            assert (await client.get(path)).status_code == 401
