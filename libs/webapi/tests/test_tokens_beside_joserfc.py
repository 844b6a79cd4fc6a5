"""What the authenticator takes and refuses, beside joserfc: the same verdict on thousands of good and spoilt tokens."""

import base64
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OctKey
from joserfc.jwt import JWTClaimsRegistry

from database import new_id
from testkit.tokens import TokenIssuer
from webapi import Authenticator, Refusal, signing_keys

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
LEEWAY_SECONDS = 5
ES256 = jws.JWSRegistry.algorithms["ES256"]
STRICTER = {"the token lives too long", "the header asks for what is not supported"}
"""Why a token is refused that joserfc takes: we remember revocations for half an hour, and `crit` may not be empty."""


@pytest.fixture
def now() -> float:
    """The moment at which both judge every token, however long that takes."""
    return time.time()


@pytest_asyncio.fixture
async def authenticator(
    issuer: TokenIssuer, now: float, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Authenticator]:
    monkeypatch.setattr(signing_keys, "FETCH_INTERVAL_SECONDS", 0.0)  # it is asked after many keys that nobody has
    made = Authenticator(issuer.jwks_url, issuer.issuer, issuer.audience, clock=lambda: now)
    yield made
    await made.close()


async def refusal_of(authenticator: Authenticator, token: str) -> str | None:
    """Give why a token is refused, None when it is taken."""
    try:
        await authenticator.authenticate(token)
    except Refusal as refusal:
        return refusal.headers["www-authenticate"].rpartition('error_description="')[2].rstrip('"')
    return None


def joserfc_takes(issuer: TokenIssuer, token: str, now: float) -> bool:
    """Judge a token by joserfc alone: its signature, its header, and the claims of RFC 9068 that RFC 7519 defines."""
    claims = JWTClaimsRegistry(
        now=int(now),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer.issuer},
        aud={"essential": True, "value": issuer.audience},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        header = jws.extract_compact(token.encode()).headers()
        if "kid" not in header or str(header.get("typ")).lower() not in {"at+jwt", "application/at+jwt"}:
            return False
        read = jwt.decode(token, KeySet.import_key_set(issuer.jwks), algorithms=["ES256"])  # type: ignore[arg-type] # a dict of keys
        claims.validate(read.claims)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return False
    return True


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def signed(issuer: TokenIssuer, header: dict[str, Any], payload: bytes, key: ECKey | None = None) -> str:
    """Sign any header over any payload: what a library would refuse to write."""
    head = f"{encoded(json.dumps(header).encode())}.{encoded(payload)}"
    return f"{head}.{encoded(ES256.sign(head.encode(), key or issuer.key))}"


def with_one_letter_changed(token: str) -> Iterator[str]:
    """Change, drop and add a letter at every place of a token."""
    for at, letter in enumerate(token):
        for other in ("A" if letter != "A" else "B", "", letter + "=", letter + "A", letter + ".", "+", "\n", "é"):
            yield token[:at] + other + token[at + 1 :]


def with_other_signatures(token: str) -> Iterator[str]:
    """Replace the signature by others that are numbers, or that another encoding would take."""
    head, _, signature = token.rpartition(".")
    raw = decoded(signature)
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    for one, other in ((r, ORDER - s), (s, r), (0, s), (r, 0), (0, 0), (ORDER, s), (r, ORDER), (r, 2**256 - 1)):
        yield f"{head}.{encoded(one.to_bytes(32) + other.to_bytes(32))}"
    for form in (encode_dss_signature(r, s), raw + b"\0", b"\0" + raw, raw[:-1], raw[:32], raw * 2, b""):
        yield f"{head}.{encoded(form)}"
    yield f"{head}.{base64.b64encode(raw).decode()}"
    yield f"{head}.{signature}=="
    yield from (
        f"{head}.{signature[:-1]}{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-"
    )


