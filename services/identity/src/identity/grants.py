"""Every grant there is: a new one is a file of its feature and a line here."""

from typing import Final

from identity.assistance.exchange import TokenExchangeGrant
from identity.devices.grants import DeviceGrant
from identity.oauth.grants import IdToken
from identity.oauth.server import GRANTS_OF_OAUTH, Grant

GRANTS: Final = (
    *GRANTS_OF_OAUTH,
    Grant(DeviceGrant, lambda provider: (IdToken(provider),)),
    Grant(TokenExchangeGrant),
)
