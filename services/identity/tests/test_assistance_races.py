"""A ticket is exchanged once, and never after the end of what it stands for, however many try at that moment."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from contracts.identity import SessionRevokedV1
from database import utc_now
from identity.assistance.event_handlers import HANDLERS
from identity.assistance.tables import AssistedSession
from identity.sessions.tables import TokenFamily
from messaging import Received

from .front_end import Tokens
from .granting import strongly_signed_in
from .helping import Village, village
from .phones import Phones
from .provider import Provider
from .test_sessions import session_of
from .told import is_told_revoked

AT_ONCE = 10
HEAD_STARTS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.04)
"""Seconds that the exchanges have before the end comes: it meets them at different steps."""


@pytest.fixture
async def here(provider: Provider, phones: Phones) -> Village:
    return await village(provider, phones)


@pytest.fixture
async def secretary(here: Village) -> Tokens:
    """A witness: the number of rounds is more than one phone gets codes."""
    _, tokens = await strongly_signed_in(here.provider, ("branch_secretary", here.organisation_id))
    return tokens


async def ticket_of(here: Village, secretary: Tokens) -> tuple[str, str]:
    asked = await here.ask(evidence="witness")
    assist_id: str = asked.json()["assist_id"]
    assert (await here.post(f"{assist_id}/witness", secretary)).status_code == 200
    return assist_id, await here.ticket(assist_id)


async def family_of(here: Village, assist_id: str) -> TokenFamily | None:
    async with here.provider.database.read() as session:
        return await session.get(TokenFamily, UUID(assist_id))


def winners(answers: list[httpx.Response]) -> int:
    given = [answer for answer in answers if answer.status_code == 200]
    for refused in answers:
        if refused not in given:
            assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request"), refused.text
    return len(given)


async def test_of_many_exchanges_at_once_one_wins(here: Village, secretary: Tokens) -> None:
    assist_id, ticket = await ticket_of(here, secretary)
    answers = await asyncio.gather(*(here.exchange(ticket) for _ in range(AT_ONCE)))
    assert winners(answers) == 1
    family = await family_of(here, assist_id)
    assert family is not None
    assert family.revoked_at is None


async def test_a_new_ticket_and_the_old_one_at_once_give_one_token_at_most(here: Village, secretary: Tokens) -> None:
    for _ in range(3):
        assist_id, ticket = await ticket_of(here, secretary)
        renewing = [here.post(f"{assist_id}/ticket", here.helper) for _ in range(AT_ONCE // 2)]
        answers = await asyncio.gather(*(here.exchange(ticket) for _ in range(AT_ONCE)), *renewing)
        given = winners(list(answers[:AT_ONCE]))
        later = [answer.json()["ticket"] for answer in answers[AT_ONCE:] if answer.status_code == 200]
        given += winners(list(await asyncio.gather(*(here.exchange(each) for each in later))))
        assert given == 1


@pytest.mark.parametrize("by_whom", ["villager", "helper"])
async def test_no_token_outlives_the_end_that_came_beside_the_exchanges(
    here: Village, secretary: Tokens, by_whom: str
) -> None:
    for head_start in HEAD_STARTS:
        assist_id, ticket = await ticket_of(here, secretary)

        async def end(path: str = f"{assist_id}/end", after: float = head_start) -> httpx.Response:
            await asyncio.sleep(after)
            return await here.post(path, here.villager if by_whom == "villager" else here.helper)

        *answers, ended = await asyncio.gather(*(here.exchange(ticket) for _ in range(AT_ONCE)), end())
        assert ended.status_code == 200, ended.text
        assert winners(list(answers)) <= 1
        await require_dead(here, assist_id, given=winners(list(answers)) == 1)
        assert winners([await here.exchange(ticket)]) == 0
        assert (await here.post(f"{assist_id}/ticket", here.helper)).status_code == 409


async def test_no_token_outlives_the_sign_in_of_the_helper_that_ended_beside_the_exchanges(
    provider: Provider, phones: Phones
) -> None:
    for head_start in HEAD_STARTS[:4]:
        here = await village(provider, phones)
        _, secretary = await strongly_signed_in(provider, ("branch_secretary", here.organisation_id))
        assist_id, ticket = await ticket_of(here, secretary)

        async def sign_out(helper: Tokens = here.helper, after: float = head_start) -> httpx.Response:
            await asyncio.sleep(after)
            return await provider.http.delete(f"/v1/me/sessions/{session_of(helper)}", headers=helper.headers)

        *answers, ended = await asyncio.gather(*(here.exchange(ticket) for _ in range(AT_ONCE)), sign_out())
        assert ended.status_code == 204, ended.text
        await hear_of_the_end(here, UUID(session_of(here.helper)))
        given = winners(list(answers)) == 1
        if given:
            await require_dead(here, assist_id, given=given)
        assert winners([await here.exchange(ticket)]) == 0


async def hear_of_the_end(here: Village, session_id: UUID) -> None:
    """Handle the event of a sign-in that ended, as the worker does."""
    event: Any = SessionRevokedV1(session_id=session_id)
    async with here.provider.database.transaction() as session:
        received = Received(event, 1, uuid4(), utc_now(), None, None, None)
        await HANDLERS[SessionRevokedV1](session, [received])


async def require_dead(here: Village, assist_id: str, *, given: bool) -> None:
    """Demand that the session has ended, and that what it gave was ended with it and told to every service."""
    async with here.provider.database.read() as session:
        assert (await session.get_one(AssistedSession, UUID(assist_id))).ended_at is not None
    family = await family_of(here, assist_id)
    assert (family is not None) == given
    if family is not None:
        assert (family.revoked_at is not None, family.revoked_for) == (True, "assistance_ended")
        assert await is_told_revoked(here.provider.database, assist_id)
