"""Event of an export: whose data is to be composed."""

from typing import ClassVar
from uuid import UUID

from contracts.envelope import Event


class ExportRequestedV1(Event):
    """A person asked for all that is known of them: every service composes its part, for a day."""

    type: ClassVar[str] = "xiangqiao.identity.export.requested.v1"
    aggregate: ClassVar[str] = "export"
    identified_by: ClassVar[str] = "export_id"

    export_id: UUID
    person_id: UUID
