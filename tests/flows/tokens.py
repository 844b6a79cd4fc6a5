"""Makes JSON Web Tokens of any header and claims, signed in any way."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

JSON = dict[str, Any]
Sign = Callable[[bytes], bytes]


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


def by_secret(secret: bytes, hashed: str = "sha256") -> Sign:
    """Sign as HS256 and its relatives do."""
    return lambda data: hmac.new(secret, data, hashed).digest()


def certificate(key: ec.EllipticCurvePrivateKey) -> str:
    """Make a certificate that signs itself, as `x5c` holds it."""
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "attacker")]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return base64.b64encode(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)).decode()
