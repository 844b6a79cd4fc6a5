"""Reads subjects as their owners give them to the caller, up to fifty of a kind a call; who is late is left out."""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic import BaseModel

from gateway.forwarding.asking import Asking, Question
from gateway.forwarding.headers import Headers
from gateway.forwarding.limits import MIB
from gateway.subjects.kinds import KINDS, Kind
from webapi import AuthenticatedCaller
from webapi.pages import MOST_IDS

SECONDS: Final = 0.3
"""How long an owner is waited for: a home without titles is better than a home that is late."""
LARGEST: Final = 4 * MIB
"""Fifty meetings with the longest agendas are half of it."""

Key = tuple[str, UUID]
"""A subject by its kind and id."""


class Found(NamedTuple):
    """Subjects as their owners give them, and the services that could not be heard, in order.

    What the caller may not see, what is gone, and what their token does not reach is in neither.
    """

    data: dict[Key, dict[str, Any]]
    incomplete: list[str]


class _Listed(BaseModel):
    """A page of an owner's list, of any form."""

    items: list[dict[str, Any]]


class Subjects:
    """The subjects of all services."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def read(
        self, wanted: Mapping[str, Collection[UUID]], headers: Headers, caller: AuthenticatedCaller
    ) -> Found:
        """Read the subjects `wanted`, ids by kind, with what of the request's `headers` says who asks."""
        calls = {
            (name, ids): Question(KINDS[name].service, _target(KINDS[name], ids))
            for name, all_ids in wanted.items()
            if _is_open(KINDS[name], caller)
            for ids in _in_calls(all_ids)
        }
        heard = await self._asking.hear(calls, headers, seconds=SECONDS, max_bytes=LARGEST, read=_read)
        found = {key: subject for subjects in heard.values() for key, subject in subjects.items()}
        return Found(found, sorted({question.service for call, question in calls.items() if call not in heard}))


def _is_open(kind: Kind, caller: AuthenticatedCaller) -> bool:
    """Say whether the token reaches the list of a kind: a refusal would stand in a helped person's access log."""
    assistance = caller.principal.assistance
    return f"{kind.service}.read" in caller.principal.scope and (
        assistance is None or kind.action in assistance.actions
    )


def _in_calls(ids: Collection[UUID]) -> list[tuple[UUID, ...]]:
    once = sorted(set(ids))
    return [tuple(once[start : start + MOST_IDS]) for start in range(0, len(once), MOST_IDS)]


def _target(kind: Kind, ids: Collection[UUID]) -> str:
    return f"{kind.path}?limit={len(ids)}" + "".join(f"&{kind.id_name}={each}" for each in ids)


def _read(call: tuple[str, Collection[UUID]], body: bytes) -> dict[Key, dict[str, Any]]:
    name, ids = call
    subjects = {UUID(str(item.get(KINDS[name].id_name))): item for item in _Listed.model_validate_json(body).items}
    return {(name, each): subjects[each] for each in ids if each in subjects}
