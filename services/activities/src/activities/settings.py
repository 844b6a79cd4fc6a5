"""What the processes of activities are told."""

from webapi import ServiceSettings


class Settings(ServiceSettings):
    """The settings of activities: those of every service."""
