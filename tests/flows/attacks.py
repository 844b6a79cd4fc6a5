"""Forged access tokens, as tools that attack JSON Web Tokens make them: each must be refused by whoever reads it.

The attacks are those of jwt_tool (https://github.com/ticarpi/jwt_tool/wiki/Attack-Methodology) and of RFC 8725. Those
that concern claims are signed with the true key: such a token would be a mistake of the provider's, or another token of
its.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

JSON = dict[str, Any]
Sign = Callable[[bytes], bytes]
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_NONE = ("none", "None", "NONE", "nOnE", "", "none ", None)
_KIDS: Mapping[str, Any] = {
    "path": "../../../../../../dev/null",
    "absolute path": "/proc/sys/kernel/randomize_va_space",
    "sql": "x' union select 'secret' --",
    "command": "key; sleep 10",
    "url": "http://127.0.0.1:1/jwks.json",
    "null": None,
    "number": 1,
    "list": ["a"],
    "object": {"kid": "a"},
    "empty": "",
    "very long": "k" * 4000,
    "nul": "a\x00b",
    "newline": "a\r\nX-Injected: 1",
}


def encoded(part: bytes | JSON) -> str:
    """Encode a part of a token as base64url without padding."""
    plain = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    """Decode a part of a token."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def token(header: bytes | JSON, claims: bytes | JSON, sign: Sign) -> str:
    """Make a token of any header and claims, signed in any way."""
    signed = f"{encoded(header)}.{encoded(claims)}"
    return f"{signed}.{encoded(sign(signed.encode()))}"


def by_curve(key: ec.EllipticCurvePrivateKey, digest: hashes.HashAlgorithm | None = None) -> Sign:
    """Sign as ES256 and its relatives do."""
    size = (key.curve.key_size + 7) // 8

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(digest or hashes.SHA256())))
        return r.to_bytes(size) + s.to_bytes(size)

    return sign


def by_secret(secret: bytes) -> Sign:
    """Sign as HS256 does."""
    return lambda data: hmac.new(secret, data, hashlib.sha256).digest()


def _unsigned(_: bytes) -> bytes:
    return b""


