"""What the processes of learning are told."""

from webapi import ServiceSettings


class Settings(ServiceSettings):
    """The settings of learning: those of every service."""
