"""What the routes of identity share for as long as the process lives."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from database import Database
from identity.accounts.passwords import Passwords
from identity.oauth.keys import SigningKeys
from identity.oauth.provider import Place


@dataclass(frozen=True, slots=True)
class IdentityParts:
    """The database, the keys that sign, the threads that hash passwords, and where the provider stands."""

    database: Database
    keys: SigningKeys
    passwords: Passwords
    place: Place

    @property
    def secure(self) -> bool:
        """Say whether browsers reach the provider by https, so that cookies may demand it."""
        return self.place.issuer.startswith("https:")


async def _of_application(request: Request) -> IdentityParts:
    parts: IdentityParts = request.app.state.identity
    return parts


Parts = Annotated[IdentityParts, Depends(_of_application)]
"""The parts, as a parameter of a route."""
