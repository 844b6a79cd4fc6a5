"""Good requests of members."""

import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from database import new_id
from standalone.seed.people import check_character
from tests.flows.matrix.examples.asking import BY_ROW, IN_BRANCH, Example, of
from tests.flows.matrix.world import World, an_organisation


def _an_id_number() -> str:
    born = date(1960, 1, 1) + timedelta(days=secrets.randbelow(15_000))
    first_seventeen = f"110105{born:%Y%m%d}{secrets.randbelow(1000):03}"
    return first_seventeen + check_character(first_seventeen)


def a_member(world: World, place: str = "branch_id") -> dict[str, Any]:
    return {
        "person_id": str(new_id()),
        "organisation_id": world.things[place],
        "stage": "applicant",
        "name": "张三",
        "id_number": _an_id_number(),
        "smartphone": True,
    }


async def _move_away(world: World) -> None:
    registrar, moving = world.person("registrar.here"), world.things["moving_id"]
    elsewhere = await registrar.post("/v1/organisations", an_organisation(world))
    body = {"parent_id": elsewhere["organisation_id"]}
    await registrar.post(f"/v1/organisations/{moving}/moves", body, status=200)


EXAMPLES: Mapping[str, Example] = {
    "GET /v1/members": Example(query=IN_BRANCH),
    "POST /v1/members": Example(a_member, beside=BY_ROW),
    "POST /v1/member-imports": Example(lambda world: {"rows": [a_member(world)]}, beside=BY_ROW),
    "GET /v1/members/me": Example(),
    "GET /v1/members/{person_id}": Example(query=of(purpose="contact"), by="officer.here"),
    "POST /v1/members/{person_id}/revisions": Example(
        lambda _: {"base_version": 1, "smartphone": False}, by="registrar.here"
    ),
    "GET /v1/members/{person_id}/versions": Example(query=of(purpose="contact"), by="officer.here"),
    "GET /v1/organisations": Example(),
    "POST /v1/organisations": Example(an_organisation, beside=BY_ROW),
    "POST /v1/organisation-imports": Example(lambda world: {"rows": [an_organisation(world)]}, beside=BY_ROW),
    "GET /v1/organisations/{organisation_id}": Example(),
    "GET /v1/organisations/{organisation_id}/children": Example(),
    "POST /v1/organisations/{organisation_id}/moves": Example(
        of(parent_id="$county_id"), ids={"organisation_id": "moving_id"}, before=_move_away
    ),
    "POST /v1/organisations/{organisation_id}/renames": Example(
        of(name="改名后的乡党委"), ids={"organisation_id": "moving_id"}
    ),
}
