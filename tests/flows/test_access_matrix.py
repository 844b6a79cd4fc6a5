"""Every operation of every service, asked by everybody: without a token, by a stranger, in every role, beside and here.

What an operation demands is what it declares (`x-access`). A new operation makes these tests fail until an example of a
good request for it stands in `tests/flows/matrix/examples/`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio

from contracts import SERVICES
from database import new_id
from tests.flows.conftest import URL, System
from tests.flows.matrix.answers import leaks, listed, told, version_in
from tests.flows.matrix.examples import EXAMPLES
from tests.flows.matrix.examples.asking import Example
from tests.flows.matrix.examples.members import a_member
from tests.flows.matrix.operations import PERMISSIONS, Operation, operations_of
from tests.flows.matrix.world import EXPENDABLE, World, a_meeting, an_organisation, world_of
from tests.flows.overhearing import NUMBERS, SECRETS
from tests.flows.people import within

pytestmark = pytest.mark.skipif(URL is not None, reason="it opens accounts of every role, which a system in use keeps")

SERVER_ERROR = 500
NOT_THE_CALLERS = {"path": "/", "status": "granted", "roles": ["officer"], "version": 9, "opened_by": None}


@pytest_asyncio.fixture(scope="module")
async def world(system: System) -> AsyncIterator[World]:
    async with world_of(system) as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def operations(system: System) -> list[Operation]:
    return await operations_of(system.url)


def asked_for(operations: Iterable[Operation]) -> list[tuple[Operation, Example]]:
    """Give the operations that take a token, in an order in which none spoils another: what ends things comes last."""
    known = [(each, EXAMPLES[each.name]) for each in operations if each.needs_token and each.name in EXAMPLES]
    return sorted(known, key=lambda pair: (pair[1].last, pair[0].method != "GET", pair[0].method == "DELETE"))


def path_of(operation: Operation, example: Example, world: World) -> str:
    values = {name: world.things[example.ids.get(name, name)] for name in operation.parameters}
    return operation.path.format(**values)


async def ask(world: World, who: str, operation: Operation, example: Example) -> httpx.Response:
    body = example.body(world) if example.body else None
    query = example.query(world) if example.query else {}
    person, path = world.person(who), path_of(operation, example, world)
    answer = await person.answer(operation.method, path, body, **query)
    if answer.status_code == 401 and "token_invalid" in answer.text:  # as after a change of one's roles
        person.sign_in_anew()
        answer = await person.answer(operation.method, path, body, **query)
    return answer


def test_every_operation_has_an_example_of_a_good_request(operations: list[Operation]) -> None:
    missing = [each.name for each in operations if each.needs_token and each.name not in EXAMPLES]
    assert missing == [], "say in tests/flows/matrix/examples/ how to ask for these, and by whom"
    assert [each.name for each in operations if not each.rules] == []
    assert len(operations) > 100


async def test_nothing_is_answered_without_a_token(system: System, operations: list[Operation], world: World) -> None:
    """Check 5: every operation."""
    answers: dict[str, str] = {}
    async with httpx.AsyncClient(base_url=system.url, trust_env=False, timeout=20) as client:
        for operation in operations:
            example = EXAMPLES.get(operation.name, Example())
            path = path_of(operation, example, world)
            body = example.body(world) if example.body else None
            answer = await client.request(operation.method, path, json=body)
            right = {200, 304} if "public" in operation.rules else {400, 401} if not operation.needs_token else {401}
            if answer.status_code not in right:
                answers[operation.name] = told(answer)
    assert not answers, listed(answers)


async def test_a_stranger_is_refused_and_sees_nothing_of_others(operations: list[Operation], world: World) -> None:
    """Checks 1 and 6: every operation on things of others, those of staff too."""
    wrong: dict[str, str] = {}
    for operation, example in asked_for(operations):
        if example.by in EXPENDABLE:  # what everybody may do to their own account, and the stranger is needed below
            continue
        answer = await ask(world, "stranger", operation, example)
        if example.stranger is not None:
            good = answer.status_code in example.stranger
        elif not operation.for_everybody:
            good = answer.status_code == 403
        elif operation.parameters:
            good = answer.status_code in ({403, 404} if operation.permissions else {404})
        else:
            good = answer.status_code < SERVER_ERROR
        seen = set() if example.shown_to_all else leaks(answer, world)
        if not good or seen:
            wrong[operation.name] = f"{told(answer)} {seen or ''}"
    assert not wrong, listed(wrong)


@pytest.mark.parametrize("role", PERMISSIONS)
async def test_a_role_without_the_permission_is_refused(operations: list[Operation], world: World, role: str) -> None:
    """Check 6: every operation by every role that lacks it."""
    wrong: dict[str, str] = {}
    for operation, example in asked_for(operations):
        if not operation.for_everybody and role not in operation.roles():
            answer = await ask(world, f"{role}.here", operation, example)
            if answer.status_code != 403:
                wrong[operation.name] = told(answer)
    assert not wrong, listed(wrong)


@pytest.mark.parametrize("role", PERMISSIONS)
async def test_a_permission_takes_two_factors(operations: list[Operation], world: World, role: str) -> None:
    """Check 39: every operation by every role, but for those named with a reason."""
    wrong: dict[str, str] = {}
    for operation, example in asked_for(operations):
        if role not in operation.roles() or operation.one_factor:
            continue
        answer = await ask(world, f"{role}.weak", operation, example)
        good = answer.status_code == 401 and answer.json()["type"] == "/problems/step_up_required"
        if operation.for_everybody:  # what is theirs alone, which here is nothing
            good = good or answer.status_code in {200, 404}
        seen = leaks(answer, world)
        if not good or seen:
            wrong[operation.name] = f"{told(answer)} {seen or ''}"
    assert not wrong, listed(wrong)


@pytest.mark.parametrize("role", PERMISSIONS)
async def test_the_same_role_beside_reaches_nothing_here(operations: list[Operation], world: World, role: str) -> None:
    """Check 2: every operation by an officer of the county beside."""
    wrong: dict[str, str] = {}
    for operation, example in asked_for(operations):
        if role not in operation.roles():
            continue
        entries = {"action": operation.audited[0]} if operation.audited else {}
        before = await latest_entry(world, operation, **entries)
        answer = await ask(world, f"{role}.beside", operation, example)
        refused = answer.status_code in {403, 404} and operation.audited
        if refused and await latest_entry(world, operation, **entries) <= before:
            wrong[f"{operation.name}, in the audit"] = told(answer)
        aimed = operation.parameters or example.body or example.query
        expected = example.beside or frozenset({403 if example.province else 404 if aimed else 200})
        seen = set() if example.shown_to_all else leaks(answer, world)
        if answer.status_code not in expected or seen:
            wrong[operation.name] = f"{told(answer)} {seen or ''}"
    assert not wrong, listed(wrong)


async def test_a_field_that_is_not_the_callers_to_set_is_refused(operations: list[Operation], world: World) -> None:
    """Check 4: every body of every operation."""
    wrong: dict[str, str] = {}
    for operation, example in asked_for(operations):
        body = example.body(world) if example.body else None
        if not isinstance(body, dict):
            continue
        person, path = world.person(example.by or _right(operation)), path_of(operation, example, world)
        for name, value in NOT_THE_CALLERS.items():
            if name not in body:
                answer = await person.answer(operation.method, path, {**body, name: value})
                if answer.status_code != 422:
                    wrong[f"{operation.name} with {name}"] = told(answer)
    assert not wrong, listed(wrong)


async def test_a_write_to_a_version_that_is_past_is_refused(operations: list[Operation], world: World) -> None:
    wrong: dict[str, str] = {}
    for operation, example in asked_for(operations):
        if not operation.takes_if_match:
            continue
        person, path = world.person(example.by or _right(operation)), path_of(operation, example, world)
        body = example.body(world) if example.body else None
        answer = await person.answer(operation.method, path, body, if_match='"999999", W/"1"')
        problem = answer.json()
        good = (answer.status_code, problem["type"]) == (412, "/problems/version_past")
        if not good or answer.headers.get("etag") != f'"{problem["version"]}"':
            wrong[operation.name] = told(answer)
    assert not wrong, listed(wrong)


async def test_the_right_one_succeeds_and_is_recorded_as_declared(operations: list[Operation], world: World) -> None:
    wrong: dict[str, str] = {}
    for operation, example in asked_for(operations):
        if example.before is not None:
            await example.before(world)
        who = example.by or _right(operation)
        before = await latest_entry(world, operation)
        answer = await ask(world, who, operation, example)
        if not answer.is_success:
            wrong[operation.name] = f"{who}: {told(answer)}"
        elif (version := version_in(answer)) is not None and answer.headers.get("etag") != f'"{version}"':
            wrong[operation.name] = f"version {version} has the ETag {answer.headers.get('etag')}"
        elif operation.method == "GET" and (head := await headed(world, who, operation, example)) != (200, b""):
            wrong[operation.name] = f"HEAD: {head}"
        elif operation.audited and (not operation.for_everybody or who.partition(".")[0] in operation.roles()):
            recorded = [await latest_entry(world, operation, action=action) for action in operation.audited]
            if max(recorded) <= before:
                wrong[operation.name] = f"{who}: left none of {operation.audited}"
    assert not wrong, listed(wrong)


async def test_what_staff_read_of_others_is_recorded_as_declared(operations: list[Operation], world: World) -> None:
    wrong: dict[str, str] = {}
    for operation, example in asked_for(operations):
        if operation.method == "GET" and operation.audited and operation.for_everybody:
            before = await latest_entry(world, operation)
            answer = await ask(world, f"{operation.roles()[0]}.here", operation, example)
            recorded = [await latest_entry(world, operation, action=action) for action in operation.audited]
            if not answer.is_success or max(recorded) <= before:
                wrong[operation.name] = told(answer)
    assert not wrong, listed(wrong)


async def headed(world: World, who: str, operation: Operation, example: Example) -> tuple[int, bytes]:
    """Ask for the head alone of what was got."""
    answer = await ask(world, who, replace(operation, method="HEAD"), example)
    return answer.status_code, answer.content


async def latest_entry(world: World, operation: Operation, **only: Any) -> int:
    """Give the number of the last entry in the audit of the operation's service, 0 where it records nothing."""
    if not operation.audited:
        return 0
    service = operation.audited[0].partition(".")[0]
    entries = (await world.person("auditor").get(f"/v1/audit/{service}/entries", limit=1, **only))["items"]
    return int(entries[0]["id"]) if entries else 0


