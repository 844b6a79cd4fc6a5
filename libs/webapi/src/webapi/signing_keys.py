"""Identity's public keys: fetched once, kept while identity is away, fetched again for a token that names another."""

import asyncio
import json
import logging
import urllib.request
from http.client import HTTPException
from time import monotonic
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

_log = logging.getLogger(__name__)

FETCH_INTERVAL_SECONDS: Final = 1.0  # an unknown key id costs identity at most one request a second
FRESH_SECONDS: Final = 300.0  # then a retired key is dropped, unless identity is away
TIMEOUT_SECONDS: Final = 3.0
LARGEST_SET: Final = 1024 * 1024

# Not httpx: where the command line is installed it imports rich and click, a third of a second in every process.
_opener: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class KeysUnavailable(Exception):
    """The key is not known and identity could not be asked for it, so the token cannot be judged."""


class SigningKeys:
    """The ES256 keys published at `jwks_url` (RFC 7517), by key id."""

    def __init__(self, jwks_url: str) -> None:
        self._url = jwks_url
        self._keys: dict[str, EllipticCurvePublicKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._answered = False
        self._lock = asyncio.Lock()
        self._refresh: asyncio.Task[None] | None = None

    def at_hand(self, key_id: str) -> EllipticCurvePublicKey | None:
        """Give the key if it is known, without waiting; keys that are not fresh are fetched meanwhile."""
        key = self._keys.get(key_id)
        if key is not None:
            self._refresh_if_old()
        return key

    async def get(self, key_id: str) -> EllipticCurvePublicKey | None:
        """Give the key, asking identity when it is not known; None when identity does not publish it.

        Raises `KeysUnavailable` when the key is not known and identity could not be asked just now.
        """
        key = self.at_hand(key_id)
        if key is not None:
            return key
        asked_at = monotonic()
        async with self._lock:
            fetched_since = self._tried_at is not None and self._tried_at >= asked_at
            if key_id not in self._keys and not fetched_since:  # else another fetched it while this one waited
                await self._fetch()
        key = self._keys.get(key_id)
        if key is None and not self._answered:
            raise KeysUnavailable
        return key

    async def close(self) -> None:
        """Stop asking identity."""
        if self._refresh is not None:
            self._refresh.cancel()
            await asyncio.wait([self._refresh])

    def _refresh_if_old(self) -> None:
        if self._fetched_at is not None and monotonic() - self._fetched_at < FRESH_SECONDS:
            return
        if self._tried_at is not None and monotonic() - self._tried_at < FETCH_INTERVAL_SECONDS:
            return
        if self._refresh is None or self._refresh.done():
            self._refresh = asyncio.create_task(self._refresh_now())

    async def _refresh_now(self) -> None:
        async with self._lock:
            await self._fetch()

    async def _fetch(self) -> None:
        if self._tried_at is not None:
            await asyncio.sleep(max(0.0, self._tried_at + FETCH_INTERVAL_SECONDS - monotonic()))
        self._tried_at = monotonic()  # who asks from here on may want a key published after this request
        try:
            keys = _read_keys(json.loads(await asyncio.to_thread(_download, self._url)))
        except (OSError, HTTPException, ValueError, TypeError, KeyError, AttributeError) as error:
            self._answered = False
            _log.warning("signing_keys_not_fetched", exc_info=error)
        else:
            self._keys = keys
            self._fetched_at = monotonic()
            self._answered = True


def _download(url: str) -> bytes:
    with _opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
        content: bytes = answer.read(LARGEST_SET)
    return content


def _read_keys(jwks: dict[str, Any]) -> dict[str, EllipticCurvePublicKey]:
    """Read the P-256 signature keys of a JWK set; others are not for us and are passed over (RFC 7517, 5)."""
    keys: dict[str, EllipticCurvePublicKey] = {}
    for jwk in jwks["keys"]:
        wanted = {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256"}
        if "kid" not in jwk or any(jwk.get(name, value) != value for name, value in wanted.items()):
            continue
        try:
            read = ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")})
            keys[str(jwk["kid"])] = read.public_key
        except (JoseError, ValueError, KeyError) as error:
            _log.warning("signing_key_unreadable", exc_info=error)
    return keys
