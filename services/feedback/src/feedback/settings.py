"""What the processes of feedback are told."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic.functional_validators import AfterValidator

from database import KeyRing
from webapi import ServiceSettings


def _key_ring(setting: SecretStr) -> SecretStr:
    KeyRing.parse(setting.get_secret_value())
    return setting


class Settings(ServiceSettings):
    """The settings of feedback."""

    sealing_key: Annotated[SecretStr, AfterValidator(_key_ring)] = Field(
        description="keys that seal what people say, `number:base64 of 32 bytes` separated by commas"
    )
