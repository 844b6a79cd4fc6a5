"""Proofs of a key: what is refused at the token endpoint, each in its turn, and that a refused one costs nothing."""

import asyncio
import base64
import json
import secrets
import time
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey
from sqlalchemy import func, select, update

from database import utc_now
from identity.housekeeping import delete_expired
from identity.oauth.proofs import REMEMBERED_FOR
from identity.oauth.tables import UsedProof

from .front_end import FrontEnd
from .provider import Provider
from .proving import BoundFrontEnd, Prover, encoded, new_key

RSA = RSAKey.generate_key(2048)
P384 = ECKey.generate_key("P-384")
SYMMETRIC = OctKey.generate_key(256)


def public(key: Any) -> dict[str, Any]:
    jwk: dict[str, Any] = key.as_dict(private=False)
    return jwk


def bad_headers(key: ECKey) -> dict[str, tuple[dict[str, Any], Any]]:
    """Headers that are refused, and the key that signs, None for the right one."""
    good = {name: public(key)[name] for name in ("kty", "crv", "x", "y")}
    return {
        "no typ": ({"typ": None}, None),
        "typ of a JWT": ({"typ": "JWT"}, None),
        "typ of an access token": ({"typ": "at+jwt"}, None),
        "no jwk": ({"jwk": None}, None),
        "a kid instead": ({"jwk": None, "kid": "key-1"}, None),
        "a private key": ({"jwk": key.as_dict(private=True)}, None),
        "another key": ({"jwk": public(new_key())}, None),
        "signed by another": ({}, new_key()),
        "another kty": ({"jwk": {**good, "kty": "OKP"}}, None),
        "another crv": ({"jwk": {**good, "crv": "P-384"}}, None),
        "another curve for the same alg": ({"jwk": public(P384)}, P384),
        "another curve": ({"jwk": public(P384), "alg": "ES384"}, P384),
        "an RSA key": ({"jwk": public(RSA), "alg": "RS256"}, RSA),
        "a symmetric key": ({"jwk": SYMMETRIC.as_dict(private=True), "alg": "HS256"}, SYMMETRIC),
        "no alg": ({"alg": None}, None),
        "x is missing": ({"jwk": {**good, "x": None}}, None),
        "x is a number": ({"jwk": {**good, "x": 5}}, None),
        "off the curve": ({"jwk": {**good, "x": good["y"]}}, None),
        "no base64": ({"jwk": {**good, "x": "!"}}, None),
        "jwk is a text": ({"jwk": "key"}, None),
        "jwk is a list": ({"jwk": [good]}, None),
        "an unknown crit": ({"crit": ["exp"], "exp": 1}, None),
        "a large header": ({"x5c": ["x" * 400]}, None),
    }


def bad_claims(issuer: str, now: int) -> dict[str, dict[str, Any]]:
    """Claims that are refused."""
    where = f"{issuer}/oauth2/token"
    return {
        "no htm": {"htm": None},
        "htm GET": {"htm": "GET"},
        "htm in small letters": {"htm": "post"},
        "no htu": {"htu": None},
        "another path": {"htu": f"{issuer}/oauth2/revoke"},
        "a slash more": {"htu": f"{where}/"},
        "capitals in the path": {"htu": f"{issuer}/oauth2/Token"},
        "another host": {"htu": where.replace("127.0.0.1", "127.0.0.2")},
        "another scheme": {"htu": where.replace("http", "https")},
        "another port": {"htu": "http://127.0.0.1:1/oauth2/token"},
        "no port": {"htu": "http://127.0.0.1/oauth2/token"},
        "no port there is": {"htu": "http://127.0.0.1:99999/oauth2/token"},
        "a name before the host": {"htu": where.replace("://", "://somebody@")},
        "htu is a number": {"htu": 7},
        "htu is a list": {"htu": [where]},
        "htu is no address": {"htu": "http://["},
        "htu is a path": {"htu": "/oauth2/token"},
        "no iat": {"iat": None},
        "of the past": {"iat": now - 70},
        "of the future": {"iat": now + 70},
        "iat is a text": {"iat": str(now)},
        "iat is a truth": {"iat": True},
        "iat is beyond all numbers": {"iat": 10**400},
        "iat is not a number": {"iat": float("nan")},
        "no jti": {"jti": None},
        "an empty jti": {"jti": ""},
        "jti is a number": {"jti": 7},
        "a long jti": {"jti": "x" * 129},
        "half a sign in jti": {"jti": "\ud800"},
    }


def all_refused(issuer: str) -> dict[str, list[str]]:
    """The `DPoP` headers of requests that are refused, by what is wrong with them."""
    prover = Prover(issuer)
    found = {name: [prover.proof(header, by=by)] for name, (header, by) in bad_headers(prover.key).items()}
    found |= {name: [prover.proof(**claims)] for name, claims in bad_claims(issuer, int(time.time())).items()}
    head, said, signature = prover.proof().split(".")
    deep = encoded(b'{"jwk":' + b"[" * 300)
    return found | {
        "twice": [prover.proof(), prover.proof()],
        "twice in one": [f"{prover.proof()}, {prover.proof()}"],
        "empty": [""],
        "no JWT": ["x.y.z"],
        "two parts": [f"{head}.{said}"],
        "no signature": [f"{head}.{said}."],
        "a turned signature": [f"{head}.{said}.{signature[::-1]}"],
        "other claims": [f"{head}.{encoded(json.dumps(prover.claims()).encode())}.{signature}"],
        "letters beyond ASCII": [f"{head}.{said}.\xe9"],
        "claims that are a list": [prover.signed("[]", prover.header())],
        "claims that are nested deeply": [prover.signed("[" * 2_000, prover.header())],
        "a header that is nested deeply": [f"{deep}.{said}.{signature}"],
        "a header that is a list": [f"{encoded(b'[]')}.{said}.{signature}"],
        "4,097 characters": [prover.proof(padding="x" * 4_000)],
        "HMAC by the public key": [prover.confused()],
        "alg none": [prover.unsigned()],
    }


