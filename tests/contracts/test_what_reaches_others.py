"""Check 38: everything that anybody may do and that reaches others is limited in person, or says here why not."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

from fastapi.routing import APIRoute

from contracts import SERVICES
from webapi.access import CLIENT, PUBLIC, SELF, declared
from webapi.reach import EXTENSION

ROOT = Path(__file__).resolve().parents[2]
READS = frozenset({"GET", "HEAD"})
OWN_ACCOUNT = "/v1/me/"
"""Below it people change what is their own; a code that goes to a phone is counted with all codes."""
UNLIMITED = {
    "activities.register": "once for each activity, and it is counted, not read",
    "activities.report_attendance": "once for each activity that is going on",
    "feedback.confirm_answer": "once for each case, and those are limited",
    "gateway.push": "each act is counted by its own operation",
    "identity.consent_by_code": "five tries for each session, and those are limited",
    "identity.end": "it takes back",
    "identity.object_to_phone_replacement": "once for each replacement of one's own phone",
    "identity.object_to_recovery": "once for each recovery of one's own account",
    "identity.take_back_role": "it takes back",
    "identity.take_ticket": "it opens what was consented to, once",
    "identity.witness": "once for each session, and those are limited",
    "learning.report_progress": "it is nobody's but one's own; figures count it once",
    "members.revise_member": "one's own file alone, one version after the other; nobody is told",
}
"""Commands open to everybody that are not limited, and why nobody is reached by many of them."""


def commands_for_everybody(generate: ModuleType) -> dict[str, dict[str, Any]]:
    """Give what each command declares that takes no office, by service and name."""
    found = {}
    for service in SERVICES:
        for route in generate.application_of(service).routes:
            if not isinstance(route, APIRoute) or not route.include_in_schema or READS & (route.methods or set()):
                continue
            if SELF in declared(route) and not route.path_format.startswith(OWN_ACCOUNT):
                found[f"{service}.{route.name.rstrip('_')}"] = dict(route.openapi_extra or {})
    return found


def test_every_command_for_everybody_is_limited_or_says_why_not(generate: ModuleType) -> None:
    commands = commands_for_everybody(generate)
    assert len(commands) > 8
    assert commands.keys() - UNLIMITED.keys() == {name for name, said in commands.items() if EXTENSION in said}
    assert UNLIMITED.keys() <= commands.keys(), "a reason for what is not there"


def test_no_command_is_open_without_an_account(generate: ModuleType) -> None:
    """What is for clients alone is counted by client and address."""
    for service in SERVICES:
        for route in generate.application_of(service).routes:
            if isinstance(route, APIRoute) and route.include_in_schema and not READS & (route.methods or set()):
                rules = set(declared(route))
                assert PUBLIC not in rules, route.path_format
                assert CLIENT not in rules or route.path_format.startswith("/oauth2/"), route.path_format


def test_every_limit_that_is_declared_is_counted_and_the_other_way_round() -> None:
    counted, limited = set(), set()
    for source in (ROOT / "services").glob("*/src/**/*.py"):
        text, service = source.read_text("utf-8"), source.relative_to(ROOT / "services").parts[0]
        counted |= {(service, name) for name in re.findall(r"\bcount_reach\(\s*session,\s*([A-Z_]+)", text)}
        limited |= {(service, name) for name in re.findall(r"\| limited\((?:\w+\.)?([A-Z_]+)\)", text)}
    assert counted == limited
    assert {name for _, name in counted} == {"ASKED", "CASES", "DELEGATIONS", "EXPORTS", "REQUESTS"}
