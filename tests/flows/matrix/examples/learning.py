"""Good requests of learning."""

from collections.abc import Mapping

from tests.flows.matrix.examples.asking import IN_BRANCH, Example, of
from tests.flows.matrix.world import World, a_course


async def _need_help(world: World) -> None:
    path = f"/v1/lessons/{world.things['lesson_id']}/understanding"
    await world.person("member").post(path, {"understanding": "need_help"}, status=200)


EXAMPLES: Mapping[str, Example] = {
    "GET /v1/courses": Example(),
    "POST /v1/courses": Example(a_course),
    "GET /v1/courses/{course_id}": Example(),
    "GET /v1/lessons": Example(),
    "GET /v1/lessons/{lesson_id}": Example(),
    "GET /v1/lessons/{lesson_id}/progress": Example(),
    "PUT /v1/lessons/{lesson_id}/progress": Example(of(progress=50)),
    "POST /v1/lessons/{lesson_id}/understanding": Example(of(understanding="need_help")),
    "GET /v1/lessons/{lesson_id}/help-requests": Example(query=IN_BRANCH, by="secretary", before=_need_help),
    "GET /v1/help-requests": Example(query=IN_BRANCH),
}
