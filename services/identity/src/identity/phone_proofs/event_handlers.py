"""Keeps whose phone a code was sent to, as members tells it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Event
from contracts.members import PhoneAnswerGivenV1
from database import raw
from messaging import Handler, Received

_KEEP = """
update phone_proof set person_id = told.person_id
from unnest($1::uuid[], $2::uuid[]) as told (proof_id, person_id)
where phone_proof.proof_id = told.proof_id and phone_proof.person_id is null
"""


async def react_to_answers(session: AsyncSession, batch: Sequence[Received[Any]]) -> None:
    """Keep whose phone it is, once; an answer to a notice, or to a proof that is gone, changes nothing."""
    sent = [(each.event.message_id, each.event.person_id) for each in batch if each.event.person_id is not None]
    if sent:
        proofs, people = zip(*sent, strict=True)
        await (await raw(session)).execute(_KEEP, proofs, people)


HANDLERS: Mapping[type[Event], Handler] = {PhoneAnswerGivenV1: react_to_answers}
