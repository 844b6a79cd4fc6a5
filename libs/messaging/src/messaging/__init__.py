"""Events between services: PostgreSQL to NATS JetStream and back, nothing lost and nothing done twice."""

from messaging import migrations
from messaging.connection import NatsConnection, connect
from messaging.consumer import Consumer
from messaging.outbox import EventTooLarge, Publication, append, origin, republish
from messaging.parked import discard, list_parked, resend
from messaging.parked_command import ParkedCommand
from messaging.rebuilding import RebuildReport, rebuild
from messaging.received import Handler, Received
from messaging.recovery_command import RecoveryCommand
from messaging.replaying import apply_again
from messaging.tail import Tail
from messaging.telling import Telling, Told
from messaging.versions import own_version
from messaging.worker import Worker

__all__ = [
    "Consumer",
    "EventTooLarge",
    "Handler",
    "NatsConnection",
    "ParkedCommand",
    "Publication",
    "RebuildReport",
    "Received",
    "RecoveryCommand",
    "Tail",
    "Telling",
    "Told",
    "Worker",
    "append",
    "apply_again",
    "connect",
    "discard",
    "list_parked",
    "migrations",
    "origin",
    "own_version",
    "rebuild",
    "republish",
    "resend",
]
