"""What the processes of feedback are told."""

from webapi.sealing import SealingSettings


class Settings(SealingSettings):
    """The settings of feedback: those of every service that seals."""
