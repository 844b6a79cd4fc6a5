"""Which acts may be sent later: for each kind, the operation of its owner that carries it out."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson


class Kind(NamedTuple):
    """An operation of a service; the subject's id stands for `{}` in its path.

    An act may be sent again after weeks, so its operation must find by itself that it was done: by the subject's id, by
    a maximum, or by the time of the act. `acted_at`, `subject` and `base` are the fields of the owner's body that
    hold the time of the act, the subject's id and the version that the act was made to; without `base` the version
    is demanded with If-Match.
    """

    service: str
    method: bytes
    path: str
    acted_at: str | None = None
    subject: str | None = None
    base: str | None = None


KINDS: Final[Mapping[str, Kind]] = {
    "register": Kind("activities", b"POST", "/v1/activities/{}/registrations"),
    "attend": Kind("activities", b"POST", "/v1/activities/{}/attendances", acted_at="attended_at"),
    "sheet.enter": Kind("activities", b"POST", "/v1/activities/{}/attendance-sheets"),
    "progress": Kind("learning", b"PUT", "/v1/lessons/{}/progress"),
    "understanding": Kind("learning", b"POST", "/v1/lessons/{}/understanding", acted_at="acted_at"),
    "case.open": Kind("feedback", b"POST", "/v1/cases", subject="case_id"),
    "case.confirm": Kind("feedback", b"POST", "/v1/cases/{}/confirmation"),
    "profile.revise": Kind("members", b"POST", "/v1/members/{}/revisions", base="base_version"),
}


class Request(NamedTuple):
    """What the owner is asked: path, body (empty where the operation has none), and If-Match if any."""

    target: str
    body: bytes
    if_match: bytes | None


def request_of(
    kind: Kind, *, subject_id: UUID, base_version: int | None, acted_at: str, body: Mapping[str, Any]
) -> Request:
    """Write an act as a request to its owner."""
    told = ((kind.acted_at, acted_at), (kind.subject, str(subject_id)), (kind.base, base_version))
    filled = {**body, **{field: value for field, value in told if field is not None and value is not None}}
    tag = b'"%d"' % base_version if base_version is not None and kind.base is None else None
    return Request(kind.path.format(subject_id), orjson.dumps(filled) if filled else b"", tag)