def _right(operation: Operation) -> str:
    return "member" if operation.for_everybody else f"{operation.roles()[0]}.here"


@pytest.mark.parametrize("who", ["administrator", "security", "auditor"])
async def test_administrators_read_no_files_and_no_cases(world: World, who: str) -> None:
    """Check 27, second half: none of the three."""
    branch, person_id = world.things["branch_id"], world.ids["member"]
    for path in (f"/v1/members?organisation_id={branch}", f"/v1/members/{person_id}?purpose=file_care"):
        answer = await world.person(who).answer("GET", path)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/permission_missing")
    assert (await world.person(who).answer("GET", f"/v1/cases/{world.things['case_id']}")).status_code == 404


async def test_what_moves_away_is_lost_to_the_old_officers_and_seen_by_the_new_ones_in_every_service(
    system: System, world: World
) -> None:
    """Check 3: within five seconds, in each service."""
    township = (await world.person("registrar.here").post("/v1/organisations", an_organisation(world)))[
        "organisation_id"
    ]
    branch = {"parent_id": township, "kind": "branch", "level": "branch", "name": "迁移中的支部"}
    branch_id = (await world.person("registrar.here").post("/v1/organisations", branch))["organisation_id"]
    sights = await sights_of(world, branch_id)

    async def seen(where: str) -> list[str]:
        answers = await asyncio.gather(*(sight.by(world, where) for sight in sights.values()))
        return [name for name, sees in zip(sights, answers, strict=True) if sees]

    async def have_changed_places() -> bool:
        return (await seen("here"), await seen("beside")) == ([], list(sights))

    async def are_known_everywhere() -> bool:
        return (await seen("here"), await seen("beside")) == (list(sights), [])

    assert await within(20, are_known_everywhere) < 20
    async with system.person("registrar.demo") as of_province:
        body = {"parent_id": world.things["beside_id"]}
        await of_province.post(f"/v1/organisations/{township}/moves", body, status=200)
        assert await within(5, have_changed_places) < 5
        back = {"parent_id": world.things["county_id"]}  # one case alone over there would hide figures of both
        await of_province.post(f"/v1/organisations/{township}/moves", back, status=200)
    assert await within(5, are_known_everywhere) < 5


