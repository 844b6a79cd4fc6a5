"""From when on the phone on a file proves who somebody is: each version keeps it beside the number."""

from datetime import timedelta
from typing import Final

PERSON_HEARS: Final = timedelta(days=7)
"""How long a number that somebody else put on the file takes no code: the former number is told at once, and its person
has a week, also when away at work, to have the file put right before anybody enters by the new one."""

PROVES_FROM: Final = f"""
case when v.phone is null then 'infinity'
     when v.phone_proves_from is not null then v.phone_proves_from
     when exists (
         select from member_version bare
         where bare.person_id = v.person_id and bare.version < v.version and bare.phone is null and not exists (
             select from member_version own
             where own.person_id = v.person_id and own.recorded_by = v.person_id
               and own.version > bare.version and own.version <= v.version))
     then 'infinity'
     else v.recorded_at + interval '{PERSON_HEARS.days} days' end
"""  # noqa: S608 - a number of days
"""That of the version `v`, in SQL: `infinity` for never, and without a phone. One that a process of before wrote is
taken for a new number; where there was none in between, it never proves anything unless its person was there since."""
