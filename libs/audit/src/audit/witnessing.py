"""A service witnesses the audit of another: it signs and keeps what that tells, with a key which the other lacks."""

import logging
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession

from audit.verifying import Witnessed
from contracts.audit import AuditChainState
from database import KeyRing, associated, new_id, raw, utc_now
from messaging import Handler, Received

logger = logging.getLogger(__name__)

_KEY: Final = "select key_id, wrapped from audit.witness_key order by made_at desc, key_id limit 1"
_KEEP_KEY: Final = "insert into audit.witness_key (key_id, public_key, wrapped) values ($1, $2, $3)"
_LAST: Final = """
    select number, count from audit.witness where service = $1 and day = $2 order by number desc limit 1
"""
_KEEP: Final = """
    insert into audit.witness (service, day, number, count, head, root, witnessed_at, key_id, signature, event_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing
"""


def private_key(ring: KeyRing, key_id: str, wrapped: bytes) -> Ed25519PrivateKey:
    """Open a witness's key. Raises `SealBroken` for one that was not wrapped under this ring."""
    return Ed25519PrivateKey.from_private_bytes(
        ring.unwrap(wrapped, binding=associated("witness_key", "wrapped", key_id))
    )


class _Signer(NamedTuple):
    key_id: str
    key: Ed25519PrivateKey


class Witness:
    """Witnesses what some services publish of their audit; `ring` is given before the first event comes."""

    def __init__(self, *told_by: type[AuditChainState]) -> None:
        self.ring: KeyRing | None = None
        self.handlers: dict[type[Any], Handler] = dict.fromkeys(told_by, self._witness)
        self._signer: _Signer | None = None

    async def _witness(self, session: AsyncSession, batch: Sequence[Received[AuditChainState]]) -> None:
        """Sign and keep what was told; the same event once, another of the same number too.

        What is told shorter than before is kept as evidence, and said aloud.
        """
        connection = await raw(session)
        signer = self._signer or await self._open(connection)
        for received in batch:
            event, service = received.event, received.event.publisher()
            last = await connection.fetchrow(_LAST, service, event.day)
            if last is not None and (received.version <= last["number"] or event.count < last["count"]):
                logger.error("audit_chain_went_back", extra={"service": service, "version": received.version})
            unsigned = Witnessed(
                service=service,
                day=event.day,
                number=received.version,
                size=event.count,
                head=bytes.fromhex(event.head),
                root=bytes.fromhex(event.root),
                witnessed_at=utc_now(),
                key_id=signer.key_id,
                signature=b"",
            )
            signed = unsigned._replace(signature=signer.key.sign(unsigned.statement()))
            await connection.execute(_KEEP, *signed, received.event_id)

    async def _open(self, connection: asyncpg.Connection) -> _Signer:
        """Open the key, which is made at the first use; it is remembered once a transaction found it there."""
        if self.ring is None:
            raise RuntimeError("the witness was given no key ring")
        row = await connection.fetchrow(_KEY)
        if row is not None:
            self._signer = _Signer(row["key_id"], private_key(self.ring, row["key_id"], row["wrapped"]))
            return self._signer
        made = _Signer(str(new_id()), Ed25519PrivateKey.generate())
        wrapped = self.ring.wrap(
            made.key.private_bytes_raw(), binding=associated("witness_key", "wrapped", made.key_id)
        )
        await connection.execute(_KEEP_KEY, made.key_id, made.key.public_key().public_bytes_raw(), wrapped)
        return made