class Sight(NamedTuple):
    """What somebody in a role sees or does about a place: an answer of 200 in which `shown` stands."""

    role: str
    path: str
    shown: str = ""
    method: str = "GET"

    async def by(self, world: World, where: str) -> bool:
        """Say whether whoever holds the role there gets it; nothing else than a refusal is told to the others."""
        person = world.person(f"{self.role}.{where}")
        answer = await person.answer(self.method, self.path)
        if answer.status_code == 401 and "token_invalid" in answer.text:  # as after a change of one's roles
            person.sign_in_anew()
            answer = await person.answer(self.method, self.path)
        assert answer.status_code in {200, 404}, told(answer)
        return answer.status_code == 200 and self.shown in answer.text


async def sights_of(world: World, branch_id: str) -> dict[str, Sight]:
    """Make one thing of each service in a branch of the first county, and say how its officers see it."""

    async def made(who: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answers: list[httpx.Response] = []

        async def done() -> bool:  # until the service has heard of the branch
            answers.append(await world.person(who).answer("POST", path, body))
            return answers[-1].is_success

        await within(10, done)
        return dict(answers[-1].json())

    here = {"organisation_id": branch_id}
    member = await made("registrar.here", "/v1/members", {**a_member(world), **here})
    activity = await made("branch_secretary.here", "/v1/activities", a_meeting(world, **here))
    answers_for = {"category": "roads", "responsible_id": branch_id, "working_days": 5}
    today = datetime.now(UTC).date().isoformat()
    await made("registrar.here", "/v1/responsibilities", {**answers_for, **here, "valid_from": today})
    case = await made("member", "/v1/cases", {"category": "roads", "text": "桥塌了", **here})
    account = {"username": f"moving.{new_id().hex[-10:]}", "password": "随乡迁走的账号-2026", **here}
    person_id = (await made("administrator", "/v1/accounts", account))["person_id"]
    role = await made("security", "/v1/role-assignments", {"person_id": person_id, "role": "helper", **here})
    roles = f"/v1/role-assignments?person_id={person_id}"
    ending = f"/v1/accounts/{person_id}/sessions/revocation"
    return {
        "members": Sight("officer", f"/v1/members/{member['person_id']}?purpose=file_care"),
        "activities": Sight("officer", f"/v1/activities/{activity['activity_id']}/participations"),
        "learning": Sight("officer", f"/v1/help-requests?organisation_id={branch_id}"),
        "feedback": Sight("officer", f"/v1/cases/{case['case_id']}"),
        "gateway": Sight("officer", f"/v1/overview/{branch_id}"),
        "identity, roles": Sight("security_administrator", roles, shown=role["assignment_id"]),
        "identity, sessions": Sight("security_administrator", ending, method="POST"),
    }


async def test_what_lies_elsewhere_is_refused_in_the_words_for_what_does_not_exist(world: World) -> None:
    registrar = world.person("registrar.beside")
    for path, body, field in (
        ("/v1/organisations", an_organisation(world), "parent_id"),
        ("/v1/members", a_member(world), "organisation_id"),
    ):
        told_of = [
            (await registrar.answer("POST", path, {**body, field: place})).json()
            for place in (body[field], str(new_id()))
        ]
        words = [{name: each[name] for name in ("type", "status", "rows") if name in each} for each in told_of]
        assert words[0] == words[1]


WORD = "he.owes.me.money"
HEARD = NUMBERS | SECRETS


def with_the_word(operation: Operation, example: Example, world: World) -> Iterable[tuple[str, Any, dict[str, Any]]]:
    """Give path, body and query of a good request with a stranger's word in one of its texts, for each of them."""
    body, query = example.body(world) if example.body else None, example.query(world) if example.query else {}
    path = path_of(operation, example, world)
    for name in operation.texts:
        there = operation.path.replace("{" + name + "}", WORD)
        if there == operation.path:
            yield path, body, {**query, name: f"{WORD}.in.secret" if name in HEARD else WORD}
        else:
            values = {each: world.things[example.ids.get(each, each)] for each in operation.parameters if each != name}
            yield there.format(**values), body, query
    if isinstance(body, dict):
        for name in [name for name, value in body.items() if isinstance(value, str)]:
            # What is heard as a secret, or a number of somebody, is looked for everywhere: no name may hold that word.
            yield path, {**body, name: f"{WORD}.in.secret" if name in HEARD else WORD}, query


async def test_no_word_that_somebody_sends_comes_into_an_audit(operations: list[Operation], world: World) -> None:
    """Check 37: every text of every operation, sent by a stranger and by who may ask; no stranger in a member's log."""
    sent = 0
    for operation, example in asked_for(operations):
        if example.last or example.by in EXPENDABLE:
            continue
        for who in ("stranger", example.by or _right(operation)):
            for path, body, query in with_the_word(operation, example, world):
                answer = await world.person(who).answer(operation.method, path, body, **query)
                assert answer.status_code < SERVER_ERROR, (operation.name, told(answer))
                sent += 1
    assert sent > 100
    purposes = set()
    for service in SERVICES:
        page: dict[str, Any] = {"next_cursor": None}
        while page["next_cursor"] is not None or "items" not in page:
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
            page = await world.person("auditor").get(f"/v1/audit/{service}/entries", limit=200, **cursor)
            assert WORD not in str(page), service
            purposes |= {each["purpose"] for each in page["items"]}
    assert "unknown" in purposes
    log = await world.person("member").get("/v1/me/access-log", limit=200)
    assert world.ids["stranger"] not in str(log)