def with_other_headers(issuer: TokenIssuer, payload: bytes) -> Iterator[str]:
    """Sign other headers with the right key, and the right one with others."""
    right = {"alg": "ES256", "typ": "at+jwt", "kid": issuer.key.kid}
    wrong: tuple[dict[str, Any], ...] = (
        {"alg": "none"},
        {"alg": "es256"},
        {"alg": "ES384"},
        {"alg": "HS256"},
        {"alg": ["ES256"]},
        {"alg": None},
        {"typ": "JWT"},
        {"typ": "AT+JWT"},
        {"typ": "application/at+jwt"},
        {"typ": 1},
        {"typ": None},
        {"kid": "another"},
        {"kid": ""},
        {"kid": None},
        {"kid": [issuer.key.kid]},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"jwk": issuer.key.as_dict(private=False)},
        {"x5u": "http://elsewhere.test"},
    )
    for change in ({}, *wrong):
        header = {name: value for name, value in {**right, **change}.items() if value is not None}
        yield signed(issuer, header, payload)
    stranger = ECKey.generate_key("P-256")
    yield signed(issuer, right, payload, stranger)
    yield signed(issuer, {**right, "jwk": stranger.as_dict(private=False)}, payload, stranger)
    public = OctKey.import_key(json.dumps(issuer.jwks["keys"][0]))
    yield jwt.encode({**right, "alg": "HS256"}, json.loads(payload), public, ["HS256"])


def with_other_claims(issuer: TokenIssuer, payload: bytes, now: float) -> Iterator[str]:
    """Sign other claims, and payloads that are none."""
    header = {"alg": "ES256", "typ": "at+jwt", "kid": issuer.key.kid}
    claims = json.loads(payload)
    moments = (None, 0, -1, now - 100, now - 3, now + 3, now + 100, int(now), "1", True, [now], 1e400, 10**30)
    issuers = (None, "", issuer.issuer + "/", [issuer.issuer], 1)
    audiences: tuple[Any, ...] = (
        None,
        "",
        "other",
        [],
        [issuer.audience],
        ["other", issuer.audience],
        ["other"],
        1,
        {issuer.audience: 1},
    )
    changes: list[dict[str, Any]] = [{name: value} for name in ("exp", "iat", "nbf") for value in moments]
    changes += [{"iss": value} for value in issuers] + [{"aud": value} for value in audiences]
    for change in changes:
        changed = {name: value for name, value in {**claims, **change}.items() if value is not None}
        yield signed(issuer, header, json.dumps(changed).encode())
    for other in (b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff", b"{}", payload + b" ", payload + b"x"):
        yield signed(issuer, header, other)


def with_other_last_letters(issuer: TokenIssuer, payload: bytes) -> Iterator[str]:
    """Write the same payload with a last letter of other bits that say nothing, and sign it as it is written."""
    header = encoded(json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": issuer.key.kid}).encode())
    for same in (payload, payload + b" ", payload + b"  "):
        written = encoded(same)
        for other in (written, written[:-1] + chr(ord(written[-1]) + 1)):
            if decoded(other) == same:
                head = f"{header}.{other}"
                yield f"{head}.{encoded(ES256.sign(head.encode(), issuer.key))}"


async def test_a_token_is_taken_exactly_when_joserfc_takes_it_but_for_two_stricter_rules(
    authenticator: Authenticator, issuer: TokenIssuer, now: float
) -> None:
    token = issuer.token(new_id(), [("branch_secretary", new_id())])
    payload = decoded(token.split(".")[1])
    tokens = [
        token,
        *with_one_letter_changed(token),
        *with_other_signatures(token),
        *with_other_headers(issuer, payload),
        *with_other_claims(issuer, payload, now),
        *with_other_last_letters(issuer, payload),
    ]
    taken = 0
    for each in tokens:
        refusal, is_taken_there = await refusal_of(authenticator, each), joserfc_takes(issuer, each, now)
        assert (refusal is None) == is_taken_there or refusal in STRICTER, (refusal, each)
        taken += refusal is None
    assert taken > 20
    assert len(tokens) > 5_000
