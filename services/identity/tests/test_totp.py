"""An authenticator app as second factor: set up, demanded, never the same code twice, and what stands in for it."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from database import utc_now
from identity.factors.tables import RecoveryCode, Totp
from identity.factors.totp import rules
from identity.throttling.tables import GuessCount

from .authenticator import Authenticator, claims, set_up, tokens_by_two_factors
from .front_end import FrontEnd, answer_of, tokens_of
from .phones import Phones
from .provider import Provider
from .step_up import by_code_too


async def test_an_account_with_an_app_gives_its_code_before_a_session_counts(
    provider: Provider, front_end: FrontEnd
) -> None:
    _, username = await provider.open_person()
    first = await front_end.tokens(username)
    assert claims(first.access)["acr"] == "1"
    app, _ = await set_up(provider, first)

    fresh = provider.front_end()
    page = await fresh.second_page(username)
    assert "<script" not in page.text
    for elsewhere in ("/oauth2/authorize", "/sign-in"):
        parameters = fresh.request() if elsewhere != "/sign-in" else {}
        shown = await fresh.http.get(elsewhere, params=parameters)
        assert "code=" not in shown.headers.get("location", "")
        assert "signed in" not in shown.text
    answer = answer_of(await fresh.submit(page, code=app.code()))
    tokens = tokens_of(await fresh.redeem(answer.parameters["code"]))
    told = claims(tokens.access)
    assert told["acr"] == "2"
    identity = claims(tokens.id_token or "")
    assert identity["acr"] == "2"
    assert set(identity["amr"]) == {"pwd", "otp", "mfa"}
    assert told["auth_time"] == identity["auth_time"]


async def test_a_code_is_taken_once(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    app, _ = await set_up(provider, await front_end.tokens(username))
    await tokens_by_two_factors(provider.front_end(), username, app)
    other = provider.front_end()
    page = await other.second_page(username)
    again = await other.submit(page, code=app.last())
    assert again.status_code == 400
    assert "used before" in again.text
    assert (await other.submit(again, code=app.code())).status_code == 303


async def test_after_five_wrong_codes_the_right_one_has_to_wait(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    app, recovery = await set_up(provider, await front_end.tokens(username))
    page = await front_end.second_page(username, prompt="login")
    for _ in range(5):
        page = await front_end.submit(page, code="000000")
        assert page.status_code == 400
    waits = await front_end.submit(page, code="000000")
    assert waits.status_code == 429
    assert int(waits.headers["retry-after"]) >= 1
    async with provider.database.transaction() as session:
        for_long = {"blocked_until": utc_now() + timedelta(minutes=15)}
        await session.execute(update(GuessCount).where(GuessCount.failures >= 5).values(for_long))
    for right in (app.code(), recovery[0]):
        assert (await front_end.submit(waits, code=right)).status_code == 429
    async with provider.database.transaction() as session:
        await session.execute(update(GuessCount).values(blocked_until=utc_now()))
        left = (await session.scalars(select(RecoveryCode.used_at).where(RecoveryCode.account_id == person_id))).all()
    assert left == [None] * 10


async def test_a_recovery_code_stands_in_for_the_app_once(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    _, recovery = await set_up(provider, await front_end.tokens(username))
    assert len(set(recovery)) == 10
    assert all(re.fullmatch(r"([a-z2-7]{4}-){3}[a-z2-7]{4}", code) for code in recovery)
    by_code = provider.front_end()
    page = await by_code.second_page(username)
    answer = answer_of(await by_code.submit(page, code=recovery[3].upper().replace("-", " ")))
    tokens = tokens_of(await by_code.redeem(answer.parameters["code"]))
    status = (await provider.http.get("/v1/me/totp", headers=tokens.headers)).json()
    assert status["recovery_codes_left"] == 9
    again = provider.front_end()
    assert (await again.submit(await again.second_page(username), code=recovery[3])).status_code == 400

    renewed = await provider.http.post("/v1/me/totp/recovery-codes", headers=tokens.headers)
    assert len(renewed.json()["recovery_codes"]) == 10
    other = provider.front_end()
    assert (await other.submit(await other.second_page(username), code=recovery[4])).status_code == 400


async def test_a_secret_is_shown_once_and_kept_sealed(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    tokens = await front_end.tokens(username)
    begun = (await provider.http.post("/v1/me/totp", headers=tokens.headers)).json()
    assert begun["otpauth_uri"].startswith("otpauth://totp/")
    assert begun["secret"] in begun["otpauth_uri"]
    assert (await provider.http.get("/v1/me/totp", headers=tokens.headers)).json() == {
        "set_up": False, "since": None, "recovery_codes_left": 0,
    }  # fmt: skip
    async with provider.database.read() as session:
        kept = (
            await session.execute(text("select totp::text from totp where account_id = :a"), {"a": person_id})
        ).one()
    assert begun["secret"].encode().hex() not in kept[0]
    app = Authenticator(begun["secret"])
    wrong = await provider.http.post("/v1/me/totp/confirm", json={"code": "000000"}, headers=tokens.headers)
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/code_wrong")
    right = await provider.http.post("/v1/me/totp/confirm", json={"code": app.code()}, headers=tokens.headers)
    codes = right.json()["recovery_codes"]
    strong = await tokens_by_two_factors(provider.front_end(), username, app)
    shown = "".join(
        [
            (await provider.http.get(path, headers=strong.headers)).text
            for path in ("/v1/me", "/v1/me/totp", "/v1/me/passkeys", "/v1/me/wechat")
        ]
    )
    assert not [secret for secret in (begun["secret"], *codes) if secret in shown]
    async with provider.database.read() as session:
        rows = await session.execute(text("select recovery_code::text from recovery_code"))
        dumped = "".join(row[0] for row in rows)
    assert not [code for code in codes if code in dumped or code.replace("-", "") in dumped]


async def test_wrong_confirmations_count_and_then_wait(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    tokens = await front_end.tokens(username)
    begun = (await provider.http.post("/v1/me/totp", headers=tokens.headers)).json()
    for _ in range(5):
        await provider.http.post("/v1/me/totp/confirm", json={"code": "000000"}, headers=tokens.headers)
    code = {"code": Authenticator(begun["secret"]).code()}
    waits = await provider.http.post("/v1/me/totp/confirm", json=code, headers=tokens.headers)
    assert (waits.status_code, waits.json()["type"]) == (429, "/problems/too_often")


async def test_removing_the_app_asks_for_both_factors(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    weak = await front_end.tokens(username)
    app, _ = await set_up(provider, weak)
    for method, path in (
        ("DELETE", "/v1/me/totp"),
        ("POST", "/v1/me/totp"),
        ("POST", "/v1/me/totp/recovery-codes"),
        ("POST", "/v1/me/passkeys/registrations"),
        ("DELETE", "/v1/me/wechat"),
    ):
        refused = await provider.http.request(method, path, headers=weak.headers)
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/step_up_required"), path
        assert 'acr_values="2"' in refused.headers["www-authenticate"]
        assert 'max_age="600"' in refused.headers["www-authenticate"]
    strong = await tokens_by_two_factors(provider.front_end(), username, app)
    assert (await provider.http.delete("/v1/me/totp", headers=strong.headers)).status_code == 204
    assert claims((await provider.front_end().tokens(username)).access)["acr"] == "1"
    async with provider.database.read() as session:
        left = await session.scalars(select(Totp.totp_id).where(Totp.account_id == person_id))
        assert left.all() == []
        actions = await session.execute(
            text("select action from audit.entry where subject = :person order by id"), {"person": person_id}
        )
        assert {"identity.totp.added", "identity.totp.removed"} <= {row[0] for row in actions}


async def test_the_owner_is_told_on_the_phone(provider: Provider, phones: Phones) -> None:
    person_id, username = await provider.open_person()
    number = await phones.give(person_id)
    await set_up(provider, await by_code_too(provider, phones, username, number))
    assert "ways_in_changed.en" in {sent.template for sent in await phones.messages_to(number)}


async def test_an_old_sign_in_changes_no_way_in(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    tokens = await front_end.tokens(username)
    async with provider.database.transaction() as session:
        for table in ("token_family", "session"):
            await session.execute(
                text(f"update {table} set signed_in_at = signed_in_at - interval '11 minutes' where account_id = :a"),  # noqa: S608
                {"a": person_id},
            )
    old = tokens_of(await front_end.refresh(tokens.refresh))
    refused = await provider.http.post("/v1/me/totp", headers=old.headers)
    assert refused.json()["type"] == "/problems/step_up_required"
    assert "more recent" in refused.headers["www-authenticate"]


@pytest.mark.parametrize(("drift", "taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_codes_one_step_around_the_present_are_taken(drift: int, taken: bool) -> None:
    now, secret = utc_now(), rules.new_secret()
    step = int(now.timestamp()) // rules.STEP_SECONDS + drift // rules.STEP_SECONDS
    code = Authenticator(secret)._app.generate_otp(step)
    assert (rules.step_of_code(secret, code, now=now, after=None) == step) is taken
    assert rules.step_of_code(secret, code, now=now, after=step) is None
