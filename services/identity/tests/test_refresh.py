"""Refresh tokens: each has one successor; one that comes again too late ends everything that came of the sign-in."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import Select, func, select, text, update

from database import KeyRing
from identity.accounts.tables import Account
from identity.housekeeping import delete_expired
from identity.oauth import rules
from identity.oauth.tables import AuthorizationCode
from identity.secrets import hash_of, successor_of
from identity.sessions.tables import RefreshToken, TokenFamily

from .front_end import FrontEnd, tokens_of
from .provider import Provider, ring


async def test_a_refresh_gives_new_tokens_of_the_same_family(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    first = await front_end.tokens(username)
    second = tokens_of(await front_end.refresh(first.refresh))
    third = tokens_of(await front_end.refresh(second.refresh))
    assert len({first.refresh, second.refresh, third.refresh}) == 3
    async with provider.database.read() as session:
        family = await session.scalar(
            select(RefreshToken.family_id).where(RefreshToken.token_hash == hash_of(third.refresh))
        )
        chain = dict(
            (
                await session.execute(
                    select(RefreshToken.token_hash, RefreshToken.parent_hash).where(RefreshToken.family_id == family)
                )
            ).all()
        )
    hashes = [hash_of(each.refresh) for each in (first, second, third)]
    assert chain == dict(zip(hashes, [None, *hashes], strict=False))


async def age_the_use_of(provider: Provider, token: str, by: timedelta = rules.SAME_SUCCESSOR_FOR) -> None:
    """Let a refresh token have been used so long ago."""
    used = update(RefreshToken).where(RefreshToken.token_hash == hash_of(token))
    async with provider.database.transaction() as session:
        await session.execute(used.values(used_at=RefreshToken.used_at - by))


async def test_a_token_whose_answer_was_lost_gives_the_same_successor_again(
    provider: Provider, front_end: FrontEnd
) -> None:
    _, username = await provider.open_person()
    first = await front_end.tokens(username)
    lost, again, third = [tokens_of(await front_end.refresh(first.refresh)) for _ in range(3)]
    assert len({lost.refresh, again.refresh, third.refresh}) == 1
    assert again.refresh != first.refresh
    assert (await provider.http.get("/oauth2/userinfo", headers=again.headers)).status_code == 200
    following = tokens_of(await front_end.refresh(again.refresh))
    assert (await front_end.refresh(following.refresh)).status_code == 200


async def test_no_row_tells_the_successor(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    first = await front_end.tokens(username)
    second = tokens_of(await front_end.refresh(first.refresh))
    assert second.refresh == successor_of(ring(), first.refresh)
    other = KeyRing({1: bytes(32)})
    assert successor_of(other, first.refresh) != second.refresh


@pytest.mark.parametrize("late", [True, False], ids=["after a minute", "after its successor was used"])
async def test_a_replayed_refresh_token_ends_its_family_though_the_answer_is_a_refusal(
    provider: Provider, front_end: FrontEnd, late: bool
) -> None:
    _, username = await provider.open_person()
    first = await front_end.tokens(username)
    last = tokens_of(await front_end.refresh(first.refresh))
    if late:
        await age_the_use_of(provider, first.refresh)
    else:
        last = tokens_of(await front_end.refresh(last.refresh))
    replayed = await front_end.refresh(first.refresh)
    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")
    innocent = await front_end.refresh(last.refresh)
    assert (innocent.status_code, innocent.json()["error"]) == (400, "invalid_grant")
    assert (await provider.http.get("/oauth2/userinfo", headers=last.headers)).status_code == 401


async def test_asking_again_does_not_lengthen_the_time_in_which_one_may(
    provider: Provider, front_end: FrontEnd
) -> None:
    _, username = await provider.open_person()
    first = await front_end.tokens(username)
    await front_end.refresh(first.refresh)
    await age_the_use_of(provider, first.refresh, rules.SAME_SUCCESSOR_FOR / 2)
    assert (await front_end.refresh(first.refresh)).status_code == 200
    await age_the_use_of(provider, first.refresh, rules.SAME_SUCCESSOR_FOR / 2)
    assert (await front_end.refresh(first.refresh)).json()["error"] == "invalid_grant"


async def test_a_family_that_was_ended_gives_no_successor_again(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    first = await front_end.tokens(username)
    second = tokens_of(await front_end.refresh(first.refresh))
    await provider.http.post("/oauth2/revoke", data={"client_id": front_end.client_id, "token": second.refresh})
    assert (await front_end.refresh(first.refresh)).json()["error"] == "invalid_grant"


async def test_another_sign_in_of_the_same_person_outlives_a_replay(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    attacked, other = await front_end.tokens(username), await provider.front_end().tokens(username)
    await front_end.refresh(attacked.refresh)
    await age_the_use_of(provider, attacked.refresh)
    assert (await front_end.refresh(attacked.refresh)).status_code == 400
    assert (await front_end.refresh(other.refresh)).status_code == 200


async def waiting(provider: Provider) -> int:
    """Count the connections that wait for a lock."""
    query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with provider.database.read() as session:
        return await session.scalar(text(query)) or 0


async def all_at_once(
    provider: Provider, held: Select[Any], *sends: Callable[[], Awaitable[Response]]
) -> list[Response]:
    """Send requests that meet at the rows of `held`: let go of these only when all of them wait."""
    async with provider.database.transaction() as session:
        await session.execute(held.with_for_update())
        sending = asyncio.gather(*(send() for send in sends))
        async with asyncio.timeout(10):
            while await waiting(provider) < len(sends):
                await asyncio.sleep(0.02)
    return await sending


async def test_ten_refreshes_at_once_get_one_successor(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    tokens = await front_end.tokens(username)
    family = select(TokenFamily).where(TokenFamily.account_id == person_id)
    answers = await all_at_once(provider, family, *[lambda: front_end.refresh(tokens.refresh)] * 10)
    [successor] = {tokens_of(answer).refresh for answer in answers}
    async with provider.database.read() as session:
        links = select(func.count()).where(RefreshToken.parent_hash == hash_of(tokens.refresh))
        assert await session.scalar(links) == 1
    assert (await front_end.refresh(successor)).status_code == 200


async def test_of_ten_redemptions_of_a_code_at_once_one_wins(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    code = (await front_end.sign_in(username)).parameters["code"]
    row = select(AuthorizationCode).where(AuthorizationCode.account_id == person_id)
    answers = await all_at_once(provider, row, *[lambda: front_end.redeem(code)] * 10)
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 9
    async with provider.database.read() as session:
        families = select(TokenFamily.revoked_for).where(TokenFamily.account_id == person_id)
        assert (await session.scalars(families)).all() == ["code_replayed"]


@pytest.mark.parametrize("token", ["nonsense", "", "a" * 5_000])
async def test_an_unknown_refresh_token_is_refused(front_end: FrontEnd, token: str) -> None:
    refused = await front_end.refresh(token)
    assert refused.status_code == 400
    assert refused.json()["error"] in {"invalid_grant", "invalid_request"}


async def test_a_refresh_token_serves_only_its_client(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    tokens = await front_end.tokens(username)
    assert (await front_end.refresh(tokens.refresh, client_id="docs")).json()["error"] == "invalid_grant"
    assert (await front_end.refresh(tokens.refresh)).status_code == 200


async def test_a_refresh_may_ask_for_less_and_never_for_more(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    tokens = await front_end.tokens(username, scope="openid")
    more = await front_end.refresh(tokens.refresh, scope="openid profile")
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")
    assert (await front_end.refresh(tokens.refresh, scope="openid")).json()["scope"] == "openid"


async def test_a_family_ends_at_its_time_however_often_it_rotated(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    tokens = tokens_of(await front_end.refresh((await front_end.tokens(username)).refresh))
    mine = TokenFamily.account_id == person_id
    async with provider.database.transaction() as session:
        family = (await session.scalars(select(TokenFamily).where(mine))).one()
        assert abs(family.expires_at - family.signed_in_at - timedelta(days=30)) < timedelta(minutes=1)
        await session.execute(update(TokenFamily).where(mine).values(expires_at=TokenFamily.signed_in_at))
    assert (await front_end.refresh(tokens.refresh)).json()["error"] == "invalid_grant"


async def test_a_deactivated_account_gets_no_more_tokens(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    tokens = await front_end.tokens(username)
    answer = await front_end.sign_in(username)
    async with provider.database.transaction() as session:
        await session.execute(update(Account).where(Account.account_id == person_id).values(status="deactivated"))
    assert (await front_end.refresh(tokens.refresh)).json()["error"] == "invalid_grant"
    assert (await front_end.redeem(answer.parameters["code"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"grant_type": "password", "client_id": "docs"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "client_id": "docs"}, "invalid_client"),
        ({"client_id": "docs"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "client_id": "docs"}, "invalid_request"),
        ({"grant_type": "refresh_token", "client_id": "docs"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_client"),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": "nobody"}, "invalid_client"),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": "do\0cs"}, "invalid_request"),
    ],
)
async def test_the_token_endpoint_refuses_as_oauth_says(front_end: FrontEnd, data: dict[str, str], error: str) -> None:
    refused = await front_end.http.post("/oauth2/token", data=data)
    assert (refused.status_code, refused.json()["error"]) == (401 if error == "invalid_client" else 400, error)
    assert refused.headers["content-type"] == "application/json"
    assert refused.headers["cache-control"] == "no-store"


async def test_the_token_endpoint_reads_forms_alone(front_end: FrontEnd) -> None:
    good = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "docs"}
    as_json = await front_end.http.post("/oauth2/token", json=good)
    large = await front_end.http.post("/oauth2/token", data={**good, "padding": "x" * 20_000})
    for refused in (as_json, large):
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


async def test_tokens_stay_out_of_the_logs_at_debug(
    provider: Provider, front_end: FrontEnd, caplog: pytest.LogCaptureFixture
) -> None:
    _, username = await provider.open_person()
    for module in ("authorization_code", "refresh_token"):
        caplog.set_level(logging.DEBUG, f"authlib.oauth2.rfc6749.grants.{module}")
    caplog.set_level(logging.DEBUG)
    first = await front_end.tokens(username)
    second = tokens_of(await front_end.refresh(first.refresh))
    secrets = [first.access, first.refresh, second.access, second.refresh, str(first.id_token), front_end.verifier]
    ours = [record for record in caplog.records if not record.name.startswith(("httpcore", "httpx"))]
    assert ours
    assert not [name for name in secrets for record in ours if name in record.getMessage() + repr(record.__dict__)]


async def test_housekeeping_deletes_what_ran_out_and_keeps_a_tombstone_as_long_as_its_family(
    provider: Provider, front_end: FrontEnd
) -> None:
    person_id, username = await provider.open_person()
    await front_end.tokens(username)
    of_code, of_family = AuthorizationCode.account_id == person_id, TokenFamily.account_id == person_id

    async def left() -> tuple[int, int]:
        async with provider.database.read() as session:
            codes = await session.scalar(select(func.count()).select_from(AuthorizationCode).where(of_code))
            families = await session.scalar(select(func.count()).select_from(TokenFamily).where(of_family))
            return codes or 0, families or 0

    async def age(by: timedelta) -> None:
        async with provider.database.transaction() as session:
            for table, mine in ((AuthorizationCode, of_code), (TokenFamily, of_family)):
                await session.execute(update(table).where(mine).values(expires_at=table.expires_at - by))

    await age(timedelta(days=2))
    await delete_expired(provider.database)
    assert await left() == (1, 1)
    await age(timedelta(days=30))
    await delete_expired(provider.database)
    assert await left() == (0, 0)
