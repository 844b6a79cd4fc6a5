"""Which events of others activities consumes: tree, affiliations and roles for its local copy; exports and erasures."""

from collections.abc import Mapping

import orgtree
import privacy
from activities import own_data
from contracts import Event
from messaging import Handler

HANDLERS: Mapping[type[Event], Handler] = {**orgtree.HANDLERS, **privacy.handlers(own_data.forget)}
