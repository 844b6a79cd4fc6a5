"""Bodies of meetings around the present, and a quick way to schedule one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from testkit.county import BRANCH, Person

NOW = datetime.now(UTC).replace(microsecond=0)


def meeting(
    organisation_id: UUID = BRANCH, *, starts_in: float = -0.5, hours: float = 2, **fields: Any
) -> dict[str, Any]:
    """Make the body of a branch meeting that starts in so many hours and lasts so many."""
    starts_at = NOW + timedelta(hours=starts_in)
    return {
        "organisation_id": str(organisation_id),
        "kind": "branch_meeting",
        "title": "三季度党员大会",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=hours)).isoformat(),
        "agenda": ["学习文件", "讨论村道修缮"],
        **fields,
    }


async def scheduled(secretary: Person, organisation_id: UUID = BRANCH, **fields: Any) -> str:
    """Schedule a meeting and give its path."""
    answer = await secretary.post("/activities", meeting(organisation_id, **fields))
    assert answer.status_code == 201, answer.text
    return f"/activities/{answer.json()['activity_id']}"
