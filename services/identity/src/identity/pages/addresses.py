"""Where the pages of the sign-in stand, and how one leads on to another."""

from typing import Final
from urllib.parse import urlencode

from identity.pages.requests import Parameters

SIGN_IN: Final = "/sign-in"
CONSENT: Final = "/oauth2/consent"
BY_CODE: Final = "/sign-in/code"
CODE: Final = "/sign-in/code/answer"
RECOVERY: Final = "/sign-in/recovery"

SECOND_FACTOR: Final = "/sign-in/second-factor"
NEW_PASSWORD: Final = "/sign-in/new-password"  # noqa: S105 - a page's address
FILE_PHONE: Final = "/sign-in/phone-on-file"
OWN_ACCOUNT: Final = "/sign-in/own-account"
OWN_ACCOUNT_CODE: Final = "/sign-in/own-account/code"
OWN_ACCOUNT_PASSWORD: Final = "/sign-in/own-account/password"  # noqa: S105 - a page's address
OWN_ACCOUNT_RECOVERY: Final = "/sign-in/own-account/recovery"
PASSKEY: Final = "/sign-in/passkey"
PASSKEY_SCRIPT: Final = "/sign-in/passkey.js"
WECHAT: Final = "/sign-in/wechat"
WECHAT_START: Final = "/sign-in/wechat/start"
SECURITY: Final = "/sign-in/security"
SECURITY_TOTP: Final = "/sign-in/security/totp"
SECURITY_PASSKEY: Final = "/sign-in/security/passkey"


def page_address(page: str, parameters: Parameters) -> str:
    """Give the address of a page of the sign-in that goes on with this request."""
    return f"{page}?{urlencode(parameters)}" if parameters else page
