"""All tables of identity in one place, for its Alembic history."""

from identity.accounts.tables import Account, Credential, Identifier
from identity.assistance.tables import AssistedSession
from identity.challenges.tables import Challenge
from identity.clients.tables import ClientProposal
from identity.devices.tables import DeviceCode
from identity.factors.passkeys.tables import Passkey, PasskeyCeremony
from identity.factors.totp.tables import RecoveryCode, Totp
from identity.factors.wechat.tables import FederatedIdentity, WechatVisit
from identity.messages.tables import MessageToSend
from identity.oauth.tables import (
    AuthorizationCode,
    Client,
    ClientConsent,
    RefreshToken,
    RevokedClientToken,
    TokenFamily,
    UsedAssertion,
)
from identity.phone_replacement.tables import PhoneReplacement
from identity.privacy.tables import Consent, Erasure, ExportRequest, LegalHold
from identity.recovery.tables import Recovery, RecoveryApproval
from identity.roles.tables import Administrator, RoleAssignment, RoleDefinition
from identity.sign_in.tables import BrowserSession
from identity.signing.tables import SigningKey
from identity.throttling.tables import GuessCount, KnownBrowser, RateCount

ALL = (
    Account,
    Identifier,
    Credential,
    RoleDefinition,
    Administrator,
    RoleAssignment,
    BrowserSession,
    Client,
    ClientConsent,
    AuthorizationCode,
    DeviceCode,
    TokenFamily,
    RefreshToken,
    SigningKey,
    ClientProposal,
    UsedAssertion,
    RevokedClientToken,
    MessageToSend,
    Challenge,
    RateCount,
    GuessCount,
    KnownBrowser,
    Recovery,
    RecoveryApproval,
    PhoneReplacement,
    Totp,
    RecoveryCode,
    Passkey,
    PasskeyCeremony,
    FederatedIdentity,
    WechatVisit,
    AssistedSession,
    Consent,
    ExportRequest,
    LegalHold,
    Erasure,
)
