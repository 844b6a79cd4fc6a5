"""The Idempotency-Key rule: a command sent twice takes effect once, and the second sending gets the first's answer."""

import asyncio
import hmac
from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID
from weakref import WeakValueDictionary

import asyncpg
from starlette.responses import Response
from starlette.types import Scope

from database import Database, SealBroken, count_of, raw, seal, unseal
from webapi.authentication import Principal
from webapi.problems import ANSWER_NOT_KEPT, KEY_INVALID, KEY_REUSED, NOT_FOR_READS, UNAVAILABLE, Refusal
from webapi.scopes import READING

LONGEST_KEY: Final = 200
KEPT_FOR: Final = timedelta(hours=48)
MOST_ANSWERS: Final = 1000
"""How many answers are kept for one person; with the next one, the oldest go."""
MOST_BYTES: Final = 4 * 1024 * 1024
"""How large all answers may be that are kept for one person."""
LARGEST_ANSWER: Final = 256 * 1024
"""A larger answer is not kept: that it was given is, so that its command takes no effect twice."""
BODY_HASH: Final = "webapi.body_hash"  # where an idempotent request's scope holds the running hash of its body
_BINDING: Final = b"idempotency_key|relied on|body"

_CLAIM: Final = """
    insert into idempotency_key (person_id, client_id, key_hash, operation, request_hash)
    values ($1, $2, $3, $4, $5) on conflict do nothing
"""
_FIND: Final = """
    select request_hash, status, location, body from idempotency_key
    where person_id = $1 and client_id = $2 and key_hash = $3
"""
# From here to the commit the commands of one person take turns: each sees what the one before it has kept.
_KEEP: Final = """
    update idempotency_key set status = $4, location = $5, body = $6
    from (select pg_advisory_xact_lock(hashtextextended('answers of ' || $1::uuid::text, 0))) as turn
    where person_id = $1 and client_id = $2 and key_hash = $3
"""
_LET_GO: Final = """
    with kept as (
        select ctid, row_number() over newest as nth, sum(octet_length(body)) over newest as bytes
        from idempotency_key where person_id = $1
        window newest as (order by key_hash = $2 desc, created_at desc rows unbounded preceding)
    )
    delete from idempotency_key where ctid = any(array(
        select ctid from idempotency_key
        where ctid = any(array(select ctid from kept where nth > $3 or bytes > $4)) for update skip locked))
"""
_RELEASE: Final = "delete from idempotency_key where person_id = $1 and client_id = $2 and key_hash = $3"
_FORGET: Final = "delete from idempotency_key where person_id = any($1::uuid[])"
_PURGE: Final = """
    delete from idempotency_key where ctid = any(array(
        select ctid from idempotency_key where created_at < now() - $1::interval limit 10000))
"""


class AlreadyAnswered(Exception):
    """The command was carried out before; `response` is its answer of then."""

    def __init__(self, response: Response) -> None:
        super().__init__("already answered")
        self.response = response


class Kept(NamedTuple):
    """The answer of a command that was carried out before; None for one that is not kept.

    `relied_on` are the permissions by which it was, each with an organisation on which it was held.
    """

    relied_on: frozenset[tuple[str, UUID]]
    response: Response | None

    def again(self) -> Exception:
        """Give what answers the repetition: the answer, or the 409 problem."""
        return Refusal(ANSWER_NOT_KEPT) if self.response is None else AlreadyAnswered(self.response)


def refuse_key_on_read(scope: Scope) -> None:
    """Raise the 400 problem for a read with a key: what is read is decided and recorded each time."""
    if scope["method"] in READING and has_key(scope["headers"]):
        raise Refusal(NOT_FOR_READS)


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

    async def take(self, connection: asyncpg.Connection) -> Kept | None:
        """Claim the key for this transaction, waiting while another one holds it; give what an earlier sending left.

        Raises the 422 problem when the key belongs to another request.
        """
        if count_of(await connection.execute(_CLAIM, *self._row, self._operation, self._request_hash)):
            return None
        row = await connection.fetchrow(_FIND, *self._row)
        if row is None:  # its time ran out between the two statements
            raise Refusal(UNAVAILABLE)
        if not hmac.compare_digest(row["request_hash"], self._request_hash):
            raise Refusal(KEY_REUSED)
        return self._kept(row)

    async def keep(
        self,
        connection: asyncpg.Connection,
        status: int,
        location: str | None,
        body: bytes,
        *,
        etag: str | None,
        relied_on: Collection[tuple[str, UUID]],
        shown_once: bool,
    ) -> None:
        """Store the answer; it becomes visible with the command's own effects.

        Of one that is `shown_once` or too large nothing is kept but that it was given.
        """
        told = ",".join(sorted(f"{permission} {place}" for permission, place in relied_on))
        kept = not shown_once and len(body) <= LARGEST_ANSWER
        head = f"{told}\t{etag}\n" if kept and etag is not None else f"{told}\n"
        sealed = seal(self._seal_key, head.encode() + (body if kept else b""), binding=_BINDING)
        row = (*self._row, status if kept else None, location if kept else None, sealed)
        await connection.execute(_KEEP, *row)
        await connection.execute(_LET_GO, self._row[0], self._row[2], MOST_ANSWERS, MOST_BYTES)
        self._answered = True

    async def release(self, connection: asyncpg.Connection) -> None:
        """Give the key back: the same request may be tried again under it."""
        await connection.execute(_RELEASE, *self._row)

    def require_answer(self) -> None:
        """Raise, so that the transaction rolls back, when nothing was kept: a repetition would find no answer."""
        if not self._answered:
            raise RuntimeError("a command responds inside its transaction")

    def _kept(self, row: Any) -> Kept:
        try:
            head, _, body = unseal(self._seal_key, row["body"], binding=_BINDING).partition(b"\n")
        except SealBroken as error:
            raise Refusal(KEY_REUSED) from error
        told, _, etag = head.decode().partition("\t")
        pairs = (each.split(" ") for each in told.split(",") if each)
        relied_on = frozenset((permission, UUID(place)) for permission, place in pairs)
        if row["status"] is None:
            return Kept(relied_on, None)
        return Kept(relied_on, answer(body, row["status"], row["location"], etag, replayed=True))


def answer(
    body: bytes,
    status: int,
    location: str | None = None,
    etag: str | None = None,
    *,
    replayed: bool = False,
    shown_once: bool = False,
) -> Response:
    """Make the JSON answer of a command; nobody on its way may compress one with a secret beside what was sent."""
    said = {
        "location": location,
        "etag": etag,
        "idempotency-replayed": "true" if replayed else None,
        "cache-control": "no-store, no-transform" if shown_once else None,
    }
    headers = {name: value for name, value in said.items() if value}
    return Response(body, status, headers, "application/json" if body else None)


async def forget_answers(connection: asyncpg.Connection, person_ids: Collection[UUID]) -> None:
    """Delete the answers that are kept for these people."""
    await connection.execute(_FORGET, list(person_ids))


async def purge_idempotency_keys(database: Database) -> None:
    """Delete answers older than 48 hours, in steps of 10,000; a service runs it as a periodic job."""
    while True:
        async with database.transaction() as session:
            connection = await raw(session)
            deleted = count_of(await connection.execute(_PURGE, KEPT_FOR))
        if not deleted:
            return