KINDS = sorted(all_refused("http://127.0.0.1:1"))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_proof_that_is_not_right_in_everything_is_refused(
    provider: Provider, front_end: FrontEnd, kind: str
) -> None:
    bound = BoundFrontEnd(front_end, Prover(provider.issuer))
    for fields in (
        {"grant_type": "refresh_token", "refresh_token": "nonsense"},
        {"grant_type": "client_credentials"},
    ):
        refused = await bound.ask(all_refused(provider.issuer)[kind], **fields)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof"), refused.text
        assert (refused.headers["cache-control"], refused.headers["content-type"]) == ("no-store", "application/json")


async def test_what_is_right_in_another_writing_is_taken(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    prover = Prover(provider.issuer)
    bound = BoundFrontEnd(front_end, prover)
    tokens, now = await bound.tokens(username), int(time.time())
    taken: list[str] = [
        *(prover.proof(htu=f"{prover.address}{end}") for end in ("?a=b", "#c", "?")),
        prover.proof(htu=prover.address.replace("http", "HTTP")),
        *(prover.proof(iat=iat) for iat in (now - 50, now + 50, now + 0.5)),
        prover.proof(nonce="unasked", ath="of an access token"),
        prover.proof({"kid": "key-1", "whatever": True}),
        prover.proof({"jwk": {**public(prover.key), "use": "sig", "alg": "ES256", "ext": True}}),
        prover.proof(jti="x" * 128),
    ]
    for proof in taken:
        answer = await bound.refresh(tokens.refresh, [proof])
        assert answer.status_code == 200, (base64.urlsafe_b64decode(proof.split(".")[1] + "=="), answer.text)


async def test_a_refused_proof_spends_neither_code_nor_token(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    bound = BoundFrontEnd(front_end, Prover(provider.issuer))
    code = (await front_end.sign_in(username)).parameters["code"]
    for bad in all_refused(provider.issuer).values():
        assert (await bound.redeem(code, bad)).json()["error"] == "invalid_dpop_proof"
    redeemed = await bound.redeem(code)
    assert redeemed.status_code == 200, redeemed.text
    token = redeemed.json()["refresh_token"]
    for bad in all_refused(provider.issuer).values():
        assert (await bound.refresh(token, bad)).json()["error"] == "invalid_dpop_proof"
    assert (await bound.refresh(token)).status_code == 200


async def test_a_proof_serves_one_request_and_another_key_may_use_its_id(
    provider: Provider, front_end: FrontEnd
) -> None:
    _, username = await provider.open_person()
    bound, other = [BoundFrontEnd(front_end, Prover(provider.issuer)) for _ in range(2)]
    proof = bound.prover.proof(jti="the same")
    code = (await front_end.sign_in(username)).parameters["code"]
    first = await bound.redeem(code, [proof])
    token = first.json()["refresh_token"]
    answers = await asyncio.gather(*(bound.refresh(token, [each]) for each in [bound.prover.proof()] * 5))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]
    for again in (proof, bound.prover.proof(jti="the same")):
        refused = await bound.refresh(token, [again])
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    code = (await front_end.sign_in(username)).parameters["code"]
    assert (await other.redeem(code, [other.prover.proof(jti="the same")])).status_code == 200
    assert (await bound.refresh(token)).status_code == 200


async def test_strangers_leave_no_proof_behind(provider: Provider, front_end: FrontEnd) -> None:
    """Nor does whoever asks with what is worth nothing: the table grows by tokens that were given."""
    bound = BoundFrontEnd(front_end, Prover(provider.issuer))

    async def kept() -> int:
        async with provider.database.read() as session:
            return await session.scalar(select(func.count()).select_from(UsedProof)) or 0

    before = await kept()
    for fields in (
        {"grant_type": "refresh_token", "refresh_token": "nonsense"},
        {"grant_type": "authorization_code", "code": "nonsense", "redirect_uri": front_end.redirect_uri},
        {"grant_type": "client_credentials"},
        {"grant_type": secrets.token_hex(4)},
    ):
        assert (await bound.ask(None, **fields)).status_code in {400, 401}
    assert await kept() == before


async def test_a_proof_is_forgotten_when_it_would_be_refused_for_its_age(
    provider: Provider, front_end: FrontEnd
) -> None:
    _, username = await provider.open_person()
    await BoundFrontEnd(front_end, Prover(provider.issuer)).tokens(username)

    async def left() -> int:
        await delete_expired(provider.database)
        async with provider.database.read() as session:
            return await session.scalar(select(func.count()).select_from(UsedProof)) or 0

    assert await left() > 0
    async with provider.database.transaction() as session:
        latest = await session.scalar(select(func.max(UsedProof.expires_at)))
        assert latest is not None
        assert latest <= utc_now() + REMEMBERED_FOR
        await session.execute(update(UsedProof).values(expires_at=UsedProof.expires_at - REMEMBERED_FOR))
    assert await left() == 0
