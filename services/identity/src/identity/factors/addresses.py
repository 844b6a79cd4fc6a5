"""Where the pages of second factors, passkeys and linked accounts stand."""

from typing import Final

SECOND_FACTOR: Final = "/sign-in/second-factor"
NEW_PASSWORD: Final = "/sign-in/new-password"  # noqa: S105 - a page's address
PASSKEY: Final = "/sign-in/passkey"
PASSKEY_SCRIPT: Final = "/sign-in/passkey.js"
WECHAT: Final = "/sign-in/wechat"
WECHAT_START: Final = "/sign-in/wechat/start"
SECURITY: Final = "/sign-in/security"
SECURITY_TOTP: Final = "/sign-in/security/totp"
SECURITY_PASSKEY: Final = "/sign-in/security/passkey"
