"""Good requests of activities."""

from collections.abc import Mapping

from tests.flows.matrix.examples.asking import Example, of
from tests.flows.matrix.world import a_meeting

EXAMPLES: Mapping[str, Example] = {
    "GET /v1/activities": Example(),
    "POST /v1/activities": Example(a_meeting),
    "GET /v1/activities/{activity_id}": Example(),
    "POST /v1/activities/{activity_id}/registrations": Example(),
    "POST /v1/activities/{activity_id}/attendances": Example(of(mode="remote"), ids={"activity_id": "going_on_id"}),
    "POST /v1/activities/{activity_id}/attendance-sheets": Example(
        lambda world: {"person_ids": [world.ids["member"]]}, ids={"activity_id": "going_on_id"}
    ),
    "GET /v1/activities/{activity_id}/participations": Example(),
    "POST /v1/activities/{activity_id}/closing": Example(last=True, ids={"activity_id": "going_on_id"}),
}
