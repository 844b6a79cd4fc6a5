"""Good requests of feedback."""

from collections.abc import Mapping
from datetime import UTC, datetime

from tests.flows.matrix.examples.asking import Example, of

A_DAY = datetime.now(UTC).date().isoformat()

EXAMPLES: Mapping[str, Example] = {
    "GET /v1/cases": Example(),
    "POST /v1/cases": Example(of(category="roads", organisation_id="$branch_id", text="路灯坏了"), shown_to_all=True),
    "GET /v1/cases/{case_id}": Example(),
    "POST /v1/cases/{case_id}/answers": Example(of(text="已派人维修")),
    "POST /v1/cases/{case_id}/confirmation": Example(last=True),
    "GET /v1/responsibilities": Example(shown_to_all=True),
    "POST /v1/responsibilities": Example(
        of(
            category="roads",
            organisation_id="$branch_id",
            responsible_id="$branch_id",
            working_days=5,
            valid_from=A_DAY,
        )
    ),
}
