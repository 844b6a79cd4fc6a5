"""What takes two people takes two: nobody makes the second one alone, whichever role, office or standing it is by."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

import orgtree
from contracts.members import MemberAffiliatedV1, OrganisationEstablishedV1
from database import new_id
from identity.assistance.commands import WITNESS
from identity.roles.definitions import roles_to_define
from identity.roles.tables import RoleAssignment
from messaging import Publication

from .front_end import Tokens
from .granting import decide, end, grant, roles_in, strongly_signed_in, with_second_factor
from .helping import Village, village
from .phones import Phones
from .provider import Provider
from .test_phone_replacement import office_for
from .test_recovery import approve, ask, recoveries

ROOT = orgtree.ROOT_ID
ROLES = roles_to_define()
LEVELS = ("city", "county", "league", "township", "village", "branch")
BY_ONE = {"township", "village", "branch"}


async def organisation_of(provider: Provider, level: str, parent_id: UUID = ROOT) -> UUID:
    organisation_id = new_id()
    event = OrganisationEstablishedV1(
        organisation_id=organisation_id, parent_id=parent_id, kind="committee", level=level, name="组织"
    )
    async with provider.database.transaction() as session:
        await orgtree.place_organisations(session, [(event, 1)])
    return organisation_id


async def join(provider: Provider, person_id: UUID, organisation_id: UUID) -> None:
    """Make somebody a member, as the event of it would."""
    event = MemberAffiliatedV1(person_id=person_id, organisation_id=organisation_id)
    async with provider.database.transaction() as session:
        await orgtree.HANDLERS[MemberAffiliatedV1](session, [Publication(event, 1)])


async def friend(provider: Provider, security: Tokens, role: str, place: UUID) -> tuple[UUID, Tokens]:
    """Have somebody new granted a role; gives them, signed in by two factors."""
    person_id, username = await provider.open_person()
    made = await grant(provider, security, person_id=person_id, role=role, organisation_id=place)
    assert made.status_code == 201, made.text
    return person_id, await with_second_factor(provider, await provider.front_end().tokens(username))


async def asked_alone(provider: Provider, path: str, tokens: Tokens, **body: object) -> httpx.Response:
    """Ask with nobody who approves."""
    content = {name: str(value) for name, value in body.items()}
    return await provider.http.post(f"/v1/role-assignments{path}", json=content, headers=tokens.headers)


@pytest.fixture(scope="module")
async def security(provider: Provider) -> Tokens:
    """A security administrator of the province."""
    return (await strongly_signed_in(provider, ("security_administrator", ROOT)))[1]


@pytest.mark.parametrize("role", ROLES)
async def test_whatever_opens_files_at_county_level_and_above_takes_two(
    provider: Provider, security: Tokens, role: str
) -> None:
    """Check 35: every role at every level, at one that nobody knows, and at the root."""
    opens = any(permission.startswith("members.file.") for permission in ROLES[role].permissions)
    for level in LEVELS:
        place = await organisation_of(provider, level)
        person_id, username = await provider.open_person()
        made = await asked_alone(provider, "", security, person_id=person_id, role=role, organisation_id=place)
        two = ROLES[role].privileged or (opens and level not in BY_ONE)
        assert (made.status_code, made.json()["status"]) == (201, "proposed" if two else "granted"), level
        assert roles_in(await provider.front_end().tokens(username)) == ([] if two else [role]), level
        if two:
            assignment_id = made.json()["assignment_id"]
            alone = await decide(provider, security, assignment_id, "approval")
            assert alone.json()["type"] == "/problems/second_person_needed"


async def test_so_does_handing_such_a_role_on(provider: Provider, security: Tokens) -> None:
    """Check 35: it opens the files to one more person, whoever says so."""
    county = await provider.establish()
    township = await provider.establish(county)
    _, administrator = await strongly_signed_in(provider, ("system_administrator", ROOT))
    _, officer = await friend(provider, security, "officer", county)
    source = (await provider.http.get("/v1/role-assignments?person_id=" + await _id_of(provider, officer),
              headers=officer.headers)).json()["items"][0]["assignment_id"]  # fmt: skip
    deputy, username = await provider.open_person()
    path = f"/{source}/delegations"
    below = await asked_alone(provider, path, officer, person_id=deputy, organisation_id=township)
    assert (below.status_code, below.json()["status"]) == (201, "granted")
    made = [await asked_alone(provider, path, officer, person_id=deputy) for _ in range(3)]
    assert [each.json()["status"] for each in made] == ["proposed"] * 3
    first, second, third = [each.json()["assignment_id"] for each in made]
    own = await decide(provider, officer, first, "approval")
    assert own.status_code == 403
    taken = await provider.http.delete(f"/v1/role-assignments{path}/{second}", headers=officer.headers)
    assert taken.json()["status"] == "withdrawn"
    assert (await decide(provider, administrator, first, "approval")).json()["status"] == "granted"
    assert (await provider.http.get("/v1/me", headers=(await provider.front_end().tokens(username)).headers)).json()[
        "roles"
    ] == [{"role": "officer", "organisation_id": str(each)} for each in sorted((county, township))]
    assert (await end(provider, security, source)).status_code == 200
    late = await decide(provider, administrator, third, "approval")
    assert late.json()["type"] == "/problems/already_decided"
    assert roles_in(await provider.front_end().tokens(username)) == []


async def _id_of(provider: Provider, tokens: Tokens) -> str:
    return str((await provider.http.get("/v1/me", headers=tokens.headers)).json()["person_id"])


@pytest.fixture
async def here(provider: Provider, phones: Phones, security: Tokens) -> Village:
    """A village whose helper the security administrator made one, alone."""
    made = await village(provider, phones)
    made.helper_id, made.helper = await friend(provider, security, "helper", ROOT)
    return made


async def asked(here: Village) -> str:
    answer = await here.ask(evidence="witness")
    assert answer.status_code == 201, answer.text
    return f"{answer.json()['assist_id']}/witness"


async def told(here: Village, path: str, tokens: Tokens) -> tuple[int, str]:
    """Give what a witness is told, and see that only who may witness is shown what waits for one."""
    seen = await here.provider.http.get(f"/v1/assisted-sessions/{path.partition('/')[0]}", headers=tokens.headers)
    answer = await here.post(path, tokens)
    assert seen.status_code == (200 if answer.is_success else 404)
    return answer.status_code, answer.json().get("type", "").removeprefix("/problems/")


@pytest.mark.parametrize("role", ROLES)
async def test_who_witnesses_by_an_office_has_one_that_witnesses_and_administers_nothing(
    here: Village, role: str
) -> None:
    """Check 35: every role there is, at the place itself, and as a member there beside it."""
    person_id, tokens = await strongly_signed_in(here.provider, (role, here.organisation_id))
    may = WITNESS in ROLES[role].permissions
    assert await told(here, await asked(here), tokens) == ((200, "") if may else (404, "not_found"))
    await join(here.provider, person_id, here.organisation_id)
    administers = role.endswith("_administrator")
    assert await told(here, await asked(here), tokens) == ((404, "not_found") if administers else (200, ""))


async def test_nobody_witnesses_for_a_helper_by_the_word_that_made_the_helper_one(
    here: Village, security: Tokens
) -> None:
    """Check 35: neither who granted the helper's role, nor by an office that they alone granted, too."""
    provider, path = here.provider, await asked(here)
    township = await provider.establish(here.organisation_id)
    here.organisation_id = township
    path = await asked(here)
    assert await told(here, path, security) == (404, "not_found")
    secretary_id, secretary = await friend(provider, security, "branch_secretary", township)
    assert await told(here, path, secretary) == (403, "not_independent")
    _, of_two = await friend(provider, security, "officer", ROOT)
    assert await told(here, path, of_two) == (200, "")
    await join(provider, secretary_id, township)
    assert await told(here, await asked(here), secretary) == (200, "")  # as a member, which nobody granted

    neighbour_id, neighbour = await strongly_signed_in(provider)
    await join(provider, neighbour_id, township)
    assert await told(here, await asked(here), neighbour) == (200, "")
    for part in ("granted_by", "decided_by"):
        person_id, tokens = await strongly_signed_in(provider)
        await join(provider, person_id, township)
        async with provider.database.transaction() as session:
            helpers = RoleAssignment.person_id == here.helper_id
            await session.execute(update(RoleAssignment).where(helpers).values({part: person_id}))
        assert await told(here, await asked(here), tokens) == (403, "not_independent")


