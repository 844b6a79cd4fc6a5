"""What is forgotten of the people behind the figures; a file of own data holds it by the services that know more."""

from collections.abc import Mapping

from gateway.contributions.event_handlers import forget_people
from privacy import Asked


async def compose(_: Asked) -> Mapping[str, object]:
    """Give nothing: a contribution says of a person what the service that told it puts into their file."""
    return {}


forget = forget_people
