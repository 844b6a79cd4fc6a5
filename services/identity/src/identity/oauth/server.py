"""The grants of OAuth itself, and the provider of one request with those grants that it is given."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from identity.oauth.client_credentials import ClientCredentialsGrant
from identity.oauth.grants import CodeGrant, IdToken, RefreshGrant, S256Challenge
from identity.oauth.provider import Provider
from identity.shared import IdentityShared

T = TypeVar("T")


class Grant(NamedTuple):
    """A grant of authlib's kind, and what makes its extensions for the provider of a request."""

    kind: type[Any]
    extensions: Callable[[Provider], Sequence[Any]] = lambda _: ()


CODE: Final = Grant(CodeGrant, lambda provider: (S256Challenge(required=True), IdToken(provider)))
GRANTS_OF_OAUTH: Final = (CODE, Grant(RefreshGrant), Grant(ClientCredentialsGrant))


async def with_provider(
    shared: IdentityShared,
    session: AsyncSession,
    act: Callable[[Provider], T],
    *,
    grants: Sequence[Grant] = (),
    now: datetime,
) -> T:
    """Let `act` work with the provider of one request, which knows these grants, inside `session`."""
    signer = await shared.keys.signer(session)

    def run(sync: Session) -> T:
        provider = Provider(sync, ring=shared.ring, parties=shared.parties, signer=signer, now=now)
        for grant in grants:
            provider.register_grant(grant.kind, list(grant.extensions(provider)))
        return act(provider)

    return await session.run_sync(run)
