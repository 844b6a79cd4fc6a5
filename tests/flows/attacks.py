"""Forged access tokens, as tools that attack JSON Web Tokens make them: each must be refused by whoever reads it.

The attacks are those of jwt_tool (https://github.com/ticarpi/jwt_tool/wiki/Attack-Methodology) and of RFC 8725. Those
that concern claims are signed with the true key: such a token would be a mistake of the provider's, or another token of
its.
"""

import json
import time
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tests.flows.tokens import JSON, by_curve, by_secret, certificate, decoded, encoded, token

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_NONE: tuple[Any, ...] = (
    "none",
    "None",
    "NONE",
    "nOnE",
    "NonE",
    "",
    "none ",
    " none",
    "none\x00",
    "null",
    None,
    0,
    False,
    ["none"],
    {},
)
_WEAK = ("secret", "password", "key", "jwt", "xiangqiao", "\x00")
_ZIP_WINDOW = -15
"""Of raw DEFLATE (RFC 1951), which is what `zip` means."""
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
        for more in (
            self._keys(),
            self._signatures(),
            self._twice(),
            self._extensions(),
            self._wrapped(),
            self._claims(),
            self._times(),
            self._types(),
            self._shapes(),
            self._spellings(),
        ):
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
            for alg, hashed in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
                forged = token(self._head(alg=alg), self.claims, by_secret(secret, hashed))
                yield f"{alg} with the public key as {name}", forged
        for weak in _WEAK:
            yield f"HS256 with {weak!r}", token(self._head(alg="HS256"), self.claims, by_secret(weak.encode()))
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
        for name, secret in (("path", b"\x00"), ("absolute path", b"2\n"), ("sql", b"secret")):
            head = self._head(kid=_KIDS[name], alg="HS256")
            yield f"kid {name}, HS256 with what is there", token(head, self.claims, by_secret(secret))
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

    def _twice(self) -> Iterator[tuple[str, str]]:
        """Yield tokens that say something twice, so that two readers might read them differently."""
        others = {"sub": "00000000-0000-7000-8000-000000000002", "exp": 32503680000, "roles": []}
        for name, value in others.items():
            again = f'"{name}": {json.dumps(value)}'
            for order, text in (
                ("first", f"{{{again}, {json.dumps(self.claims)[1:]}"),
                ("last", f"{json.dumps(self.claims)[:-1]}, {again}}}"),
            ):
                yield f"another {name} {order}, old signature", f"{self.head}.{encoded(text.encode())}.{self.signature}"
        for name, value in {"alg": "none", "\\u0061lg": "none", "kid": "own", "typ": "JWT"}.items():
            again = f'"{name}": {json.dumps(value)}'
            first, last = f"{{{again}, {json.dumps(self.header)[1:]}", f"{json.dumps(self.header)[:-1]}, {again}}}"
            for order, text in (("first", first), ("last", last)):
                yield f"another {name} {order}, unsigned", token(text.encode(), self.claims, _unsigned)
                yield f"another {name} {order}, own key", token(text.encode(), self.claims, by_curve(self.own))

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
            "x5c": [certificate(self.own)],
            "x5t": encoded(b"thumbprint"),
            "x5t#S256": encoded(b"thumbprint of 32 bytes, as SHA-256"),
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
            "crit is text": {"crit": "exp"},
            "b64 as text": {"b64": "false", "crit": ["b64"]},
        }
        for name, extension in extensions.items():
            yield name, token({**self.header, **extension}, self.claims, self.by_provider)

    def _wrapped(self) -> Iterator[tuple[str, str]]:
        """Yield tokens whose claims are packed into something."""
        plain = json.dumps(self.claims).encode()
        packer = zlib.compressobj(wbits=_ZIP_WINDOW)
        packed, bomb = packer.compress(plain) + packer.flush(), zlib.compress(bytes(1_000_000))
        for name, header, payload in (
            ("zip", {"zip": "DEF"}, packed),
            ("zip of very much", {"zip": "DEF"}, bomb),
            ("nested", {"cty": "JWT"}, self.true.encode()),
            ("nested as text", {"cty": "JWT"}, json.dumps(self.true).encode()),
            ("encrypted to nobody", {"enc": "A256GCM", "cty": "JWT"}, b""),
            ("in UTF-16", {}, json.dumps(self.claims).encode("utf-16")),
            ("with a mark before it", {}, b"\xef\xbb\xbf" + plain),
            ("with something after it", {}, plain + b"x"),
            ("two of them", {}, plain + plain),
        ):
            yield name, token({**self.header, **header}, payload, self.by_provider)
        yield "zip, own key", token(self._head(zip="DEF"), packed, by_curve(self.own))
        yield "nested, own key", token(self._head(cty="JWT"), self.true.encode(), by_curve(self.own))
        yield "five parts of JWE", ".".join([encoded({"alg": "dir", "enc": "A256GCM"}), "", "AAAA", "AAAA", "AAAA"])

    def _claims(self) -> Iterator[tuple[str, str]]:
        issuer, audience = self.claims["iss"], self.claims["aud"]
        spoilt: dict[str, JSON] = {
            "another audience": {"aud": "https://elsewhere.test"},
            "no audience": {"aud": None},
            "empty audience": {"aud": []},
            "client as audience": {"aud": self.claims["client_id"]},
            "another issuer": {"iss": "https://elsewhere.test"},
            "issuer with a slash": {"iss": f"{issuer}/"},
            "issuer in capitals": {"iss": issuer.upper()},
            "issuer with a space": {"iss": f"{issuer} "},
            "issuer and a person": {"iss": issuer.replace("://", "://attacker@")},
            "issuer below": {"iss": f"{issuer}/v1"},
            "issuers": {"iss": [issuer, "https://elsewhere.test"]},
            "no issuer": {"iss": None},
            "audience with a slash": {"aud": f"{audience}/"},
            "audience in capitals": {"aud": audience.upper()},
            "audience above": {"aud": audience[:-1]},
            "audience as an object": {"aud": {audience: True}},
            "audience within a list": {"aud": [[audience]]},
            "any audience": {"aud": "*"},
            "audience is true": {"aud": True},
            "other audiences": {"aud": ["https://elsewhere.test", issuer, ""]},
            "no person": {"sub": None},
            "person is no id": {"sub": "admin"},
            "persons": {"sub": [self.claims["sub"]]},
            "person is a number": {"sub": 1},
            "no client": {"client_id": None},
            "client is a list": {"client_id": ["docs"]},
            "roles as text": {"roles": "officer"},
            "role without a place": {"roles": [{"role": "officer"}]},
            "role at no id": {"roles": [{"role": "officer", "organisation_id": "*"}]},
            "roles as an object": {"roles": {"officer": "*"}},
            "actor without assistance": {"act": {"sub": self.claims["sub"]}},
            "assistance without an actor": {"assist": {"id": self.claims["sub"], "actions": ["feedback.open_case"]}},
            "actor is text": {"act": "x", "assist": {"id": self.claims["sub"], "actions": []}},
            "level is a number": {"acr": 3},
        }
        for name, changed in spoilt.items():
            claims = {key: value for key, value in {**self.claims, **changed}.items() if value is not None}
            yield name, token(self.header, claims, self.by_provider)

    def _times(self) -> Iterator[tuple[str, str]]:
        """Yield tokens that do not hold now; numbers are written out, for JSON has more of them than Python."""
        now = int(time.time())
        spoilt: dict[str, JSON] = {
            "expired": {"exp": now - 60, "iat": now - 660},
            "expired by parts of a second": {"exp": now - 30.5, "iat": now - 600.5},
            "expired before 1970": {"exp": -now},
            "expired at zero": {"exp": 0},
            "issued in the future": {"iat": now + 600, "exp": now + 1200},
            "not yet valid": {"nbf": now + 600},
            "valid in milliseconds": {"exp": (now + 600) * 1000},
            "lives ten years": {"exp": now + 315_360_000},
            "end as text": {"exp": str(now + 600)},
            "end is true": {"exp": True},
            "end in a list": {"exp": [now + 600]},
            "end is nothing": {"exp": "null"},
            "no number as end": {"exp": "NaN"},
            "end without end": {"exp": "Infinity"},
            "end too large": {"exp": "1e999"},
            "end very large": {"exp": 10**40},
            "issue as text": {"iat": str(now)},
            "issue too early": {"iat": "-1e999"},
            "issue is nothing": {"iat": "null"},
            "beginning as text": {"nbf": str(now)},
            "beginning is nothing": {"nbf": "null"},
            "beginning too late": {"nbf": "1e999"},
        }
        for name, changed in spoilt.items():
            claims = json.dumps({**self.claims, **changed})
            for raw in ("null", "NaN", "Infinity", "-1e999", "1e999"):
                claims = claims.replace(f'"{raw}"', raw)
            yield name, token(self.header, claims.encode(), self.by_provider)
        for claim in ("exp", "iat"):
            claims_left = {name: value for name, value in self.claims.items() if name != claim}
            yield f"no {claim}", token(self.header, claims_left, self.by_provider)

    def _types(self) -> Iterator[tuple[str, str]]:
        others = ("JWT", "jwt", "id_token+jwt", "logout+jwt", "secevent+jwt", "application/jwt")
        for kind in (*others, "at+jwt2", "at+jwt ", "at+jwt; x=1", "at+jwt\x00", "aｔ+jwt", ["at+jwt"], 1, None):
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
        yield "a dot after it", f"{self.true}."
        yield "a dot before it", f".{self.true}"
        yield "padded parts", ".".join(f"{part}=" for part in self.true.split("."))
        yield "other alphabet", f"{self.head}.{self.payload}.{self.signature[:-1]}+"
        yield "oversized", token(self.header, {**self.claims, "filling": "x" * 9000}, self.by_provider)
        yield (
            "JSON serialization",
            json.dumps({"payload": self.payload, "protected": self.head, "signature": self.signature}),
        )

    def _spellings(self) -> Iterator[tuple[str, str]]:
        """Yield the true token written otherwise: were it taken, what is remembered of it could be missed."""
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        last = letters.index(self.signature[-1])
        yield "unused bits of the signature", f"{self.true[:-1]}{letters[last ^ 1]}"
        for name, mark in (("space", " "), ("tab", "\t"), ("percent", "%20"), ("padding", "="), ("no letter", "é")):
            for number, part in enumerate((self.head, self.payload, self.signature)):
                parts = [self.head, self.payload, self.signature]
                parts[number] = f"{part[:10]}{mark}{part[10:]}"
                yield f"{name} within part {number}", ".".join(parts)
        yield "wide dots", self.true.replace(".", "．")
        yield "in quotes", f'"{self.true}"'
        yield "twice", f"{self.true}, {self.true}"
        yield "two schemes", f"Bearer {self.true}"