async def test_two_officers_of_one_hand_let_nobody_back_into_an_account(
    provider: Provider, phones: Phones, security: Tokens
) -> None:
    """Check 35: recovery and a new phone, where one person alone made both officers."""
    township = await provider.establish(await provider.establish())
    _, other_security = await strongly_signed_in(provider, ("security_administrator", ROOT))
    (_, one), (_, same) = [await friend(provider, security, "officer", township) for _ in range(2)]
    _, other = await friend(provider, other_security, "officer", township)
    _, of_two = await friend(provider, security, "officer", ROOT)
    for second in (other, of_two):
        office = await office_for(provider, phones, one, same, township)
        replacement_id = await office.confirmed()
        assert (await office.approve(replacement_id)).json()["type"] == "/problems/not_independent"
        assert (await office.approve(replacement_id, second)).status_code == 201

        person_id, _ = await provider.open_person()
        await join(provider, person_id, township)
        await ask(provider.front_end(), phones, await phones.give(person_id), lost_device="yes")
        [begun] = [each for each in await recoveries(provider, one) if each["person_id"] == str(person_id)]
        recovery_id = str(begun["recovery_id"])
        assert (await approve(provider, recovery_id, one)).status_code == 201
        assert (await approve(provider, recovery_id, same)).json()["type"] == "/problems/not_independent"
        assert (await approve(provider, recovery_id, second)).json()["status"] == "approved"
