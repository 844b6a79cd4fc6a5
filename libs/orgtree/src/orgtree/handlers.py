"""What every service does with the events that make up its copy of the tree."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Event
from contracts.identity import RoleDefinedV1
from contracts.members import (
    MemberAffiliatedV1,
    OrganisationEstablishedV1,
    OrganisationMovedV1,
    OrganisationRenamedV1,
)
from orgtree.affiliations import write_affiliations
from orgtree.roles import write_roles
from orgtree.tree import place_organisations


class Received(Protocol):
    """What is needed of a received event: the event, and the version its aggregate had after it."""

    @property
    def event(self) -> Any:
        """The event's data."""

    @property
    def version(self) -> int:
        """The aggregate's version: 1, 2, 3 … without a gap."""


Handler = Callable[[AsyncSession, Sequence[Received]], Awaitable[None]]


async def project_organisations(session: AsyncSession, batch: Sequence[Received]) -> None:
    """Keep organisations, their places, and the rollups that depend on them."""
    await place_organisations(session, ((each.event, each.version) for each in batch))


async def project_affiliations(session: AsyncSession, batch: Sequence[Received]) -> None:
    """Keep each member's affiliation."""
    await write_affiliations(session, ((each.event, each.version) for each in batch))


async def project_roles(session: AsyncSession, batch: Sequence[Received]) -> None:
    """Keep what each role allows."""
    await write_roles(session, ((each.event, each.version) for each in batch))


HANDLERS: Mapping[type[Event], Handler] = MappingProxyType(
    {
        OrganisationEstablishedV1: project_organisations,
        OrganisationRenamedV1: project_organisations,
        OrganisationMovedV1: project_organisations,
        MemberAffiliatedV1: project_affiliations,
        RoleDefinedV1: project_roles,
    }
)
"""Every service merges these into its consumer."""
