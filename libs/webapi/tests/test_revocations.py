"""Tokens that identity ended are refused at once, whether they were known before or not, and forgotten in time."""

import time
from collections.abc import AsyncIterator
from timeit import timeit
from uuid import UUID

import pytest
import pytest_asyncio

from contracts.identity import AuthorizationChangedV1, SessionRevokedV1
from database import new_id
from testkit.tokens import TokenIssuer, forged
from webapi import Authenticator, Refusal, Revocations
from webapi.revocations import KEPT_FOR


@pytest_asyncio.fixture
async def authenticator(issuer: TokenIssuer) -> AsyncIterator[Authenticator]:
    made = Authenticator(issuer.jwks_url, issuer.issuer, issuer.audience)
    yield made
    await made.close()


async def is_refused(authenticator: Authenticator, token: str) -> bool:
    assert authenticator.known(token) is None
    try:
        await authenticator.authenticate(token)
    except Refusal as refusal:
        return (refusal.problem.status, refusal.problem.code) == (401, "token_invalid")
    return False


async def test_a_token_of_a_revoked_session_is_refused_and_others_of_the_person_are_not(
    authenticator: Authenticator, issuer: TokenIssuer
) -> None:
    person, session_id = new_id(), new_id()
    remembered, new = (issuer.token(person, session_id=session_id, scope=scope) for scope in ("openid", "profile"))
    elsewhere = issuer.token(person)
    for token in (remembered, elsewhere):
        await authenticator.authenticate(token)
    authenticator.revocations.take(SessionRevokedV1(session_id=session_id))
    assert await is_refused(authenticator, remembered)
    assert await is_refused(authenticator, new)
    assert authenticator.known(elsewhere) is not None


async def test_tokens_from_before_a_change_of_the_account_are_refused_and_later_ones_are_not(
    authenticator: Authenticator, issuer: TokenIssuer
) -> None:
    person = new_id()
    before, after = (issuer.token(person, authorization_version=version) for version in (2, 3))
    untold = issuer.token(person, claims={"authorization_version": None})
    for token in (before, after, untold):
        await authenticator.authenticate(token)
    authenticator.revocations.take(AuthorizationChangedV1(person_id=person, authorization_version=3))
    assert await is_refused(authenticator, before)
    assert await is_refused(authenticator, untold)
    assert authenticator.known(after) is not None
    assert not await is_refused(authenticator, issuer.token(new_id(), authorization_version=1))


async def test_changes_that_come_late_or_twice_lower_nothing(authenticator: Authenticator, issuer: TokenIssuer) -> None:
    person = new_id()
    for version in (4, 3, 4):
        authenticator.revocations.take(AuthorizationChangedV1(person_id=person, authorization_version=version))
    assert await is_refused(authenticator, issuer.token(person, authorization_version=3))
    assert len(authenticator.revocations) == 1


class _Bearer:
    def __init__(self, session_id: UUID, person_id: UUID) -> None:
        self.session_id: str | None = str(session_id)
        self.person_id = person_id
        self.authorization_version: int | None = 1


def test_a_revocation_is_forgotten_when_no_token_of_before_can_be_left() -> None:
    now = [0.0]
    revocations = Revocations(clock=lambda: now[0])
    bearer = _Bearer(new_id(), new_id())
    revocations.take(SessionRevokedV1(session_id=UUID(bearer.session_id)))
    revocations.take(AuthorizationChangedV1(person_id=bearer.person_id, authorization_version=2))
    now[0] = KEPT_FOR.total_seconds() - 1
    revocations.take(SessionRevokedV1(session_id=new_id()))
    assert (len(revocations), revocations.has_ended(bearer)) == (3, True)
    now[0] += 2
    revocations.take(SessionRevokedV1(session_id=new_id()))
    assert (len(revocations), revocations.has_ended(bearer)) == (2, False)


async def test_a_repeated_check_costs_the_same_however_much_was_revoked(
    authenticator: Authenticator, issuer: TokenIssuer
) -> None:
    token = issuer.token(new_id(), [("officer", new_id())])
    await authenticator.authenticate(token)

    def cost() -> float:
        return min(timeit(lambda: authenticator.known(token), number=500) for _ in range(9))

    nothing_revoked = cost()
    for _ in range(50_000):
        authenticator.revocations.take(SessionRevokedV1(session_id=new_id()))
        authenticator.revocations.take(AuthorizationChangedV1(person_id=new_id(), authorization_version=2))
    await authenticator.authenticate(token)
    assert cost() < 3 * nothing_revoked


async def test_until_the_past_is_known_tokens_of_then_wait_and_those_of_later_hold(
    authenticator: Authenticator, issuer: TokenIssuer
) -> None:
    ended, session_id = new_id(), new_id()
    old, ended_old, new = issuer.token(new_id()), issuer.token(ended, session_id=session_id), issuer.token(new_id())
    authenticator.revocations.await_past(time.time() + 2)
    for token in (old, ended_old):
        with pytest.raises(Refusal) as waiting:
            await authenticator.authenticate(token)
        assert (waiting.value.problem.status, waiting.value.problem.code) == (503, "revocations_unknown")
        assert authenticator.known(token) is None
    authenticator.revocations.await_past(time.time() - 60)
    assert await authenticator.authenticate(new) == authenticator.known(new)
    authenticator.revocations.await_past(time.time() + 2)
    authenticator.revocations.take(SessionRevokedV1(session_id=session_id))
    authenticator.revocations.past_is_known()
    assert await is_refused(authenticator, ended_old)
    await authenticator.authenticate(old)


async def test_a_forged_token_of_the_past_is_no_question_of_when(
    authenticator: Authenticator, issuer: TokenIssuer
) -> None:
    authenticator.revocations.await_past(time.time() + 2)
    assert await is_refused(authenticator, forged(issuer.token(new_id())))
