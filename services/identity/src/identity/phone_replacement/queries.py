"""Phone replacements as officers and owners see them: of the number its end, and only while it is under way."""

from functools import partial

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing, narrowed
from identity.phone_replacement.numbers import phone_in
from identity.phone_replacement.schemas import PhoneReplacementOut, Status
from identity.phone_replacement.tables import PhoneReplacement
from webapi import Page, PageRequest

_SHOWN = PhoneReplacementOut.model_fields.keys() - {"person_id", "ends_in"}


async def list_replacements(
    session: AsyncSession, ring: KeyRing, page: PageRequest, visible: ColumnElement[bool], status: Status | None
) -> Page[PhoneReplacementOut]:
    """List the replacements that are `visible`, newest first."""
    chosen = narrowed(select(PhoneReplacement).where(visible), {PhoneReplacement.status: status})
    key = (PhoneReplacement.proposed_at, PhoneReplacement.replacement_id)
    return await page.select(session, chosen, *key, shape=partial(as_shown, ring), latest_first=True)


def as_shown(ring: KeyRing, replacement: PhoneReplacement) -> PhoneReplacementOut:
    """Give a replacement as it is shown. Raises `SealBroken`."""
    ends_in = None if replacement.sealed_phone is None else phone_in(ring, replacement)[-4:]
    columns = {name: getattr(replacement, name) for name in _SHOWN}
    return PhoneReplacementOut(person_id=replacement.account_id, ends_in=ends_in, **columns)
