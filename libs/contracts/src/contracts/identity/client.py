"""Event of an OAuth client: how much it may ask."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.envelope import Code, Event


class ClientQuotaSetV1(Event):
    """A client may send so many requests a minute, or none at all while it is suspended."""

    type: ClassVar[str] = "xiangqiao.identity.client.quota_set.v1"
    aggregate: ClassVar[str] = "client"
    identified_by: ClassVar[str] = "client_principal_id"

    client_principal_id: UUID
    client_id: Code
    requests_per_minute: Annotated[int, Field(ge=1)]
    status: Code
