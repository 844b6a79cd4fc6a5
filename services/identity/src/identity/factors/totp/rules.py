"""Codes of an authenticator app (RFC 6238: SHA-1, 6 digits, 30 s, what every app can do) and recovery codes."""

import base64
import hashlib
import secrets
from datetime import datetime
from hmac import compare_digest
from typing import Final

import pyotp

STEP_SECONDS: Final = 30
WINDOW: Final = 1
"""Steps before and after the present one whose code is taken as well: phones' clocks are somewhat off."""
RECOVERY_CODES: Final = 10
RECOVERY_CODE_BYTES: Final = 10
ISSUER_SHOWN: Final = "乡桥 Xiangqiao"


def new_secret() -> str:
    """Make a shared secret: 160 random bits (RFC 4226, section 4) in base32."""
    return pyotp.random_base32()


def otpauth_uri(secret: str, account_name: str) -> str:
    """Give the secret in the form that authenticator apps read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account_name, issuer_name=ISSUER_SHOWN)


def step_of_code(secret: str, code: str, *, now: datetime, after: int | None) -> int | None:
    """Give the time step, later than `after`, whose code this is; None when it is the code of none near `now`."""
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdecimal()):
        return None
    present, app = int(now.timestamp()) // STEP_SECONDS, pyotp.TOTP(secret)
    near = range(present - WINDOW, present + WINDOW + 1)
    right = [step for step in near if compare_digest(app.generate_otp(step), typed)]
    return max((step for step in right if after is None or step > after), default=None)


def new_recovery_codes() -> list[str]:
    """Make recovery codes of 80 random bits, in groups that a person can copy from paper."""
    made = [base64.b32encode(secrets.token_bytes(RECOVERY_CODE_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in made]


def hash_of_recovery_code(code: str) -> bytes:
    """Give the form in which a recovery code is kept, the same for every way of typing it."""
    letters = "".join(character for character in code.lower() if character.isalnum())
    return hashlib.sha256(letters.replace("0", "o").replace("1", "l").replace("8", "b").encode()).digest()
