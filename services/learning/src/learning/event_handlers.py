"""Which events of others learning consumes: tree, affiliations and roles for its local copy; exports and erasures."""

from collections.abc import Mapping

import orgtree
import privacy
from contracts import Event
from learning import own_data
from messaging import Handler

HANDLERS: Mapping[type[Event], Handler] = {**orgtree.HANDLERS, **privacy.handlers(own_data.forget)}
