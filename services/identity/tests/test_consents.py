"""Consent by purpose and text version: only what rests on consent is asked, and every answer stays on record."""

from typing import Any

import httpx
import pytest

from database import new_id, utc_now
from identity.factors.tables import FederatedIdentity
from identity.purposes.rules import PURPOSES

from .front_end import Tokens
from .provider import Provider


async def ask(provider: Provider, tokens: Tokens, method: str, path: str, body: Any = None) -> httpx.Response:
    return await provider.http.request(method, f"/v1/me/{path}", json=body, headers=tokens.headers)


async def test_every_purpose_is_shown_with_its_basis_and_both_texts(provider: Provider) -> None:
    _, tokens = await provider.signed_in()
    shown = (await ask(provider, tokens, "GET", "consents")).json()["items"]
    assert [each["purpose"] for each in shown] == sorted(PURPOSES)
    assert {each["basis"] for each in shown} == {"statutory_duty", "contract", "consent"}
    assert all(each["text_zh"] and each["text_en"] and not each["given"] for each in shown)
    first = (await ask(provider, tokens, "GET", "consents?limit=2")).json()
    rest = (await ask(provider, tokens, "GET", f"consents?limit=200&cursor={first['next_cursor']}")).json()
    assert [each["purpose"] for each in first["items"] + rest["items"]] == sorted(PURPOSES)


async def test_a_consent_is_given_withdrawn_and_kept_on_record(provider: Provider) -> None:
    _, tokens = await provider.signed_in()
    for _ in range(2):
        given = await ask(provider, tokens, "PUT", "consents/wechat", {"text_version": 1})
        assert (given.status_code, given.json()["given"], given.json()["given_version"]) == (200, True, 1)
    assert (await ask(provider, tokens, "DELETE", "consents/wechat")).json()["given"] is False
    await ask(provider, tokens, "PUT", "consents/wechat", {"text_version": 1})
    history = (await ask(provider, tokens, "GET", "consent-history")).json()["items"]
    assert [(each["purpose"], each["withdrawn_at"] is None) for each in history] == [
        ("wechat", True),
        ("wechat", False),
    ]
    _, beside = await provider.signed_in()
    assert (await ask(provider, beside, "GET", "consent-history")).json()["items"] == []


async def test_an_old_text_is_refused_with_the_present_one(provider: Provider) -> None:
    _, tokens = await provider.signed_in()
    refused = await ask(provider, tokens, "PUT", "consents/wechat", {"text_version": 7})
    problem = refused.json()
    assert (refused.status_code, problem["type"]) == (409, "/problems/consent_text_changed")
    assert (problem["text_version"], problem["text_zh"]) == (1, PURPOSES["wechat"].zh)


@pytest.mark.parametrize(
    ("purpose", "status", "problem"),
    [("membership", 409, "not_by_consent"), ("account", 409, "not_by_consent"), ("nothing_known", 404, "not_found")],
)
async def test_what_rests_on_no_consent_is_not_asked(
    provider: Provider, purpose: str, status: int, problem: str
) -> None:
    _, tokens = await provider.signed_in()
    for method, body in (("PUT", {"text_version": 1}), ("DELETE", None)):
        refused = await ask(provider, tokens, method, f"consents/{purpose}", body)
        assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{problem}")


async def test_withdrawing_deletes_what_only_the_consent_allowed(provider: Provider) -> None:
    person_id, tokens = await provider.signed_in()
    async with provider.database.transaction() as session:
        session.add(
            FederatedIdentity(
                federated_identity_id=new_id(),
                account_id=person_id,
                provider="wechat",
                subject_index=new_id().bytes,
                linked_at=utc_now(),
            )
        )
    await ask(provider, tokens, "DELETE", "consents/wechat")
    async with provider.database.read() as session:
        assert (await session.get(FederatedIdentity, new_id())) is None
        rows = await session.run_sync(
            lambda sync: sync.query(FederatedIdentity).filter_by(account_id=person_id).count()
        )
    assert rows == 0
