"""Check 38: how often one person asks for their file, to help somebody, and hands a role on."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import httpx
import pytest_asyncio

import orgtree
from database import raw, utc_now
from identity.assistance.commands import ASKED
from identity.privacy.exports import EXPORTS
from identity.roles.delegation import DELEGATIONS
from webapi import Limit, count_reach

from .granting import delegate, grant, strongly_signed_in, with_second_factor
from .helping import Village, village
from .phones import Phones
from .provider import Provider

Act = Callable[[], Awaitable[httpx.Response]]


@pytest_asyncio.fixture
async def here(provider: Provider, phones: Phones) -> Village:
    return await village(provider, phones)


async def require_limited(provider: Provider, limit: Limit, person_id: UUID, act: Act) -> None:
    """Let a person have done it as often as they may: then it is refused with a time, and made when that is over."""
    async with provider.database.transaction() as session:
        for _ in range(limit.most):
            await count_reach(session, limit, person_id, now=utc_now())
    refused = await act()
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too_often"), refused.text
    wait = int(refused.headers["retry-after"])
    assert 0 < wait <= limit.window.total_seconds() / limit.most
    async with provider.database.transaction() as session:
        changed = "update reach_count set full_at = full_at - $2::interval where person_id = $1"
        await (await raw(session)).execute(changed, person_id, timedelta(seconds=wait))
    made = await act()
    assert made.status_code == 201, made.text
    assert (await act()).status_code == 429


async def test_a_file_is_asked_for_a_few_times_a_day(provider: Provider) -> None:
    person_id, tokens = await provider.signed_in()
    path = "/v1/me/export-requests"
    await require_limited(provider, EXPORTS, person_id, lambda: provider.http.post(path, headers=tokens.headers))


async def test_a_helper_asks_so_many_and_no_crowd(here: Village) -> None:
    await require_limited(here.provider, ASKED, here.helper_id, lambda: here.ask(evidence="witness"))


async def test_a_role_is_handed_on_to_so_many_and_no_crowd(provider: Provider) -> None:
    place = await provider.establish()
    _, security = await strongly_signed_in(provider, ("security_administrator", orgtree.ROOT_ID))
    holder, username = await provider.open_person()
    made = await grant(provider, security, person_id=holder, role="officer", organisation_id=place)
    tokens = await with_second_factor(provider, await provider.front_end().tokens(username))
    deputies = iter([(await provider.open_person())[0] for _ in range(3)])

    async def hand_on() -> httpx.Response:
        return await delegate(provider, tokens, made.json()["assignment_id"], person_id=next(deputies))

    await require_limited(provider, DELEGATIONS, holder, hand_on)
