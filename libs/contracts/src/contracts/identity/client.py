"""Event of an OAuth client: how much it may ask."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.envelope import Code, Event


class ClientQuotaSetV1(Event):
    """A client may send so many requests a minute, or none at all while it is suspended; `origins` are its pages'."""

    type: ClassVar[str] = "xiangqiao.identity.client.quota_set.v1"
    aggregate: ClassVar[str] = "client"
    identified_by: ClassVar[str] = "client_principal_id"

    client_principal_id: UUID
    client_id: Code
    requests_per_minute: Annotated[int, Field(ge=1)]
    status: Code
    origins: tuple[Annotated[str, Field(pattern=r"^https?://[a-z0-9.:\[\]-]+$", max_length=300)], ...] = ()
    """Whose pages may use its tokens in a browser, as browsers write origins; without any, none may."""


class ClientWithdrawnV1(Event):
    """A restore lost this client or its approval: it may ask for nothing until two people let it in again."""

    type: ClassVar[str] = "xiangqiao.identity.client.withdrawn.v1"
    aggregate: ClassVar[str] = "client"
    identified_by: ClassVar[str] = "client_principal_id"

    client_principal_id: UUID
