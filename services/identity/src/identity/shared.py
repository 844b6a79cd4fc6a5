"""What the routes of identity share for as long as the process lives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, NamedTuple, Protocol
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from database import Database, KeyRing
from identity.credentials.passwords import Passwords
from identity.signing.keys import SigningKeys
from identity.throttling.addresses import Network, client_address_of
from identity.wechat import Wechat
from webapi import Authenticator


class TokenParties(NamedTuple):
    """Where the provider stands: its issuer, and the audience its access tokens are for."""

    issuer: str
    audience: str


class WayIn(NamedTuple):
    """A way in: the key of the text on its button, and the page it leads to."""

    text: str
    page: str


class Lapse(Protocol):
    """Ends what one feature has under way for an account, as the account goes out of use or changes its phone."""

    async def __call__(self, session: AsyncSession, ring: KeyRing, account_id: UUID, *, now: datetime) -> None:
        """End what there is; nothing may be."""


@dataclass(frozen=True, slots=True)
class IdentityShared:
    """The database, the keys that seal and sign, the threads that hash passwords, and where the provider stands.

    `phone_ring` is the key that members has as well, of which codes to phones on member files are made.
    `proxies` are the networks from which the gateway speaks; `codes_per_address` how many one-time codes one address
    may ask for in an hour, and `failures_per_address` how many failed sign-ins from it cost nobody there a wait.
    `sign_in` takes tokens that are for the provider alone, beside those for all services. `ways_in` are what the
    sign-in page offers below the password, in its order; `lapses` end what waits for an account that goes out of use.
    """

    database: Database
    keys: SigningKeys
    passwords: Passwords
    parties: TokenParties
    ring: KeyRing
    phone_ring: KeyRing
    proxies: tuple[Network, ...]
    codes_per_address: int
    failures_per_address: int
    sign_in: Authenticator
    ways_in: Sequence[WayIn]
    lapses: Sequence[Lapse]
    wechat: Wechat | None

    def client_address(self, request: Request) -> str:
        """Give the address (IPv4, or IPv6 /64) that a request comes from, as the gateway says it."""
        return client_address_of(request, self.proxies)

    @property
    def secure(self) -> bool:
        """Say whether browsers reach the provider by https, so that cookies may demand it."""
        return self.parties.issuer.startswith("https:")


async def _of_application(request: Request) -> IdentityShared:
    shared: IdentityShared = request.app.state.identity
    return shared


Shared = Annotated[IdentityShared, Depends(_of_application)]
"""What they share, as a parameter of a route."""
