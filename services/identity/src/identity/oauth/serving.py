"""The provider of one request, with every grant there is: a new one is its own file and a line here."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from identity.assistance.exchange import TokenExchangeGrant
from identity.devices.grants import DeviceGrant
from identity.oauth.client_credentials import ClientCredentialsGrant
from identity.oauth.grants import CodeGrant, IdToken, RefreshGrant, S256Challenge
from identity.oauth.provider import Provider
from identity.parts import Place
from identity.signing.keys import Signer


class Registered(NamedTuple):
    """A grant of authlib's kind, and what makes its extensions for the provider of a request."""

    grant: type[Any]
    extensions: Callable[[Provider], Sequence[Any]] = lambda _: ()


GRANTS: tuple[Registered, ...] = (
    Registered(CodeGrant, lambda provider: (S256Challenge(required=True), IdToken(provider))),
    Registered(RefreshGrant),
    Registered(ClientCredentialsGrant),
    Registered(DeviceGrant, lambda provider: (IdToken(provider),)),
    Registered(TokenExchangeGrant),
)
GRANT_TYPES: tuple[str, ...] = tuple(registered.grant.GRANT_TYPE for registered in GRANTS)


def provider_with_grants(session: Session, *, place: Place, signer: Signer, now: datetime) -> Provider:
    """Make the provider of one request, with every grant there is."""
    provider = Provider(session, place=place, signer=signer, now=now)
    for registered in GRANTS:
        provider.register_grant(registered.grant, list(registered.extensions(provider)))
    return provider
