"""All kinds of items on homes and what each state shows there, as the modules of the services say."""

from collections.abc import Mapping
from typing import Final

from contracts import Event
from gateway.home.items import Kind, Shown, activities, feedback, identity, learning

_SERVICES: Final = (activities, feedback, learning, identity)

KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for service in _SERVICES for kind in service.KINDS}

SHOWN: Final[Mapping[type[Event], Shown]] = {
    state: shown for service in _SERVICES for state, shown in service.SHOWN.items()
}
"""What each state shows on homes; every published event of each is handled."""

STAFF_PERMISSIONS: Final = tuple(dict.fromkeys(kind.audience for kind in KINDS.values() if "." in kind.audience))
"""The permissions whose holders have something to do for an organisation."""
