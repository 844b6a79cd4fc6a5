"""Who does something, and for whom: both names stand on every event."""

from messaging import Origin, origin
from webapi import Principal


def acting(principal: Principal) -> Origin:
    """Tell by the access token who acts, and for whom when a helper does."""
    if principal.actor is None:
        return origin(actor=principal.person_id)
    return origin(actor=principal.actor, on_behalf_of=principal.person_id)
