"""All tables of identity in one place, for its Alembic history."""

from identity.accounts.tables import Account, Credential, Identifier
from identity.oauth.tables import AuthorizationCode, Client, RefreshToken, SigningKey, TokenFamily
from identity.roles.tables import RoleAssignment, RoleDefinition
from identity.sign_in.tables import BrowserSession

ALL = (
    Account,
    Identifier,
    Credential,
    RoleDefinition,
    RoleAssignment,
    BrowserSession,
    Client,
    AuthorizationCode,
    TokenFamily,
    RefreshToken,
    SigningKey,
)
