"""What is answered with a version can be written on that version alone: If-Match is taken wherever it is changed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts import SERVICES
from database.migrations import declared_by

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs" / "openapi-v1.json").read_text("utf-8"))
BEGINNING = {
    "POST /v1/organisations": "there is none yet, and what is there already has to say the same",
    "POST /v1/members": "there is none yet, and what is there already has to say the same",
    "POST /v1/activities": "there is none yet, and what is there already has to say the same",
    "POST /v1/cases": "there is none yet, and what is there already has to say the same",
    "POST /v1/clients": "there is none yet, and no id is taken twice",
    "POST /v1/role-assignments": "there is none yet, and no id is taken twice",
    "POST /v1/role-assignments/{assignment_id}/delegations": "it makes another, and leaves the one it is made from",
}
TABLES = {
    "identity.client": "ClientOut",
    "identity.role_assignment": "RoleAssignmentOut",
    "members.registered_organisation": "OrganisationOut",
    "members.member": "MemberOut",
    "activities.activity": "ActivityForMe",
    "learning.lesson_study": "StudyOut",
    "feedback.feedback_case": "CaseWithEntries",
}
"""What changes by versions, and the schema that it is answered by."""
OF_NO_CLIENT = {
    "identity.role_definition": "the release says what a role is, and no operation writes it",
    "members.member_version": "the versions themselves",
    "members.composition": "counted from files",
    "activities.participation": "only added to: each word of whom it counts stays, in whatever order they come",
    "feedback.case_entry": "the versions themselves",
    "gateway.change": "read from events",
    "gateway.home_change": "read from events",
    "gateway.home_done": "read from events",
    "gateway.home_item": "read from events",
    "gateway.contribution": "read from events",
    "gateway.client_quota": "read from events",
}
"""Tables with versions of which a client changes nothing that it could spoil, and why."""


def answered(operation: dict[str, Any]) -> dict[str, Any]:
    """Give the schema of the good answer, and its name as `$id`."""
    for status, answer in operation["responses"].items():
        reference = answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
        if status.startswith("2") and reference:
            name = reference.rpartition("/")[2]
            return {"$id": name, **DOCUMENT["components"]["schemas"][name]}
    return {}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every operation that answers with one thing that has a version."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if "version" in answered(operation).get("properties", {}):
                yield f"{method.upper()} {path}", operation


WRITES = {name: operation for name, operation in operations() if not name.startswith("GET")}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_on_what_has_versions_takes_if_match(name: str) -> None:
    taken = [each for each in WRITES[name].get("parameters", ()) if each["name"] == "If-Match"]
    assert (len(taken), name in BEGINNING) in {(1, False), (0, True)}
    if taken:
        assert {"412", "428"} <= WRITES[name]["responses"].keys()


def test_each_exception_is_a_write() -> None:
    assert BEGINNING.keys() <= WRITES.keys()


def test_every_table_with_versions_is_answered_with_them_or_says_why_not() -> None:
    tables = {
        f"{service}.{name}"
        for service in SERVICES
        for name, table in declared_by(service).tables.items()
        if "version" in table.columns
    }
    assert tables == TABLES.keys() | OF_NO_CLIENT.keys()
    assert TABLES.keys() & OF_NO_CLIENT.keys() == set()
    assert {answered(operation)["$id"] for _, operation in operations()} >= set(TABLES.values())
