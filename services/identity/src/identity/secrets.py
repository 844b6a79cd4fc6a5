"""Opaque random values, and the form in which they are kept."""

import hashlib
import secrets


def new_secret() -> str:
    """Make an opaque value of 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    """Give the form in which an opaque random value is kept: guessing 256 bits needs no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
