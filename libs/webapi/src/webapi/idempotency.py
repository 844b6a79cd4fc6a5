"""The Idempotency-Key rule: a command sent twice takes effect once, and the second sending gets the first's answer."""

import asyncio
import hmac
from datetime import timedelta
from typing import Any, Final
from weakref import WeakValueDictionary

import asyncpg
from starlette.responses import Response

from database import Database, SealBroken, count_of, raw, seal, unseal
from webapi.authentication import Principal
from webapi.problems import KEY_INVALID, KEY_REUSED, UNAVAILABLE, Refusal

LONGEST_KEY: Final = 200
KEPT_FOR: Final = timedelta(hours=48)
BODY_HASH: Final = "webapi.body_hash"  # where an idempotent request's scope holds the running hash of its body
_BINDING: Final = b"idempotency_key|body"

_CLAIM: Final = """
    insert into idempotency_key (person_id, client_id, key_hash, operation, request_hash)
    values ($1, $2, $3, $4, $5) on conflict do nothing
"""
_FIND: Final = """
    select request_hash, status, location, body from idempotency_key
    where person_id = $1 and client_id = $2 and key_hash = $3
"""
_KEEP: Final = """
    update idempotency_key set status = $4, location = $5, body = $6
    where person_id = $1 and client_id = $2 and key_hash = $3
"""
_RELEASE: Final = "delete from idempotency_key where person_id = $1 and client_id = $2 and key_hash = $3"
_PURGE: Final = """
    delete from idempotency_key where ctid = any(array(
        select ctid from idempotency_key where created_at < now() - $1::interval limit 10000))
"""


class AlreadyAnswered(Exception):
    """The command was carried out before; `response` is its answer of then."""

    def __init__(self, response: Response) -> None:
        super().__init__("already answered")
        self.response = response


def has_key(headers: list[tuple[bytes, bytes]]) -> bool:
    """Say whether a request carries an Idempotency-Key."""
    return any(name == b"idempotency-key" for name, _ in headers)


def read_key(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    """Give the Idempotency-Key of a request, or None; raises the 422 problem unless it is 1 to 200 printable ASCII."""
    for name, value in headers:
        if name == b"idempotency-key":
            if not 0 < len(value) <= LONGEST_KEY or not value.isascii() or not value.decode("ascii").isprintable():
                raise Refusal(KEY_INVALID)
            return value
    return None


# Repetitions within one process wait here, so that they do not hold the pool's connections while they wait.
_turns: Final[WeakValueDictionary[bytes, asyncio.Lock]] = WeakValueDictionary()


class Claim:
    """One sending of a command under an Idempotency-Key, inside the command's transaction and within its `turn`."""

    def __init__(self, key: bytes, principal: Principal, operation: str, request: bytes) -> None:
        self._operation = operation
        owner = principal.person_id.bytes + principal.client_id.encode()
        self._row = (principal.person_id, principal.client_id, hmac.digest(key, b"row|" + owner, "sha256"))
        self._seal_key = hmac.digest(key, b"seal|" + owner, "sha256")
        self._request_hash = hmac.digest(key, b"request|" + request, "sha256")
        self._answered = False
        self.turn = _turns.setdefault(self._row[2], asyncio.Lock())

    async def take(self, connection: asyncpg.Connection) -> None:
        """Claim the key for this transaction, waiting while another transaction holds it.

        Raises `AlreadyAnswered` with the stored answer, or the 422 problem when the key belongs to another request.
        """
        if count_of(await connection.execute(_CLAIM, *self._row, self._operation, self._request_hash)):
            return
        row = await connection.fetchrow(_FIND, *self._row)
        if row is None:  # its time ran out between the two statements
            raise Refusal(UNAVAILABLE)
        if not hmac.compare_digest(row["request_hash"], self._request_hash):
            raise Refusal(KEY_REUSED)
        raise AlreadyAnswered(self._stored(row))

    async def keep(self, connection: asyncpg.Connection, status: int, location: str | None, body: bytes) -> None:
        """Store the answer; it becomes visible with the command's own effects."""
        sealed = seal(self._seal_key, body, binding=_BINDING)
        await connection.execute(_KEEP, *self._row, status, location, sealed)
        self._answered = True

    async def release(self, connection: asyncpg.Connection) -> None:
        """Give the key back: the same request may be tried again under it."""
        await connection.execute(_RELEASE, *self._row)

    def require_answer(self) -> None:
        """Raise, so that the transaction rolls back, when nothing was kept: a repetition would find no answer."""
        if not self._answered:
            raise RuntimeError("a command responds inside its transaction")

    def _stored(self, row: Any) -> Response:
        try:
            body = unseal(self._seal_key, row["body"], binding=_BINDING)
        except SealBroken as error:
            raise Refusal(KEY_REUSED) from error
        return answer(body, row["status"], row["location"], replayed=True)


def answer(body: bytes, status: int, location: str | None = None, *, replayed: bool = False) -> Response:
    """Make the JSON answer of a command."""
    headers = {"location": location} if location is not None else {}
    if replayed:
        headers["idempotency-replayed"] = "true"
    return Response(body, status, headers, "application/json" if body else None)


async def purge_idempotency_keys(database: Database) -> None:
    """Delete answers older than 48 hours, in steps of 10,000; a service runs it as a periodic job."""
    while True:
        async with database.transaction() as session:
            connection = await raw(session)
            deleted = count_of(await connection.execute(_PURGE, KEPT_FOR))
        if not deleted:
            return
