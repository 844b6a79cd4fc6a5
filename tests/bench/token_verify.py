"""[token-verify] and [token-known]: what a service pays for a token, the first time and every time after."""

import base64
import statistics
import time
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from contracts.identity import AuthorizationChangedV1, SessionRevokedV1
from database import new_id
from testkit.tokens import TokenIssuer
from tests.bench.results import Result
from tests.bench.stage import Stage
from webapi import Authenticator
from webapi.processes import freeze_startup_objects

TOKENS = 10_000
BLOCK = 100
REVOKED = 10_000
BRANCHES = 500


async def measure(stage: Stage) -> list[Result]:
    """Check many different tokens, in turn with their signatures alone, in a process set up as a service's is.

    Neither waits for anything, so what is measured is the time of the CPU, whatever else runs on the machine.
    """
    count = stage.of(TOKENS, BLOCK)
    with TokenIssuer() as issuer:
        branches = [new_id() for _ in range(BRANCHES)]
        tokens = [_token(issuer, branches[number % BRANCHES]) for number in range(count + 1)]
        bare = [_signature(token) for token in tokens]
        authenticator = Authenticator(issuer.jwks_url, issuer.issuer, issuer.audience)
        for _ in range(stage.of(REVOKED)):  # as after a busy ten minutes
            authenticator.revocations.take(SessionRevokedV1(session_id=new_id()))
            authenticator.revocations.take(AuthorizationChangedV1(person_id=new_id(), authorization_version=2))
        await authenticator.authenticate(tokens.pop())
        freeze_startup_objects()
        key, algorithm = issuer.key.public_key, ec.ECDSA(hashes.SHA256())
        times: list[tuple[float, float, float]] = []
        for start in range(0, count, BLOCK):
            block = tokens[start : start + BLOCK]
            began = time.thread_time()
            for signature, signed in bare[start : start + BLOCK]:
                key.verify(signature, signed, algorithm)
            verified = time.thread_time()
            for token in block:
                await authenticator.authenticate(token)
            checked = time.thread_time()
            for token in block:
                authenticator.known(token)
            times.append((verified - began, checked - verified, time.thread_time() - checked))
        await authenticator.close()
    least, first, again = (statistics.median(column) / BLOCK * 1e6 for column in zip(*times, strict=True))
    return [
        Result("token-verify", first, "µs", least, 1.3, "at_most", "first check of a token beside its ES256 signature"),
        Result("token-known", again, "µs", 5.0, 1.0, "at_most", "a token checked before; the ceiling is the bar"),
    ]


def _token(issuer: TokenIssuer, branch: UUID) -> str:
    return issuer.token(new_id(), [("branch_secretary", branch)])


def _signature(token: str) -> tuple[bytes, bytes]:
    """Give a token's signature as the cryptography library takes it, and what it signs."""
    signed, _, last = token.rpartition(".")
    raw = base64.urlsafe_b64decode(f"{last}==")
    return encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:])), signed.encode()
