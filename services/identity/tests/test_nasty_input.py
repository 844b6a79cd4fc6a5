"""Whatever a client sends, it is at fault for it: no number, day, text or cursor ends in an error of ours."""

import base64
import json

import pytest

from orgtree import ROOT_ID
from testkit.nasty import refused_badly

from .front_end import FrontEnd
from .provider import Provider

ADMINISTRATORS = ("system_administrator", "security_administrator")


@pytest.mark.parametrize("role", ADMINISTRATORS)
async def test_no_nasty_value_is_an_error_of_ours(provider: Provider, role: str) -> None:
    _, tokens = await provider.signed_in((role, ROOT_ID))
    person_id, _ = await provider.open_person()
    known = {
        "organisation_id": str(ROOT_ID),
        "person_id": str(person_id),
        "role": "officer",
        "username": "name.of.a.person",
        "password": "correct horse",
        "valid_from": "2026-01-01",
        "valid_until": "2190-01-01",
    }
    assert await refused_badly(provider.http, tokens.headers, known) == []


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_forged_cursor_is_refused(provider: Provider, time: str) -> None:
    person_id, tokens = await provider.signed_in(("security_administrator", ROOT_ID))
    cursor = base64.urlsafe_b64encode(json.dumps([time, str(person_id)]).encode()).decode()
    refused = await provider.http.get("/v1/role-assignments", params={"cursor": cursor}, headers=tokens.headers)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/cursor_invalid")


@pytest.mark.parametrize(
    "value",
    ["", "\x00", "a\x00b", "9" * 500, "-1", "\U0010ffff", "0001-01-01", "%", "字" * 300],
    ids=lambda value: ascii(value)[:20],
)
async def test_no_nasty_parameter_of_a_sign_in_is_an_error_of_ours(front_end: FrontEnd, value: str) -> None:
    parameters = front_end.request()
    for name in (*parameters, "max_age", "prompt", "id_token_hint", "login_hint", "ui_locales"):
        assert (await front_end.authorize(**{name: value})).status_code < 500
        assert (await front_end.http.get("/sign-in", params={**parameters, name: value})).status_code < 500
    for name in ("grant_type", "client_id", "redirect_uri", "code", "code_verifier"):
        assert (await front_end.redeem(**{"code": "code", name: value})).status_code < 500
    assert (await front_end.refresh(value)).status_code < 500
