"""Passkeys over HTTP: a device registers and signs in, and everything that is not quite right is refused."""

import copy
import json
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from database import new_id
from identity.factors.tables import Passkey, PasskeyCeremony
from testkit.passkeys import BACKUP_ELIGIBLE, USER_VERIFIED, Device

from . import device as devices
from .authenticator import claims
from .device import options_on, passkey_page, registered, send, tokens_by
from .front_end import FrontEnd, Tokens, answer_of, tokens_of
from .provider import Provider


async def signed_in(provider: Provider) -> tuple[UUID, Tokens]:
    return await provider.signed_in()


async def test_a_passkey_alone_signs_in_at_the_highest_level(provider: Provider, front_end: FrontEnd) -> None:
    person_id, tokens = await signed_in(provider)
    device = await registered(provider, tokens)
    page = await passkey_page(front_end, acr_values="3", state="kept")
    answer = answer_of(await send(front_end, page, device.get(options_on(page), provider.issuer)))
    assert answer.parameters["state"] == "kept"
    told = tokens_of(await front_end.redeem(answer.parameters["code"]))
    assert (claims(told.access)["sub"], claims(told.access)["acr"]) == (str(person_id), "3")
    assert set(claims(told.id_token or "")["amr"]) == {"hwk", "user", "mfa"}


async def test_the_options_ask_for_a_verified_person_and_a_key_the_device_finds(provider: Provider) -> None:
    person_id, tokens = await signed_in(provider)
    device = await registered(provider, tokens)
    begun = await devices.begin(provider, await tokens_by(provider, device))
    options = begun["public_key"]
    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    assert options["attestation"] == "none"
    assert options["rp"]["id"] == "127.0.0.1"
    assert len(options["excludeCredentials"]) == 1
    assert str(person_id) not in json.dumps(options)


async def test_the_page_alone_runs_a_script_of_ours_and_works_without(provider: Provider, front_end: FrontEnd) -> None:
    page = await passkey_page(front_end)
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "<noscript>" in page.text
    assert 'href="/sign-in?' in page.text
    script = await provider.http.get("/sign-in/passkey.js")
    assert script.headers["content-type"].startswith("text/javascript")
    for other in ("/sign-in", "/sign-in/code"):
        shown = await provider.http.get(other)
        assert "script-src" not in shown.headers["content-security-policy"]
        assert "<script" not in shown.text


@pytest.mark.parametrize("wrong", ["origin", "host", "unverified", "challenge", "session", "twice"])
async def test_a_wrong_registration_is_refused(provider: Provider, wrong: str) -> None:
    _, tokens = await signed_in(provider)
    begun, device = await devices.begin(provider, tokens), Device(flags=0 if wrong == "unverified" else USER_VERIFIED)
    options, origin, sender = copy.deepcopy(begun["public_key"]), provider.issuer, tokens
    if wrong == "origin":
        origin = "https://evil.example"
    elif wrong == "host":
        options["rp"]["id"] = "evil.example"
    elif wrong == "challenge":
        options["challenge"] = (await devices.begin(provider, tokens))["public_key"]["challenge"]
    elif wrong == "session":
        _, sender = await signed_in(provider)
    credential = device.create(options, origin)
    if wrong == "twice":
        assert (await devices.add(provider, tokens, begun, credential)).status_code == 201
        sender = await tokens_by(provider, device)
    refused = await devices.add(provider, sender, begun, credential)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/passkey_refused")
    if wrong in {"origin", "host", "unverified"}:  # the challenge is spent all the same
        again = await devices.add(provider, tokens, begun, Device().create(begun["public_key"], provider.issuer))
        assert again.status_code == 422


@pytest.mark.parametrize("wrong", ["origin", "host", "unverified", "challenge", "signature", "handle", "unknown"])
async def test_a_wrong_use_signs_nobody_in(provider: Provider, front_end: FrontEnd, wrong: str) -> None:
    _, tokens = await signed_in(provider)
    device = await registered(provider, tokens)
    page = await passkey_page(front_end)
    options, origin = options_on(page), provider.issuer
    if wrong == "origin":
        origin = provider.issuer.replace("127.0.0.1", "localhost")
    elif wrong == "host":
        options["rpId"] = device.soft.rp_id = "localhost"
    elif wrong == "unverified":
        device.flags = 0
    elif wrong == "challenge":
        options["challenge"] = options_on(await passkey_page(provider.front_end()))["challenge"]
    elif wrong == "handle":
        device.soft.user_handle = new_id().bytes
    elif wrong == "unknown":
        device.soft.credential_id = b"nobody's"
    credential = device.get(options, origin)
    if wrong == "signature":
        credential["response"]["signature"] = credential["response"]["signature"][:-6] + "AAAAAA"
    refused = await send(front_end, page, credential)
    assert refused.status_code == 400
    assert "session" not in front_end.http.cookies


async def test_a_challenge_is_good_once_and_in_its_browser(provider: Provider, front_end: FrontEnd) -> None:
    _, tokens = await signed_in(provider)
    device = await registered(provider, tokens)
    page = await passkey_page(front_end)
    credential = device.get(options_on(page), provider.issuer)
    assert (await send(front_end, page, credential)).status_code == 303
    front_end.http.cookies.delete("session")
    assert (await send(front_end, page, credential)).status_code == 400

    page, other = await passkey_page(front_end), provider.front_end()
    theirs = await passkey_page(other)
    credential = device.get(options_on(page), provider.issuer)
    stolen = theirs.text.replace(_ceremony(theirs.text), _ceremony(page.text))
    theirs._content = stolen.encode()
    assert (await send(other, theirs, credential)).status_code == 400


