"""Bodies and answers of `POST /v1/sync/push`."""

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from china_time import Moment
from contracts import Code
from gateway.sync.kinds import KINDS
from gateway.sync.rules import is_readable
from webapi.bodies import Body, Line
from webapi.validation import rule_broken

MOST_OPS: Final = 200


def _readable(body: dict[str, Any]) -> dict[str, Any]:
    if not is_readable(body):
        raise rule_broken(
            "body_unreadable",
            en="Write whole characters, numbers of up to 64 bits, and few levels in one another.",
            zh="请使用完整的字符、不超过 64 位的数字，且嵌套层级不宜过多。",
        )
    return body


class Op(Body):
    """One act, as the device noted it."""

    op_id: Annotated[UUID, Field(description="UUIDv7; the same for the same act, however often it is sent.")]
    person_id: Annotated[UUID, Field(description="Whose act it is: another's is never tried.")]
    kind: Annotated[Code, Field(description=f"One of {', '.join(KINDS)}.")]
    subject_id: Annotated[UUID, Field(description="What it is about: the activity, lesson, case or person.")]
    base_version: Annotated[int | None, Field(ge=0, lt=2**31, description="The version that it was made to.")] = None
    acted_at: Annotated[Moment, Field(description="When it was done, by the device.")]
    after: Annotated[UUID | None, Field(description="The act without which this one makes no sense.")] = None
    body: Annotated[dict[str, Any], AfterValidator(_readable)] = Field(
        default_factory=dict, max_length=50, description="As the operation of its kind takes it."
    )


class Push(Body):
    """What a device has to send: acts in the order in which they were done."""

    device_id: Annotated[Line | None, Field(description="Not needed: nothing is made of it, nor kept.")] = None
    ops: Annotated[list[Op], Field(min_length=1, max_length=MOST_OPS)]


class OpResult(BaseModel):
    """What became of one act."""

    op_id: UUID
    result: Annotated[
        str,
        Field(
            json_schema_extra={"enum": ["applied", "duplicate", "conflict", "rejected", "retry"]},
            description="applied: done now; duplicate: was done before; conflict: somebody changed it meanwhile; "
            "rejected: will never be done; retry: keep it and send it again.",
        ),
    ]
    status: Annotated[int | None, Field(description="The HTTP status of the operation, if it was asked.")] = None
    problem: Annotated[dict[str, Any] | None, Field(description="Why it was not applied (RFC 9457).")] = None
    subject_id: UUID
    version: Annotated[int | None, Field(description="The subject's version that resulted, where it has any.")] = None
    retry_after: Annotated[int | None, Field(description="Seconds to wait before it is sent again.")] = None


class PushOut(BaseModel):
    """The results in the order of the acts."""

    results: Annotated[list[OpResult], Field(max_length=MOST_OPS)]
