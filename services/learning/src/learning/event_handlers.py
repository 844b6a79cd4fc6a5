"""Which events of other services learning consumes: the tree, affiliations and roles, as its local copy."""

from collections.abc import Mapping

import orgtree
from contracts import Event
from messaging import Handler

HANDLERS: Mapping[type[Event], Handler] = orgtree.HANDLERS