async def test_a_challenge_runs_out(provider: Provider, front_end: FrontEnd) -> None:
    _, tokens = await signed_in(provider)
    device = await registered(provider, tokens)
    page = await passkey_page(front_end)
    async with provider.database.transaction() as session:
        await session.execute(
            update(PasskeyCeremony)
            .where(PasskeyCeremony.ceremony_id == UUID(_ceremony(page.text)))
            .values(expires_at=text("now()"))
        )
    assert (await send(front_end, page, device.get(options_on(page), provider.issuer))).status_code == 400


async def test_a_copied_key_is_refused_from_then_on(provider: Provider, front_end: FrontEnd) -> None:
    person_id, tokens = await signed_in(provider)
    device = await registered(provider, tokens)
    page = await passkey_page(front_end)
    assert (await send(front_end, page, device.get(options_on(page), provider.issuer))).status_code == 303
    copy_of_it = Device()
    copy_of_it.soft.__dict__.update(device.soft.__dict__)
    copy_of_it.soft.sign_count = 0
    page = await passkey_page(front_end, prompt="login")
    assert (await send(front_end, page, copy_of_it.get(options_on(page), provider.issuer))).status_code == 400
    page = await passkey_page(front_end, prompt="login")
    assert (await send(front_end, page, device.get(options_on(page), provider.issuer))).status_code == 400
    mine = (await provider.http.get("/v1/me/passkeys", headers=tokens.headers)).json()["items"]
    assert [each["suspected"] for each in mine] == [True]
    async with provider.database.read() as session:
        told = await session.execute(
            text("select 1 from audit.entry where subject = :p and action = 'identity.passkey.suspected'"),
            {"p": person_id},
        )
        assert told.one()


async def test_a_device_that_does_not_count_is_no_copy(provider: Provider, front_end: FrontEnd) -> None:
    _, tokens = await signed_in(provider)
    device = await registered(provider, tokens, Device(USER_VERIFIED | BACKUP_ELIGIBLE))
    for _ in range(2):
        page = await passkey_page(front_end, prompt="login")
        device.soft.sign_count = -1
        assert (await send(front_end, page, device.get(options_on(page), provider.issuer))).status_code == 303
    mine = (await provider.http.get("/v1/me/passkeys", headers=tokens.headers)).json()["items"]
    assert [(each["synced"], each["backed_up"], each["suspected"]) for each in mine] == [(True, False, False)]


async def test_passkeys_are_listed_renamed_and_removed_by_their_owner_alone(provider: Provider) -> None:
    person_id, tokens = await signed_in(provider)
    device = await registered(provider, tokens)
    tokens = await tokens_by(provider, device)
    for _ in range(2):
        await registered(provider, tokens)
    first = (await provider.http.get("/v1/me/passkeys?limit=2", headers=tokens.headers)).json()
    rest = await provider.http.get(
        "/v1/me/passkeys", params={"limit": 2, "cursor": first["next_cursor"]}, headers=tokens.headers
    )
    ids = [each["passkey_id"] for each in (*first["items"], *rest.json()["items"])]
    assert len(set(ids)) == 3
    path = f"/v1/me/passkeys/{ids[0]}"
    _, stranger = await signed_in(provider)
    assert (await provider.http.delete(path, headers=stranger.headers)).status_code == 404
    assert (await provider.http.patch(path, json={"name": "x"}, headers=stranger.headers)).status_code == 404
    renamed = await provider.http.patch(path, json={"name": "办公室电脑"}, headers=tokens.headers)
    assert renamed.json()["name"] == "办公室电脑"
    assert (await provider.http.delete(path, headers=tokens.headers)).status_code == 204
    async with provider.database.read() as session:
        left = (await session.scalars(select(Passkey).where(Passkey.account_id == person_id))).all()
        assert {str(each.passkey_id) for each in left} == set(ids[1:])
        dumped = (await session.execute(text("select string_agg(passkey::text, '') from passkey"))).scalar_one()
    assert "我的手机" not in dumped
    assert "我的手机".encode().hex() not in dumped


async def test_a_removed_passkey_and_a_closed_account_sign_nobody_in(provider: Provider, front_end: FrontEnd) -> None:
    person_id, tokens = await signed_in(provider)
    device = await registered(provider, tokens)
    async with provider.database.transaction() as session:
        await session.execute(text("update account set status = 'deactivated' where account_id = :p"), {"p": person_id})
    page = await passkey_page(front_end)
    assert (await send(front_end, page, device.get(options_on(page), provider.issuer))).status_code == 400
    for credential in ("", "[]", "{}", '{"rawId": 1}', '{"rawId": "!!", "response": []}', "\u0000"):
        page = await passkey_page(front_end)
        data = {
            "form_token": front_end.http.cookies["form"],
            "ceremony": _ceremony(page.text),
            "credential": credential,
        }
        assert (await front_end.http.post(str(page.url), data=data)).status_code == 400


def _ceremony(page: str) -> str:
    return page.partition('name="ceremony" value="')[2].partition('"')[0]
