"""Opaque random values, and the form in which they are kept."""

import base64
import hashlib
import secrets

from database import KeyRing


def new_secret() -> str:
    """Make an opaque value of 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    """Give the form in which an opaque random value is kept: guessing 256 bits needs no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def successor_of(ring: KeyRing, secret: str) -> str:
    """Make the one opaque value that comes after `secret`: the same each time, and nobody's to find without the key."""
    return base64.urlsafe_b64encode(ring.keyed_hash("successor", secret)).rstrip(b"=").decode()
