"""What every service does with the events that make up its copy of the tree."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Event, handlers_of
from contracts.identity import RoleDefinedV1
from contracts.members import AffiliationWithdrawnV1, MemberAffiliatedV1, OrganisationState, OrganisationWithdrawnV1
from orgtree.affiliations import forget_affiliations, write_affiliations
from orgtree.roles import write_roles
from orgtree.tree import forget_organisations, place_organisations

Handler = Callable[[AsyncSession, Sequence[Any]], Awaitable[None]]
"""Takes received events of one type: of each the `event`, and the `version` its aggregate had after it."""


def _projecting(write: Callable[[AsyncSession, Iterable[tuple[Any, int]]], Awaitable[None]]) -> Handler:
    async def project(session: AsyncSession, batch: Sequence[Any]) -> None:
        await write(session, ((each.event, each.version) for each in batch))

    return project


HANDLERS: Mapping[type[Event], Handler] = MappingProxyType(
    {
        **handlers_of(OrganisationState, _projecting(place_organisations)),
        OrganisationWithdrawnV1: _projecting(forget_organisations),
        AffiliationWithdrawnV1: _projecting(forget_affiliations),
        MemberAffiliatedV1: _projecting(write_affiliations),
        RoleDefinedV1: _projecting(write_roles),
    }
)
"""Every service merges these into its consumer."""
