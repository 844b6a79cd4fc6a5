"""Settings of members."""

from typing import Annotated

from pydantic import AfterValidator, Field

from database import KeyRing
from webapi import ServiceSettings


def _key_ring(text: str) -> str:
    KeyRing.parse(text)
    return text


class Settings(ServiceSettings):
    """What every service is told, and the keys that seal member files."""

    sealing_key: Annotated[str, AfterValidator(_key_ring)] = Field(
        repr=False,
        description="the keys that seal member files: number:base64 of 32 bytes, several separated by commas",
    )

    @property
    def key_ring(self) -> KeyRing:
        """The keys that seal member files."""
        return KeyRing.parse(self.sealing_key)
