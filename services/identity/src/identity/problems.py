"""How every refusal of identity looks over HTTP, by feature."""

from identity.account_lists.problems import PROBLEMS as ACCOUNT_LISTS
from identity.accounts.problems import PROBLEMS as ACCOUNTS
from identity.assistance.problems import PROBLEMS as ASSISTANCE
from identity.challenges.problems import PROBLEMS as CHALLENGES
from identity.clients.problems import PROBLEMS as CLIENTS
from identity.confirmation.problems import PROBLEMS as CONFIRMATION
from identity.credentials.problems import PROBLEMS as CREDENTIALS
from identity.deactivation.problems import PROBLEMS as DEACTIVATION
from identity.factors.problems import PROBLEMS as FACTORS
from identity.oauth.problems import PROBLEMS as OAUTH
from identity.phone_replacement.problems import PROBLEMS as PHONE_REPLACEMENT
from identity.privacy.problems import PROBLEMS as PRIVACY
from identity.purposes.problems import PROBLEMS as PURPOSES
from identity.recovery.problems import PROBLEMS as RECOVERY
from identity.roles.problems import PROBLEMS as ROLES
from identity.sessions.problems import PROBLEMS as SESSIONS
from identity.throttling.problems import PROBLEMS as THROTTLING

PROBLEMS = (
    THROTTLING,
    CREDENTIALS,
    ACCOUNTS,
    ACCOUNT_LISTS,
    ROLES,
    CLIENTS,
    FACTORS,
    PURPOSES,
    SESSIONS,
    CHALLENGES,
    OAUTH,
    ASSISTANCE,
    RECOVERY,
    PHONE_REPLACEMENT,
    PRIVACY,
    DEACTIVATION,
    CONFIRMATION,
)
