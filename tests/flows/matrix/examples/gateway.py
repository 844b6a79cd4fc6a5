"""Good requests of the gateway itself."""

from collections.abc import Mapping
from typing import Any

from database import new_id, utc_now
from tests.flows.matrix.examples.asking import Example
from tests.flows.matrix.world import World


def _one_act(world: World) -> dict[str, Any]:
    """Make an envelope whose act is somebody else's: who sends it is told so, and nothing is done."""
    act = {
        "op_id": str(new_id()),
        "person_id": str(new_id()),
        "kind": "progress",
        "subject_id": world.things["lesson_id"],
        "acted_at": utc_now().isoformat(),
        "body": {"progress": 5},
    }
    return {"device_id": "phone", "ops": [act]}


EXAMPLES: Mapping[str, Example] = {
    "GET /v1/events": Example(),
    "GET /v1/home": Example(),
    "GET /v1/me/access-log": Example(),
    "GET /v1/overview/{organisation_id}": Example(),
    "GET /v1/sync/changes": Example(),
    "POST /v1/me/exports": Example(by="secretary"),
    "GET /v1/me/export": Example(by="secretary"),
    "GET /v1/me/exports/{export_id}": Example(by="secretary"),
    "GET /v1/me/exports/{export_id}/file": Example(by="secretary", last=True),
    "GET /v1/overview/{organisation_id}/children": Example(),
    "GET /v1/status": Example(),
    "POST /v1/sync/push": Example(_one_act),
    "GET /v1/operations/status": Example(by="administrator"),
    "GET /v1/operations/state-changes": Example(by="administrator"),
}
