"""The events that services publish, and the envelope they travel in."""

from contracts import activities, feedback, gateway, identity, learning, members
from contracts.envelope import EVENT_TYPES, Code, Envelope, Event, Origin, handlers_of
from contracts.scopes import SERVICES

__all__ = [
    "EVENT_TYPES",
    "SERVICES",
    "Code",
    "Envelope",
    "Event",
    "Origin",
    "activities",
    "feedback",
    "gateway",
    "handlers_of",
    "identity",
    "learning",
    "members",
]
