"""Queues what identity asks to be sent to the phone on a file, once and in time, and says whether there is one."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from channels import NOTICE_LIFETIME, code_of, queue
from contracts.identity import PhoneMessageAskedV1
from contracts.members import PhoneAnswerGivenV1
from database import KeyRing, raw, utc_now
from members.files.phones import PROVES_FROM
from members.files.sealing import SealedFile
from members.phone_messages.tables import PhoneMessage
from members.settings import Settings
from messaging import Handler, Publication, Received, append
from webapi.normal_forms import international, mobile_number

TEXTS: Final = Settings.texts
CODE_LIFETIME: Final = timedelta(minutes=10)
"""From when it was asked for: identity takes none that is older."""
_PHONE: Final = f"""
    select m.person_id, k.wrapped, v.version, v.phone, {PROVES_FROM} <= $3 as proves
    from member m
    join member_version v using (person_id, version)
    join member_key k using (person_id)
    where (m.person_id = $1 or m.person_index = $2) and k.wrapped is not null
"""  # noqa: S608 - our own words


class PhoneMessages:
    """Takes identity's requests; the service's own `ring` and the `shared` one are given before the first comes."""

    def __init__(self) -> None:
        self.ring: KeyRing | None = None
        self.shared: KeyRing | None = None
        self.handlers: Mapping[type[Any], Handler] = {PhoneMessageAskedV1: self.react_to_requests}

    async def react_to_requests(self, session: AsyncSession, batch: Sequence[Received[PhoneMessageAskedV1]]) -> None:
        """Queue each, and answer in the same transaction; a text that is not known yet is left alone."""
        now = utc_now()
        known = [each for each in batch if each.event.text in TEXTS]
        answers = [await self._answer(session, each.event, asked_at=each.time, now=now) for each in known]
        await append(session, [Publication(answer, 1) for answer in answers])

    async def _answer(
        self, session: AsyncSession, asked: PhoneMessageAskedV1, *, asked_at: datetime, now: datetime
    ) -> PhoneAnswerGivenV1:
        message_id, is_code = asked.message_id, asked.text.startswith("code_")
        until = asked_at + (CODE_LIFETIME if is_code else NOTICE_LIFETIME)
        if until <= now:
            return PhoneAnswerGivenV1(message_id=message_id, outcome="late")
        if self.ring is None or self.shared is None:
            raise RuntimeError("the messages to phones were given no keys")
        found = await _phone(session, asked, self.ring, proves_at=now if is_code else None)
        if found is None:
            return PhoneAnswerGivenV1(message_id=message_id, outcome="no_phone")
        person_id, phone = found
        words = {"minutes": str(CODE_LIFETIME // timedelta(minutes=1))}
        if is_code:
            words["code"] = code_of(self.shared, message_id)
        language = asked.language if asked.language in TEXTS[asked.text] else "zh"
        message = TEXTS.message(message_id, phone, asked.text, language, words)
        await queue(session, self.ring, PhoneMessage, message, now=now, until=until, person_id=person_id)
        return PhoneAnswerGivenV1(message_id=message_id, person_id=person_id, outcome="sent")


PHONE_MESSAGES = PhoneMessages()


async def _phone(
    session: AsyncSession, asked: PhoneMessageAskedV1, ring: KeyRing, *, proves_at: datetime | None
) -> tuple[UUID, str] | None:
    """Give whose file it is and the phone on it (`+86…`); with `proves_at`, only one that proves who they are then."""
    index = None if asked.person_index is None else bytes.fromhex(asked.person_index)
    row = await (await raw(session)).fetchrow(_PHONE, asked.person_id, index, proves_at)
    if row is None or (proves_at is not None and not row["proves"]):
        return None
    mobile = mobile_number(SealedFile(ring, row).open("phone") or "")
    return None if mobile is None else (row["person_id"], international(mobile))
