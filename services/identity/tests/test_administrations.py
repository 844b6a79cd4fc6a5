"""System, security and audit administration: no account combines two of them, and no role is everything."""

from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

import orgtree
from china_time import day_of
from database import new_id, utc_now
from identity.roles.definitions import roles_to_define
from identity.roles.rules import ADMINISTRATIONS

from .front_end import Tokens
from .granting import decide, end, grant, strongly_signed_in
from .provider import Provider

ROOT = orgtree.ROOT_ID
TODAY = day_of(utc_now())
INSERT = """
insert into role_assignment (assignment_id, person_id, role, organisation_id, valid_from, granted_at)
values (:id, :person_id, :role, :organisation_id, :valid_from, now())
"""


def test_no_role_is_everything_and_the_three_administrations_share_but_the_second_word() -> None:
    roles = roles_to_define()
    everything = {permission for role in roles.values() for permission in role.permissions}
    for role in roles.values():
        assert set(role.permissions) < everything
        assert len(set(role.permissions)) <= len(everything) / 2
    system, security, audit = (set(roles[role].permissions) for role in ADMINISTRATIONS)
    assert system & security == {"identity.role.approve"}
    assert not audit & (system | security)
    assert not any(permission.startswith(("members.file.", "feedback.case.")) for permission in system | security)
    assert all(permission.endswith(".audit.read") for permission in audit)
    grants = [name for name, role in roles.items() if "identity.role.grant" in role.permissions]
    assert grants == ["security_administrator"]
    for name, role in roles.items():
        assert role.privileged == (name in ADMINISTRATIONS)
        assert not (role.privileged and role.delegable)
        assert set(role.granted_by) <= roles.keys()


@pytest.mark.parametrize(("first", "second"), list(permutations(ADMINISTRATIONS, 2)))
async def test_a_second_administration_on_one_account_is_a_database_error(
    provider: Provider, first: str, second: str
) -> None:
    """Check 27, first half."""
    person_id, _ = await provider.open_person((first, ROOT))
    elsewhere = await provider.establish()
    rows = (
        {"organisation_id": ROOT, "valid_from": TODAY},
        {"organisation_id": elsewhere, "valid_from": TODAY + timedelta(days=400)},
    )
    for row in rows:
        with pytest.raises(IntegrityError, match="fk_role_assignment_administration_administrator"):
            async with provider.database.transaction() as session:
                await session.execute(text(INSERT), {"id": new_id(), "person_id": person_id, "role": second, **row})


@pytest.mark.parametrize(
    "statement",
    [
        "update administrator set role = 'audit_administrator' where person_id = :person_id",
        "insert into administrator values (:person_id, 'audit_administrator')",
        "delete from administrator where person_id = :person_id",
        "update role_assignment set role = 'audit_administrator' where person_id = :person_id",
    ],
)
async def test_the_walls_between_administrations_do_not_move(provider: Provider, statement: str) -> None:
    person_id, _ = await provider.open_person(("security_administrator", ROOT))
    with pytest.raises(IntegrityError):
        async with provider.database.transaction() as session:
            await session.execute(text(statement), {"person_id": person_id})


async def approved(provider: Provider, security: Tokens, other: Tokens, person_id: UUID, role: str) -> tuple[int, str]:
    made = await grant(provider, security, person_id=person_id, role=role, organisation_id=ROOT)
    if made.status_code != 201:
        return made.status_code, made.json()["type"]
    said = await decide(provider, other, made.json()["assignment_id"], "approval")
    return said.status_code, said.json().get("type", said.json().get("assignment_id"))


async def test_a_second_administration_is_refused_until_the_first_has_ended(provider: Provider) -> None:
    _, security = await strongly_signed_in(provider, ("security_administrator", ROOT))
    _, administrator = await strongly_signed_in(provider, ("system_administrator", ROOT))
    person_id, _ = await provider.open_person()
    combined = (409, "/problems/administrations_combined")
    status, first = await approved(provider, security, administrator, person_id, "system_administrator")
    assert status == 200
    assert await approved(provider, security, administrator, person_id, "audit_administrator") == combined
    assert (await end(provider, security, first)).status_code == 200
    assert (await approved(provider, security, administrator, person_id, "audit_administrator"))[0] == 200
    assert await approved(provider, security, administrator, person_id, "system_administrator") == combined


async def test_of_two_proposals_that_exclude_each_other_one_is_approved(provider: Provider) -> None:
    _, security = await strongly_signed_in(provider, ("security_administrator", ROOT))
    _, administrator = await strongly_signed_in(provider, ("system_administrator", ROOT))
    person_id, _ = await provider.open_person()
    wanted = {"person_id": person_id, "organisation_id": ROOT}
    ids = [
        (await grant(provider, security, **wanted, role=role)).json()["assignment_id"]
        for role in ("system_administrator", "audit_administrator")
    ]
    statuses = [(await decide(provider, administrator, each, "approval")).status_code for each in ids]
    assert statuses == [200, 409]


async def test_an_administration_is_not_granted_by_who_administers_another(provider: Provider) -> None:
    person_id, _ = await provider.open_person()
    for role in ("system_administrator", "audit_administrator", "registrar", "officer"):
        _, tokens = await strongly_signed_in(provider, (role, ROOT))
        refused = await grant(provider, tokens, person_id=person_id, role="officer", organisation_id=ROOT)
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/permission_missing")


async def test_the_last_administrator_stays(provider: Provider) -> None:
    _, security = await strongly_signed_in(provider, ("security_administrator", ROOT))
    auditors = await provider.http.get("/v1/role-assignments?status=granted&limit=200", headers=security.headers)
    of_root = [
        each["assignment_id"]
        for each in auditors.json()["items"]
        if each["role"] == "audit_administrator" and each["organisation_id"] == str(ROOT)
    ]
    answers = [await end(provider, security, assignment_id) for assignment_id in of_root]
    assert [answer.status_code for answer in answers] == [200] * (len(of_root) - 1) + [409]
    assert answers[-1].json()["type"] == "/problems/last_administrator"
