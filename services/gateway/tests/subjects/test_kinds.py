"""The table of subjects agrees with the lists of the services, as the released document has them."""

import json
from pathlib import Path

import pytest

from gateway.forwarding.routing import public_routes
from gateway.subjects.kinds import KINDS
from webapi.pages import MOST_IDS

DOCUMENT = json.loads((Path(__file__).resolve().parents[4] / "docs" / "openapi-v1.json").read_text("utf-8"))


@pytest.mark.parametrize("name", KINDS)
def test_a_list_is_asked_for_ids_as_its_service_says(name: str) -> None:
    kind = KINDS[name]
    operation = DOCUMENT["paths"][kind.path]["get"]
    (parameter,) = [each for each in operation["parameters"] if each["name"] == kind.id_name]
    assert (parameter["in"], parameter["schema"]["type"], parameter["schema"]["maxItems"]) == (
        "query",
        "array",
        MOST_IDS,
    )
    route = public_routes().find(kind.path.encode())
    assert route is not None
    assert route.service == kind.service
    assert {"oauth2": [f"{kind.service}.read"]} in operation["security"]
    assert operation.get("x-assistable") == kind.action
