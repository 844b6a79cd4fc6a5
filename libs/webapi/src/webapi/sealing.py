"""A service that seals what it keeps of people: the setting of its keys, and their ring as a parameter of a route."""

from typing import Annotated

from fastapi import Depends
from pydantic import Field, SecretStr
from pydantic.functional_validators import AfterValidator
from starlette.requests import Request

from database import KeyRing
from webapi.settings import ServiceSettings


def checked_ring(setting: SecretStr) -> SecretStr:
    """Give a setting that holds a key ring. Raises `ValueError` for one that does not."""
    KeyRing.parse(setting.get_secret_value())
    return setting


class SealingSettings(ServiceSettings):
    """The settings of a service that seals."""

    sealing_key: Annotated[SecretStr, AfterValidator(checked_ring)] = Field(
        description="keys that seal what is kept of people, `number:base64 of 32 bytes` separated by commas"
    )

    @property
    def ring(self) -> KeyRing:
        """The keys."""
        return KeyRing.parse(self.sealing_key.get_secret_value())


def ring_of(settings: ServiceSettings) -> KeyRing | None:
    """Give the keys of a service that seals, None for one that does not."""
    return settings.ring if isinstance(settings, SealingSettings) else None


async def _ring(request: Request) -> KeyRing:
    ring: KeyRing = request.app.ring
    return ring


Ring = Annotated[KeyRing, Depends(_ring)]
"""The service's keys, as a parameter of a route: `ring: Ring`."""
