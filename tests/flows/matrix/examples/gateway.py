"""Good requests of the gateway itself."""

from collections.abc import Mapping

from tests.flows.matrix.examples.asking import Example

EXAMPLES: Mapping[str, Example] = {
    "GET /v1/home": Example(),
    "GET /v1/me/access-log": Example(),
    "GET /v1/overview/{organisation_id}": Example(),
    "POST /v1/me/exports": Example(by="secretary"),
    "GET /v1/me/export": Example(by="secretary"),
    "GET /v1/me/exports/{export_id}": Example(by="secretary"),
    "GET /v1/me/exports/{export_id}/file": Example(by="secretary", last=True),
    "GET /v1/overview/{organisation_id}/children": Example(),
    "GET /v1/status": Example(),
    "GET /v1/operations/status": Example(by="administrator"),
    "GET /v1/operations/state-changes": Example(by="administrator"),
}
