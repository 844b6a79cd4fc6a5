"""What passwords cost, off the event loop: few threads, a short queue, and the same work for nobody's account."""

import asyncio
import os
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from identity.credentials.rules import PASSWORD_LENGTH, PasswordUnchanged, normalised_password, require_password

T = TypeVar("T")


def hasher(memory_mib: int) -> PasswordHasher:
    """Give the argon2id of three passes over so much memory, on one lane: a sign-in never takes all of the cores.

    Twelve MiB are the least that OWASP's cheat sheet on storing passwords takes for as good as its other choices.
    """
    return PasswordHasher(time_cost=3, memory_cost=memory_mib * 1024, parallelism=1)


HASHER = hasher(64)
"""RFC 9106's memory-constrained choice but for the lanes."""


MOST_OF_ONE: Final = 4
"""New passwords that one person may be choosing at a time: who sends many takes no more places from others."""


class TooManySignIns(Exception):
    """More passwords wait to be checked than can be answered in a time people accept."""


class Verdict(NamedTuple):
    """Whether the password is right, and its new encoding when the stored one is weaker than today's."""

    matches: bool
    rehashed: str | None = None


class Passwords:
    """Hashes and verifies passwords on `threads` threads of low priority, each with the memory that its hasher takes.

    Another thread estimates how soon a new one would be guessed.

    At most `waiting` callers queue, fewer than the gateway has connections to one identity, and at most a quarter of
    all places are `at` one address; one more raises `TooManySignIns`. Close it when the process ends.
    """

    def __init__(self, *, threads: int = 2, waiting: int = 46, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or HASHER
        self._hashing = ThreadPoolExecutor(threads, thread_name_prefix="argon2", initializer=_yield_to_the_event_loop)
        # One thread, because zxcvbn keeps the words of whom it is asked about in a global; of common priority, because
        # it is Python, and whoever has the interpreter and waits for a processor lets the event loop wait as well.
        self._estimating = ThreadPoolExecutor(1, thread_name_prefix="estimate")
        self._places = threads + waiting
        self._taken = 0
        self._of_one_address = max(1, self._places // 4)
        self._checked_at: Counter[str] = Counter()
        self._choosing: Counter[UUID] = Counter()
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    async def choose(
        self, by: UUID, typed: str, *, username: str | None, also: Iterable[str] = (), instead_of: str | None = None
    ) -> str:
        """Give the encoding of a new password that will do, which somebody chooses for themselves or another.

        No guess is counted before this work, so it is bounded for whoever asks for it. Raises what `require` does,
        `PasswordUnchanged` when it is that of the encoding `instead_of`, and `TooManySignIns`.
        """
        with _share(self._choosing, by, MOST_OF_ONE):
            password = await self.require(typed, username=username, also=also)
            if instead_of is not None and (await self.verify(instead_of, password)).matches:
                raise PasswordUnchanged
            return await self.hash(password)

    async def hash(self, password: str) -> str:
        """Encode a new password (argon2id, random salt). Raises `TooManySignIns`."""
        return await self._run(self._hashing, self._hasher.hash, normalised_password(password))

    async def verify(self, encoded: str | None, password: str, *, at: str | None = None) -> Verdict:
        """Check `password` against its stored encoding; `at` is the address that asks, where nobody is known yet.

        None (nobody has that name, or no password) costs the same and never matches. So does what is too long for a
        password: to normalise and to hash it would take as long as it likes. Raises `TooManySignIns`.
        """
        longest = PASSWORD_LENGTH[1]
        if len(password) > longest:
            encoded = None
        with _share(self._checked_at, at, self._of_one_address) if at is not None else nullcontext():
            return await self._run(self._hashing, self._verify, encoded, normalised_password(password[:longest]))

    async def require(self, password: str, *, username: str | None, also: Iterable[str] = ()) -> str:
        """Give the password as `require_password` does, and raise what it raises, or `TooManySignIns`."""
        return await self._run(self._estimating, partial(require_password, password, username=username, also=also))

    def close(self) -> None:
        """End the threads; what waits is dropped."""
        for pool in (self._hashing, self._estimating):
            pool.shutdown(wait=True, cancel_futures=True)

    async def _run(self, pool: ThreadPoolExecutor, work: Callable[..., T], *arguments: object) -> T:
        if self._taken >= self._places:
            raise TooManySignIns
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)
        finally:
            self._taken -= 1

    def _verify(self, encoded: str | None, password: str) -> Verdict:
        try:
            self._hasher.verify(encoded or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return Verdict(matches=False)
        if encoded is None:
            return Verdict(matches=False)
        weak = self._hasher.check_needs_rehash(encoded)
        return Verdict(matches=True, rehashed=self._hasher.hash(password) if weak else None)


@contextmanager
def _share(taken: Counter[T], whose: T, most: int) -> Iterator[None]:
    """Take a place of somebody's share for the block; raises `TooManySignIns` where all are taken."""
    if taken[whose] >= most:
        raise TooManySignIns
    taken[whose] += 1
    try:
        yield
    finally:
        taken[whose] -= 1
        if not taken[whose]:
            del taken[whose]


def _yield_to_the_event_loop() -> None:
    """Let everything else of this process go first; on Linux niceness belongs to the thread.

    Five is a third of what others get: with ten, a tenth, nobody could sign in on a machine that was overloaded.
    """
    if hasattr(os, "setpriority"):
        # Five more than now, not five: a process that is nicer than that already may not go back.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(19, os.getpriority(os.PRIO_PROCESS, 0) + 5))
