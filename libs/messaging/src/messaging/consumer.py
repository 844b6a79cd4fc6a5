"""A consumer: which events a service reads, under which name, and who handles them."""

from collections.abc import Mapping

from contracts import Event
from messaging import streams
from messaging.connection import NatsConnection
from messaging.pulling import Puller
from messaging.received import Handler, Reader


class Consumer:
    """The handlers of one reader, by event type; `name` is the service's, or `<service>-<projection>`.

    It reads the streams of the services that publish its event types, with one durable consumer in each. The name is
    also its inbox space: under a new name everything in the streams is new.
    """

    def __init__(self, name: str, *, handlers: Mapping[type[Event], Handler]) -> None:
        if not handlers:
            raise ValueError(f"consumer {name} has no handlers")
        self.name = name
        self.handlers = dict(handlers)
        self.handlers_by_type = {event_type.type: handler for event_type, handler in handlers.items()}
        self.filters = streams.filters_of(handlers)
        self.reader = Reader(self.handlers)

    def puller(self, nats: NatsConnection, service: str, *, durable: str) -> Puller:
        """Give what reads the stream of `service` for it, by the durable consumer of this name."""
        stream, subjects = streams.stream_name(service), self.filters[service]
        return Puller(nats, self.reader, stream=stream, durable=durable, subjects=subjects)
