"""An account for a member is held against the member's affiliation, whichever of the two comes first."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

import orgtree
from contracts import Event
from contracts.members import MemberAffiliatedV1, OrganisationEstablishedV1
from database import new_id
from identity.accounts.commands import add_account
from identity.accounts.tables import Account
from identity.deactivation.event_handlers import HANDLERS
from messaging import Received

from .front_end import Tokens
from .provider import Provider
from .test_accounts import body_of

HOUR = timedelta(hours=1)


def received(event: Event, time: datetime, version: int = 1) -> Received[Event]:
    return Received(event, version, new_id(), time, None, None, None)


async def hand_over(provider: Provider, event: Event, *, ago: timedelta = HOUR) -> None:
    async with provider.database.transaction() as session:
        await HANDLERS[type(event)](session, [received(event, datetime.now(UTC) - ago)])


async def open_for(provider: Provider, administrator: Tokens, person_id: UUID, county: UUID) -> int:
    body = body_of(person_id=str(person_id), organisation_id=str(county), username=f"late.{person_id.hex[-10:]}")
    answer = await provider.http.post("/v1/accounts", json=body, headers=administrator.headers)
    return answer.status_code


async def status_of(provider: Provider, person_id: UUID) -> tuple[str, int, list[UUID] | None]:
    wanted = select(Account.status, Account.authorization_version, Account.opened_within)
    async with provider.database.read() as session:
        status, version, within = (await session.execute(wanted.where(Account.account_id == person_id))).one()
    return status, version, within


async def administrator_of(provider: Provider) -> tuple[UUID, Tokens]:
    county = await provider.establish()
    _, tokens = await provider.signed_in(("system_administrator", county))
    return county, tokens


@pytest.mark.parametrize("known_first", [True, False])
async def test_a_strangers_place_is_not_taken_whichever_comes_first(provider: Provider, known_first: bool) -> None:
    county, administrator = await administrator_of(provider)
    stranger, elsewhere = new_id(), await provider.establish()
    affiliated = MemberAffiliatedV1(person_id=stranger, organisation_id=elsewhere)
    if known_first:
        await hand_over(provider, affiliated)
        assert await open_for(provider, administrator, stranger, county) == 404
        return
    assert await open_for(provider, administrator, stranger, county) == 201
    await provider.prove(stranger)
    theirs = await provider.front_end().first_tokens(f"late.{stranger.hex[-10:]}", "a first password")
    await hand_over(provider, affiliated)
    assert await status_of(provider, stranger) == ("deactivated", 2, None)
    async with provider.database.read() as session:
        recorded = text("select actor, rule from audit.entry where action = :action and subject = :subject")
        facts = {"action": "identity.account.deactivated", "subject": stranger}
        assert (await session.execute(recorded, facts)).all() == [(None, "opened_outside_remit")]
    refused = await provider.front_end().refresh(theirs.refresh)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("known_first", [True, False])
async def test_ones_own_member_has_an_account_whichever_comes_first(provider: Provider, known_first: bool) -> None:
    county, administrator = await administrator_of(provider)
    branch, member = await provider.establish(county), new_id()
    affiliated = MemberAffiliatedV1(person_id=member, organisation_id=branch)
    if known_first:
        await hand_over(provider, affiliated)
    assert await open_for(provider, administrator, member, county) == 201
    assert (await status_of(provider, member))[2] == (None if known_first else [county])
    if not known_first:
        await hand_over(provider, affiliated)
    assert await status_of(provider, member) == ("active", 1, None)


async def test_an_affiliation_waits_for_the_place_of_its_organisation(provider: Provider) -> None:
    county, administrator = await administrator_of(provider)
    inside, outside = (new_id(), new_id()), (new_id(), new_id())
    for person, branch in (inside, outside):
        assert await open_for(provider, administrator, person, county) == 201
        await hand_over(provider, MemberAffiliatedV1(person_id=person, organisation_id=branch))
        assert await status_of(provider, person) == ("active", 1, [county])
    for (_, branch), parent in ((inside, county), (outside, orgtree.ROOT_ID)):
        established = OrganisationEstablishedV1(
            organisation_id=branch, parent_id=parent, kind="branch", level="branch", name="支部"
        )
        await hand_over(provider, established)
    assert await status_of(provider, inside[0]) == ("active", 1, None)
    assert await status_of(provider, outside[0]) == ("deactivated", 2, None)


async def test_who_joins_elsewhere_after_the_account_was_opened_keeps_it(provider: Provider) -> None:
    county, administrator = await administrator_of(provider)
    villager, elsewhere = new_id(), await provider.establish()
    assert await open_for(provider, administrator, villager, county) == 201
    await hand_over(provider, MemberAffiliatedV1(person_id=villager, organisation_id=elsewhere), ago=-HOUR)
    assert await status_of(provider, villager) == ("active", 1, None)


async def test_a_first_password_is_held_against_where_its_giver_may_open(provider: Provider) -> None:
    """A list opened the account before the person came to where the giver of the password has no say."""
    (county, giver), elsewhere = await administrator_of(provider), await provider.establish()
    person_id, name = new_id(), f"late.{new_id().hex[-10:]}"
    async with provider.database.transaction() as session:
        await add_account(
            session, account_id=person_id, username=name, password_encoding=None, organisation_id=county,
            opened_within=[orgtree.ROOT_ID], proven_at=None, new_id=new_id, now=datetime.now(UTC) - 3 * HOUR,
        )  # fmt: skip
    body = body_of(person_id=str(person_id), organisation_id=str(county), username=name)
    assert (await provider.http.post("/v1/accounts", json=body, headers=giver.headers)).status_code == 201
    assert await status_of(provider, person_id) == ("active", 1, [county])
    await hand_over(provider, MemberAffiliatedV1(person_id=person_id, organisation_id=elsewhere))
    assert (await status_of(provider, person_id))[0] == "deactivated"
