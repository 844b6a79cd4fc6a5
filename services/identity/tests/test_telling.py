"""What identity tells of its aggregates anew is what it told last, and nobody gets power by a restore."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest_asyncio

import orgtree
from database import new_id, raw
from identity.clients.telling import TOLD as CLIENT
from identity.roles.telling import ROLE_ASSIGNMENT
from identity.telling import ACCOUNT, SESSION
from identity.worker import TOLD
from messaging.outbox import encode
from messaging.settling import settle
from testkit.databases import Template, TestDatabases
from testkit.forgetting import Forgotten, adopted, forget, rows, tellings

from .granting import end, grant, strongly_signed_in
from .provider import Provider, running
from .system_clients import SERVICE, registered
from .test_account_lists import administrator, given, row, say
from .test_clients import staff
from .test_sessions import refreshes, session_of
from .told import changes_of, told_of

ROOT = orgtree.ROOT_ID


@pytest_asyncio.fixture
async def provider(
    fresh_database: Callable[[Template | None], Awaitable[str]], database_template: Template
) -> AsyncIterator[Provider]:
    """An identity that others have told nothing by."""
    async with running(await fresh_database(database_template)) as started:
        yield started


def superuser(databases: TestDatabases, provider: Provider) -> str:
    return databases.superuser_url_of(provider.database.dsn)


async def test_each_is_told_as_it_was_told_last(provider: Provider) -> None:
    giver, other = await administrator(provider), await administrator(provider)
    await given(provider, giver, row())
    assert (await say(provider, other, await given(provider, giver, row()))).status_code == 200
    _, tokens = await strongly_signed_in(provider, ("security_administrator", ROOT))
    person_id, username = await provider.open_person()
    for ended in (False, True):
        made = await grant(provider, tokens, person_id=person_id, role="officer", organisation_id=ROOT)
        if ended:
            assert (await end(provider, tokens, made.json()["assignment_id"])).status_code in {200, 204}
    client = await registered(provider, SERVICE)
    front_end = provider.front_end()
    own = await front_end.tokens(username)
    await provider.http.delete(f"/v1/me/sessions/{session_of(own)}", headers=own.headers)
    for told in TOLD:
        paged, by_id, published = await tellings(provider.database, told)
        assert published
        assert paged == by_id
        if told is CLIENT:  # those of the system were made for another address; when a quota changed is not kept
            this = UUID(client.principal_id)
            assert paged[this][:2] == published[this][:2]
            continue
        assert paged == published


async def test_an_ended_role_that_was_forgotten_is_ended_again(provider: Provider, databases: TestDatabases) -> None:
    _, tokens = await strongly_signed_in(provider, ("security_administrator", ROOT))
    person_id, _ = await provider.open_person()
    made = await grant(provider, tokens, person_id=person_id, role="officer", organisation_id=ROOT)

    async def act() -> None:
        await end(provider, tokens, made.json()["assignment_id"])

    url = superuser(databases, provider)
    lost = await forget(url, provider.database, ROLE_ASSIGNMENT, ("role_assignment",), act)
    for wanted in ({each.event.assignment_id for each in lost.events}, set()):
        assert await adopted(provider.database, ROLE_ASSIGNMENT, lost.events) == wanted
        assert await rows(provider.database, ("role_assignment",)) == lost.tables


async def settled(provider: Provider, lost: Forgotten) -> dict[Any, str]:
    """Settle lost events as the worker does; gives how, by aggregate."""
    note = """
        insert into lost_event
            (event_id, stream_seq, type, aggregate, aggregate_id, aggregate_version, occurred_at, payload)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
    """
    async with provider.database.transaction() as session:
        connection = await raw(session)
        await connection.execute("update outbox_state set epoch = 2")
        for at, each in enumerate(lost.events, start=1):
            event = each.event
            which = (event.type, event.aggregate, event.aggregate_id, each.version, each.time)
            payload = encode(event, event_id=each.event_id, version=each.version, time=each.time)
            await connection.execute(note, each.event_id, at, *which, payload)
    await settle(provider.database, TOLD)
    async with provider.database.read() as session:
        return dict(await (await raw(session)).fetch("select aggregate_id, state from lost_event"))


async def test_a_grant_that_was_forgotten_is_told_as_ended_and_no_token_that_names_it_holds(
    provider: Provider, databases: TestDatabases
) -> None:
    _, tokens = await strongly_signed_in(provider, ("security_administrator", ROOT))
    person_id, username = await provider.open_person()
    assignment_id = new_id()

    async def act() -> None:
        await grant(
            provider, tokens, assignment_id=assignment_id, person_id=person_id, role="officer", organisation_id=ROOT
        )

    url = superuser(databases, provider)
    lost = await forget(url, provider.database, ROLE_ASSIGNMENT, ("role_assignment",), act)
    assert await settled(provider, lost) == {assignment_id: "withdrawn"}
    [(version, data)] = await told_of(provider.database, assignment_id, "ended")
    assert (version, data["person_id"], data["role"]) == (0, str(person_id), "officer")
    lost = await forget(url, provider.database, ACCOUNT, ("account",), act)
    assert (await settled(provider, lost))[person_id] == "adopted"
    [event] = [each.event for each in lost.events]
    told = await changes_of(provider.database, person_id)
    assert told[-1] == (lost.events[0].version + 1, event.authorization_version + 1)
    own = await provider.front_end().tokens(username)
    assert own.access


async def test_who_signed_out_everywhere_is_signed_out_though_the_account_has_changed_since(
    provider: Provider, databases: TestDatabases
) -> None:
    person_id, username = await provider.open_person()
    front_end = provider.front_end()
    own = await front_end.tokens(username)
    web = provider.web_front_end()
    await web.tokens(username)

    async def act() -> None:
        for _ in range(2):
            _, tokens = await strongly_signed_in(provider, ("security_administrator", ROOT))
            await grant(
                provider, tokens, person_id=person_id, role="officer", organisation_id=await provider.establish()
            )

    lost = await forget(superuser(databases, provider), provider.database, ACCOUNT, ("account",), act)
    lost = lost._replace(events=[each for each in lost.events if each.event.person_id == person_id])
    _, tokens = await strongly_signed_in(provider, ("security_administrator", ROOT))
    async with provider.database.transaction() as session:
        await (await raw(session)).execute("update outbox_state set epoch = 2")
    await grant(provider, tokens, person_id=person_id, role="officer", organisation_id=await provider.establish())
    assert await settled(provider, lost) == {person_id: "adopted"}
    [each] = lost.events
    assert (await changes_of(provider.database, person_id))[-1] == (
        each.version + 1,
        each.event.authorization_version + 1,
    )
    assert not await refreshes(front_end, own)
    assert "/sign-in" in (await web.authorize()).headers["location"]


async def test_a_sign_in_that_was_ended_is_ended_again_with_its_browser(
    provider: Provider, databases: TestDatabases
) -> None:
    _, username = await provider.open_person()
    web = provider.web_front_end()
    own = await web.tokens(username)

    async def act() -> None:
        await provider.http.delete(f"/v1/me/sessions/{session_of(own)}", headers=own.headers)

    tables = ("token_family", "session")
    lost = await forget(superuser(databases, provider), provider.database, SESSION, tables, act)
    assert (await web.authorize()).headers["location"].startswith(web.redirect_uri)
    for _ in range(2):
        assert {str(each) for each in await adopted(provider.database, SESSION, lost.events)} == {session_of(own)}
    assert not await refreshes(web, own)
    assert "/sign-in" in (await web.authorize()).headers["location"]
    found = await rows(provider.database, ("token_family",))
    [family] = [each for each in found["token_family"] if str(each["family_id"]) == session_of(own)]
    assert family["revoked_for"] == "restored"
    assert family in [{**each, "revoked_for": "restored"} for each in lost.tables["token_family"]]


async def test_a_suspended_client_stays_so_and_one_whose_approval_was_forgotten_is_withdrawn(
    provider: Provider, databases: TestDatabases
) -> None:
    client = await registered(provider, SERVICE)
    reviewer = await staff(provider, "security_administrator")

    async def act() -> None:
        await provider.http.post(f"/v1/clients/{client.client_id}/suspension", headers=reviewer.headers)
        await registered(provider, SERVICE)

    lost = await forget(superuser(databases, provider), provider.database, CLIENT, ("client",), act)
    assert len(lost.events) == 2
    states = await settled(provider, lost)
    by_status = {each.event.status: states[each.event.client_principal_id] for each in lost.events}
    assert by_status == {"suspended": "adopted", "active": "withdrawn"}
    kept = (await rows(provider.database, ("client",)))["client"]
    assert [each["status"] for each in kept if each["client_id"] == client.client_id] == ["suspended"]
