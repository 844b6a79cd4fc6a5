"""Bodies of courses, and a quick way to publish one."""

from typing import Any
from uuid import UUID

from testkit.county import Person


def lesson(**fields: Any) -> dict[str, Any]:
    """Make a lesson of a course's body."""
    return {"title": "怎样用手机缴纳医保", "kind": "text", "body": "第一步,打开应用。", **fields}


def course(organisation_id: UUID, *lessons: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Make the body that publishes a course, of one lesson unless others are given."""
    content = list(lessons) or [lesson()]
    return {"organisation_id": str(organisation_id), "title": "数字技能入门", "lessons": content, **fields}


async def published_course(registrar: Person, organisation_id: UUID, *lessons: dict[str, Any], **fields: Any) -> Any:
    """Publish a course and give it as answered."""
    answer = await registrar.post("/courses", course(organisation_id, *lessons, **fields))
    assert answer.status_code == 201, answer.text
    return answer.json()