class Forger:
    """Makes forged tokens out of a true one; `key` is the key that signed it, for what only the provider could do."""

    def __init__(self, true_token: str, key: ec.EllipticCurvePrivateKey) -> None:
        self.true = true_token
        self.head, self.payload, self.signature = true_token.split(".")
        self.header: JSON = json.loads(decoded(self.head))
        self.claims: JSON = json.loads(decoded(self.payload))
        self.by_provider = by_curve(key)
        self.public = key.public_key()
        self.own = ec.generate_private_key(ec.SECP256R1())

    def all(self) -> dict[str, str]:
        """Give every forged token by the name of its attack."""
        made = dict(self._algorithms())
        for more in (self._keys(), self._signatures(), self._extensions(), self._claims(), self._shapes()):
            for name, forged in more:
                assert name not in made, name
                made[name] = forged
        return made

    def _head(self, **changed: Any) -> JSON:
        return {**self.header, **changed}

    def _algorithms(self) -> Iterator[tuple[str, str]]:
        for name in _NONE:
            yield f"alg {name!r}", token(self._head(alg=name), self.claims, _unsigned)
            yield f"alg {name!r}, signature kept", f"{encoded(self._head(alg=name))}.{self.payload}.{self.signature}"
        numbers = self.public.public_numbers()
        jwk = {"kty": "EC", "crv": "P-256", "x": encoded(numbers.x.to_bytes(32)), "y": encoded(numbers.y.to_bytes(32))}
        pem = self.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        der = self.public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        point = self.public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        secrets = {
            "PEM": pem,
            "PEM without its end of line": pem.strip(),
            "DER": der,
            "point": point,
            "JWK": json.dumps(jwk).encode(),
            "JWK, compact": json.dumps(jwk, separators=(",", ":")).encode(),
            "nothing": b"",
        }
        for name, secret in secrets.items():
            yield f"HS256 with the public key as {name}", token(self._head(alg="HS256"), self.claims, by_secret(secret))
        for alg, curve, digest in (
            ("ES384", ec.SECP384R1(), hashes.SHA384()),
            ("ES512", ec.SECP521R1(), hashes.SHA512()),
            ("ES256K", ec.SECP256K1(), hashes.SHA256()),
        ):
            key = ec.generate_private_key(curve)
            yield alg, token(self._head(alg=alg), self.claims, by_curve(key, digest))
            yield f"ES256 on the curve of {alg}", token(self._head(), self.claims, by_curve(key))
        yield "ES384 by the provider's key", token(self._head(alg="ES384"), self.claims, self.by_provider)
        rsa_key = rsa.generate_private_key(65537, 2048)

        def by_rsa(data: bytes) -> bytes:
            return rsa_key.sign(data, padding.PKCS1v15(), hashes.SHA256())

        for alg in ("RS256", "ES256"):
            yield f"{alg} signed with RSA", token(self._head(alg=alg), self.claims, by_rsa)

    def _keys(self) -> Iterator[tuple[str, str]]:
        for name, kid in _KIDS.items():
            yield f"kid {name}", token(self._head(kid=kid), self.claims, by_curve(self.own))
            yield f"kid {name}, HS256", token(self._head(kid=kid, alg="HS256"), self.claims, by_secret(b""))
        without = {name: value for name, value in self.header.items() if name != "kid"}
        yield "no kid", token(without, self.claims, self.by_provider)
        yield "another's key", token(self.header, self.claims, by_curve(self.own))

    def _signatures(self) -> Iterator[tuple[str, str]]:
        signed = f"{self.head}.{self.payload}"
        yield "signature stripped", f"{signed}."
        yield "signature and its dot stripped", signed
        for name, r, s in (
            ("psychic", 0, 0),
            ("r = 0", 0, 1),
            ("s = 0", 1, 0),
            ("r = s = the order", P256_ORDER, P256_ORDER),
            ("r = s = 1", 1, 1),
        ):
            yield f"signature {name}", f"{signed}.{encoded(r.to_bytes(32) + s.to_bytes(32))}"
        raw = decoded(self.signature)
        yield "signature one bit off", f"{signed}.{encoded(raw[:-1] + bytes([raw[-1] ^ 1]))}"
        yield "signature too short", f"{signed}.{encoded(raw[:-1])}"
        yield "signature too long", f"{signed}.{encoded(raw + bytes(1))}"
        yield (
            "signature in DER",
            f"{signed}.{encoded(bytes([0x30, 0x44, 2, 32]) + raw[:32] + bytes([2, 32]) + raw[32:])}",
        )
        other = {**self.claims, "sub": "00000000-0000-7000-8000-000000000002"}
        yield "another person, old signature", f"{self.head}.{encoded(other)}.{self.signature}"
        grant = {"role": "system_administrator", "organisation_id": "00000000-0000-7000-8000-000000000001"}
        more = {**self.claims, "roles": [grant]}
        yield "more roles, old signature", f"{self.head}.{encoded(more)}.{self.signature}"
        longer = {**self.claims, "exp": self.claims["exp"] + 86_400}
        yield "longer life, old signature", f"{self.head}.{encoded(longer)}.{self.signature}"
        twice = json.dumps(self.claims)[:-1] + ', "sub": "00000000-0000-7000-8000-000000000002"}'
        yield "duplicated claim, old signature", f"{self.head}.{encoded(twice.encode())}.{self.signature}"
        head = json.dumps(self.header)[:-1] + ', "alg": "none"}'
        yield "duplicated alg", token(head.encode(), self.claims, _unsigned)

    def _extensions(self) -> Iterator[tuple[str, str]]:
        numbers = self.own.public_key().public_numbers()
        jwk = {
            "kty": "EC",
            "crv": "P-256",
            "use": "sig",
            "kid": "own",
            "x": encoded(numbers.x.to_bytes(32)),
            "y": encoded(numbers.y.to_bytes(32)),
        }
        for name, value in {
            "jwk": jwk,
            "jku": "http://127.0.0.1:1/jwks.json",
            "x5u": "http://127.0.0.1:1/certificate.pem",
            "x5c": [base64.b64encode(b"certificate").decode()],
            "x5t": encoded(b"thumbprint"),
        }.items():
            for kid in (self.header["kid"], "own"):
                yield (
                    f"{name}, kid {kid[:3]}",
                    token(self._head(kid=kid, **{name: value}), self.claims, by_curve(self.own)),
                )
        extensions: dict[str, JSON] = {
            "crit": {"crit": ["exp"]},
            "crit of what is unknown": {"crit": ["http://example.org/x"], "http://example.org/x": True},
            "b64 false": {"b64": False, "crit": ["b64"]},
            "b64 false alone": {"b64": False},
            "empty crit": {"crit": []},
        }
        for name, extension in extensions.items():
            yield name, token({**self.header, **extension}, self.claims, self.by_provider)

    def _claims(self) -> Iterator[tuple[str, str]]:
        now = int(time.time())
        spoilt: dict[str, JSON] = {
            "another audience": {"aud": "https://elsewhere.test"},
            "no audience": {"aud": None},
            "empty audience": {"aud": []},
            "client as audience": {"aud": self.claims["client_id"]},
            "another issuer": {"iss": "https://elsewhere.test"},
            "issuer with a slash": {"iss": f"{self.claims['iss']}/"},
            "no issuer": {"iss": None},
            "expired": {"exp": now - 60, "iat": now - 660},
            "issued in the future": {"iat": now + 600, "exp": now + 1200},
            "not yet valid": {"nbf": now + 600},
            "no end": {"exp": None},
            "lives ten years": {"exp": now + 315_360_000},
            "end as text": {"exp": str(now + 600)},
            "no person": {"sub": None},
            "no time of issue": {"iat": None},
            "person is no id": {"sub": "admin"},
            "no client": {"client_id": None},
        }
        for name, changed in spoilt.items():
            claims = {key: value for key, value in {**self.claims, **changed}.items() if value is not None}
            yield name, token(self.header, claims, self.by_provider)
        for kind in ("JWT", "jwt", "id_token+jwt", "logout+jwt", "at+jwt2", 1, None):
            head = self._head(typ=kind)
            yield f"typ {kind!r}", token(head, self.claims, self.by_provider)
        untyped = {name: value for name, value in self.header.items() if name != "typ"}
        yield "no typ", token(untyped, self.claims, self.by_provider)

    def _shapes(self) -> Iterator[tuple[str, str]]:
        yield "one word", "token"
        yield "empty parts", ".."
        yield "four parts", f"{self.true}.{self.signature}"
        yield "five parts", f"{self.head}....{self.signature}"
        yield "no header", f".{self.payload}.{self.signature}"
        yield "payload is a list", token(self.header, b"[]", self.by_provider)
        yield "payload is no JSON", token(self.header, b"\xff\xfe", self.by_provider)
        yield "deeply nested payload", token(self.header, b"[" * 2000 + b"]" * 2000, self.by_provider)
        yield "header is a number", token(b"1", self.claims, self.by_provider)
        yield "padded parts", ".".join(f"{part}=" for part in self.true.split("."))
        yield "other alphabet", f"{self.head}.{self.payload}.{self.signature[:-1]}+"
        yield "oversized", token(self.header, {**self.claims, "filling": "x" * 9000}, self.by_provider)
        yield (
            "JSON serialization",
            json.dumps({"payload": self.payload, "protected": self.head, "signature": self.signature}),
        )
