"""Two who decide together are two: who was delegated an office speaks for whoever delegated it."""

from uuid import UUID

import orgtree

from .front_end import FrontEnd, Tokens
from .granting import delegate, with_second_factor
from .helping import village
from .phones import Phones
from .provider import Provider
from .test_delegation import holding
from .test_recovery import approve, ask, recoveries

ROOT = orgtree.ROOT_ID


async def deputy_of(provider: Provider, source: str, tokens: Tokens) -> tuple[UUID, Tokens, str]:
    """Delegate a role to somebody new; give them, signed in by two factors, and the delegation."""
    person_id, username = await provider.open_person()
    made = await delegate(provider, tokens, source, person_id=person_id)
    assert made.status_code == 201, made.text
    strong = await with_second_factor(provider, await provider.front_end().tokens(username))
    return person_id, strong, made.json()["assignment_id"]


async def asked_for(provider: Provider, front_end: FrontEnd, phones: Phones, person_id: UUID, officer: Tokens) -> str:
    """Begin the recovery of an officer and give its id."""
    await ask(front_end, phones, await phones.give(person_id))
    [asked] = [each for each in await recoveries(provider, officer) if each["person_id"] == str(person_id)]
    return str(asked["recovery_id"])


async def test_an_officer_and_their_deputy_are_one_approver_even_once_the_deputy_is_none(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    source, _, officer, _ = await holding(provider, ROOT)
    _, deputy, delegation = await deputy_of(provider, source, officer)
    _, second_deputy, _ = await deputy_of(provider, source, officer)
    person_id, _ = await provider.open_person(("officer", ROOT))
    recovery_id = await asked_for(provider, front_end, phones, person_id, officer)
    assert (await approve(provider, recovery_id, deputy)).status_code == 201
    refused = await approve(provider, recovery_id, second_deputy)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not_independent")
    path = f"/v1/role-assignments/{source}/delegations/{delegation}"
    assert (await provider.http.delete(path, headers=officer.headers)).status_code == 200
    assert (await approve(provider, recovery_id, officer)).json()["type"] == "/problems/not_independent"
    _, _, other, _ = await holding(provider, ROOT)
    assert (await approve(provider, recovery_id, other)).json()["status"] == "approved"


async def test_a_deputy_of_the_person_does_not_approve_their_recovery(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    source, person_id, owner, _ = await holding(provider, ROOT)
    _, deputy, _ = await deputy_of(provider, source, owner)
    recovery_id = await asked_for(provider, front_end, phones, person_id, deputy)
    assert (await approve(provider, recovery_id, deputy)).json()["type"] == "/problems/not_independent"


async def test_a_deputy_of_the_helper_is_no_witness(provider: Provider, phones: Phones) -> None:
    here = await village(provider, phones)
    source, officer_id, officer, security = await holding(provider, ROOT)
    _, deputy, _ = await deputy_of(provider, source, officer)
    made = await provider.http.post(
        "/v1/role-assignments",
        json={"person_id": str(officer_id), "role": "helper", "organisation_id": str(ROOT)},
        headers=security.headers,
    )
    assert made.status_code == 201, made.text
    front_end = provider.front_end()
    here.helper = await with_second_factor(provider, await front_end.tokens(await name_of(provider, officer)))
    asked = (await here.ask(evidence="witness")).json()
    refused = await here.post(f"{asked['assist_id']}/witness", deputy)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not_independent")
    _, _, other, _ = await holding(provider, ROOT)
    assert (await here.post(f"{asked['assist_id']}/witness", other)).status_code == 200


async def name_of(provider: Provider, tokens: Tokens) -> str:
    told = await provider.http.get("/v1/me", headers=tokens.headers)
    return str(told.json()["username"])
