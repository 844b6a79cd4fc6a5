"""The envelope every event travels in: CloudEvents 1.0, JSON, structured mode.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md and its JSON event format.
"""

from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

TYPE_PREFIX = "xiangqiao"

EVENT_TYPES: dict[str, type["Event"]] = {}
"""Every published event class by its CloudEvents `type`; filled as the modules of this package are imported."""

CODE_PATTERN = r"^[A-Za-z0-9._-]+$"
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=CODE_PATTERN)]
"""A word of a list that its owner may lengthen (kind, status, role), so not all are known; no words of a person."""

MAX_VERSION: Final = 2**40 - 1
"""Of an aggregate; what orders its events over the restores of its owner is above it after the first of them."""

Version = Annotated[int, Field(ge=0, le=MAX_VERSION)]


class Event(BaseModel):
    """The data of one event: the aggregate's resulting public state, as ids, codes, dates and counts.

    A subclass that is published sets `type`, e.g. `xiangqiao.members.organisation.established.v1`, `aggregate`, and in
    `identified_by` the field that holds its aggregate's id. It never carries a personal field. Consumers ignore fields
    they do not know, so a version grows by optional fields alone; anything else is a new version beside the old.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]
    aggregate: ClassVar[str]
    identified_by: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Register a published event under its type, once."""
        super().__pydantic_init_subclass__(**kwargs)
        declared = cls.__dict__.get("type")
        if declared is None:
            return
        prefix, service, aggregate, *_, version = declared.split(".")
        if prefix != TYPE_PREFIX or aggregate != cls.aggregate or version[:1] != "v" or not version[1:].isdigit():
            message = f"{cls.__name__}: type {declared!r} is not {TYPE_PREFIX}.{service}.{cls.aggregate}.<what>.v<n>"
            raise TypeError(message)
        if declared in EVENT_TYPES:
            message = f"{cls.__name__}: type {declared!r} is taken by {EVENT_TYPES[declared].__name__}"
            raise TypeError(message)
        EVENT_TYPES[declared] = cls

    @property
    def aggregate_id(self) -> UUID:
        """The id of the aggregate whose state this is."""
        found: UUID = getattr(self, self.identified_by)
        return found

    @classmethod
    def publisher(cls) -> str:
        """The service that publishes this event, e.g. `members`."""
        return cls.type.split(".")[1]


H = TypeVar("H")


def handlers_of(state: type[Event], handler: H) -> dict[type[Event], H]:
    """Give every published event of a state class its handler, so that no event of an aggregate is left out.

    `state` may be a published event itself. Raises `TypeError` for a class without any.
    """
    published = [event for event in EVENT_TYPES.values() if issubclass(event, state)]
    if not published:
        raise TypeError(f"{state.__name__}: no event of this state is published")
    return dict.fromkeys(published, handler)


class Origin(NamedTuple):
    """Who acted, for whom, and in which trace: where an event comes from."""

    actor: UUID | None = None
    on_behalf_of: UUID | None = None
    traceparent: str | None = None
    tracestate: str | None = None


class Envelope(BaseModel):
    """CloudEvents attributes around one event's data; `id` is the outbox row's event id (UUIDv7).

    Extensions: `aggregateversion` counts the aggregate's events from 1 without a gap, 0 withdraws it; `actor` is the
    account that acted and `onbehalfof` the person it acted for, when they differ; `traceparent` and `tracestate` follow
    W3C Trace Context.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str = Field(pattern=r"^/services/[a-z]+$", max_length=64)
    type: str = Field(max_length=128)
    subject: str = Field(max_length=128)
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    aggregateversion: Version
    actor: UUID | None = None
    onbehalfof: UUID | None = None
    traceparent: str | None = Field(default=None, max_length=64)
    tracestate: str | None = Field(default=None, max_length=512)
    data: dict[str, Any]

    def event(self) -> Event:
        """Parse `data` as its type says.

        Raises `KeyError` for a type this code does not know and `pydantic.ValidationError` for data that is not of
        its type.
        """
        return EVENT_TYPES[self.type].model_validate(self.data)
