"""What is answered about the system's state."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gateway.supervision.capabilities import CAPABILITIES, MEANINGS
from gateway.words import WordsOut

_Name = Annotated[str, Field(max_length=255)]


class CapabilityOut(BaseModel):
    """How one thing that people do with the system works now."""

    capability: Annotated[str, Field(json_schema_extra={"enum": list(CAPABILITIES)})]
    title: WordsOut
    condition: Annotated[str, Field(json_schema_extra={"enum": list(MEANINGS)})]
    meaning: WordsOut
    since: Annotated[datetime | None, Field(description="Since when it does not work well.")]
    instead: Annotated[WordsOut | None, Field(description="What to do instead meanwhile.")]


class StatusOut(BaseModel):
    """How the system does, for everybody."""

    fine: Annotated[bool, Field(description="Whether all of it works.")]
    summary: WordsOut
    capabilities: Annotated[list[CapabilityOut], Field(max_length=100)]


class ProcessOut(BaseModel):
    """One process; what only its beats tell is null while none was heard."""

    service: _Name
    role: Annotated[str, Field(json_schema_extra={"enum": ["api", "worker"]})]
    instance: _Name
    state: Annotated[str, Field(json_schema_extra={"enum": ["up", "slow", "away"]})]
    since: datetime
    heard_at: datetime
    host: _Name | None
    pid: int | None
    version: _Name | None
    started_at: datetime | None
    failed: Annotated[list[_Name], Field(max_length=100, description="Readiness checks that fail.")]
    outbox_age_seconds: float | None
    lags: Annotated[dict[str, int] | None, Field(description="Events not yet processed, by consumer and stream.")]
    parked: int | None
    job_ages_seconds: Annotated[dict[str, float] | None, Field(description="Since each job succeeded last.")]
    ends: Annotated[
        dict[str, datetime] | None,
        Field(
            max_length=100,
            description="When what it looks after ends unless it is renewed: `signing_key`, `certificate <of whom>`.",
        ),
    ]
    database_bytes: int | None


class StreamOut(BaseModel):
    """What one service's stream holds."""

    service: _Name
    bytes: int
    messages: int


class OperationsOut(BaseModel):
    """How the system does, for those who run it."""

    deaf: Annotated[bool, Field(description="No beats come now: states are as they were heard last.")]
    processes: Annotated[list[ProcessOut], Field(max_length=200)]
    next_cursor: Annotated[str | None, Field(max_length=1000)]
    streams: Annotated[list[StreamOut] | None, Field(max_length=100, description="null: the broker was not reached.")]


class StateChangeOut(BaseModel):
    """That a process came into a state; `gone`, that it left or is told of no more."""

    model_config = ConfigDict(from_attributes=True)

    service: _Name
    role: _Name
    instance: _Name
    state: Annotated[str, Field(json_schema_extra={"enum": ["up", "slow", "away", "gone"]})]
    changed_at: datetime
