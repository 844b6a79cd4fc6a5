"""What the processes of members are told."""

from webapi.sealing import SealingSettings


class Settings(SealingSettings):
    """The settings of members: those of every service that seals."""
