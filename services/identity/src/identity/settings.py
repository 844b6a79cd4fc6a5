"""What identity's processes are told beside what every service is told."""

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic.functional_validators import AfterValidator

from database import KeyRing
from webapi import ServiceSettings


def _ring(setting: SecretStr) -> SecretStr:
    KeyRing.parse(setting.get_secret_value())
    return setting


class Settings(ServiceSettings):
    """The settings of identity."""

    sealing_key: Annotated[SecretStr, AfterValidator(_ring)] = Field(
        description="keys that seal the signing keys, `number:base64 of 32 bytes` separated by commas"
    )
    bootstrap_password: SecretStr | None = Field(
        None, min_length=8, max_length=128, description="first password of `administrator`, 8 to 128 characters"
    )
    password_threads: int = Field(2, ge=1, le=64, description="passwords hashed at the same time, 64 MiB each")

    @field_validator("issuer")
    @classmethod
    def _https_or_loopback(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
            raise ValueError("passwords and tokens need https; http is for loopback addresses alone")
        return issuer


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
