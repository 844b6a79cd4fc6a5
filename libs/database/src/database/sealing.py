"""Sealed columns: AES-256-GCM under a data key per person, and a keyed index to look a value up without opening it.

A data key is itself sealed under a key-encryption key of the `KeyRing`. Destroying a person's data key makes every
value sealed under it unreadable, in backups too. The associated data binds a value to its table, column and row, so
that a ciphertext moved elsewhere does not open.
"""

import base64
import binascii
import hashlib
import hmac
import os
import unicodedata
from typing import Annotated

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import LargeBinary
from sqlalchemy.orm import mapped_column

KEY_BYTES = 32
NONCE_BYTES = 12
INDEX_BYTES = 16
_FORMAT = 1

Sealed = Annotated[bytes, mapped_column(LargeBinary)]
"""Type of a column that holds what `seal` or `KeyRing.wrap` gave."""

BlindIndex = Annotated[bytes, mapped_column(LargeBinary(INDEX_BYTES), index=True)]
"""Type of an indexed column that holds what `KeyRing.blind_index` gave: 16 bytes."""


class SealBroken(Exception):
    """A sealed value does not open: wrong key, altered, or moved from another row or column."""


def associated(table: str, column: str, row: object) -> bytes:
    """Give the associated data that binds a sealed value to its place."""
    return f"{table}|{column}|{row}".encode()


def seal(data_key: bytes, plain: bytes, *, binding: bytes) -> bytes:
    """Encrypt `plain` under a 32-byte key for this `binding`: 1 byte format, 12 bytes nonce, ciphertext with tag."""
    nonce = os.urandom(NONCE_BYTES)
    return bytes([_FORMAT]) + nonce + AESGCM(data_key).encrypt(nonce, plain, binding)


def unseal(data_key: bytes, sealed: bytes, *, binding: bytes) -> bytes:
    """Decrypt what `seal` made for the same `binding`; raises `SealBroken`."""
    if not sealed or sealed[0] != _FORMAT:
        raise SealBroken("unknown format of a sealed value")
    nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return AESGCM(data_key).decrypt(nonce, ciphertext, binding)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("a sealed value does not open with this key at this place") from error


class KeyRing:
    """The key-encryption keys of one service, by number; the highest seals, every one opens.

    `parse` reads the setting: comma-separated `number:base64 of 32 bytes`, e.g. `1:…,2:…`. The key numbered lowest also
    roots the blind indexes and keyed hashes, so that look-ups survive a rotation; it stays in the ring until values are
    indexed anew.
    """

    def __init__(self, keys: dict[int, bytes]) -> None:
        if not keys:
            raise ValueError("a key ring needs at least one key")
        for number, key in keys.items():
            if not 0 < number < 2**16 or len(key) != KEY_BYTES:
                raise ValueError(f"key {number}: a key has a number from 1 to 65535 and {KEY_BYTES} bytes")
        self._keys = dict(sorted(keys.items()))
        self.current = max(keys)
        self._index_root = self._keys[min(keys)]
        self._hash_keys: dict[str, bytes] = {}

    @classmethod
    def parse(cls, setting: str) -> "KeyRing":
        """Read a ring from its setting; raises `ValueError` that says what is wrong and shows no key."""
        keys: dict[int, bytes] = {}
        for position, part in enumerate(setting.split(","), start=1):
            number, _, encoded = part.strip().partition(":")
            try:
                keys[int(number)] = base64.b64decode(encoded, validate=True)
            except (ValueError, binascii.Error):
                raise ValueError(f"entry {position} of the key ring is not `number:base64`") from None
        return cls(keys)

    @staticmethod
    def generate() -> str:
        """Make the setting of a new ring with one random key."""
        return f"1:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"

    def new_data_key(self) -> bytes:
        """Make a random 32-byte data key."""
        return os.urandom(KEY_BYTES)

    def wrap(self, plain: bytes, *, binding: bytes) -> bytes:
        """Seal a data key (or another small secret) under the current key: 2 bytes key number, then as `seal`."""
        prefix = self.current.to_bytes(2, "big")
        return prefix + seal(self._keys[self.current], plain, binding=prefix + binding)

    def unwrap(self, wrapped: bytes, *, binding: bytes) -> bytes:
        """Open what `wrap` made for the same `binding`; raises `SealBroken`, also when the ring lacks the key."""
        prefix = wrapped[:2]
        key = self._keys.get(int.from_bytes(prefix, "big"))
        if key is None:
            raise SealBroken("the key that sealed this value is not in the ring")
        return unseal(key, wrapped[2:], binding=prefix + binding)

    def blind_index(self, column: str, value: str) -> bytes:
        """Give the 16 bytes under which `value` is found in `column`, the same for every spelling of it.

        Spaces and hyphens are dropped and letters and digits folded (NFKC, upper case). Never use it on a column with
        few distinct values: equal values are visible as equal.
        """
        folded = unicodedata.normalize("NFKC", value).upper().replace(" ", "").replace("-", "")
        return self._hashed(f"blind index|{column}", folded)[:INDEX_BYTES]

    def keyed_hash(self, purpose: str, value: str) -> bytes:
        """Give 32 bytes that follow from `value` exactly as it is written, and that nobody finds without this ring."""
        return self._hashed(f"keyed hash|{purpose}", value)

    def _hashed(self, info: str, value: str) -> bytes:
        key = self._hash_keys.get(info)
        if key is None:
            derive = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info.encode())
            key = self._hash_keys[info] = derive.derive(self._index_root)
        return hmac.new(key, value.encode(), hashlib.sha256).digest()
