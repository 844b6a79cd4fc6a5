"""The organisation tree as each service holds it, and who may see what in it."""

from orgtree import migrations
from orgtree.affiliations import affiliation_of, affiliations_of
from orgtree.handlers import HANDLERS, Handler, Received
from orgtree.lock import lock_tree
from orgtree.places import MAX_DEPTH
from orgtree.recounting import LOOK_EVERY, NightlyRecount, mend_by_facts
from orgtree.roles import Permissions, Scopes, scopes
from orgtree.rollups import Difference, add_deltas, fold, fold_here, mend, recount, totals, totals_of_children
from orgtree.root import ROOT_ID
from orgtree.scope import OutsideScope, require_within, within
from orgtree.tables import affiliation, organisation, rollup
from orgtree.tree import ancestors_of, place_organisations

__all__ = [
    "HANDLERS",
    "LOOK_EVERY",
    "MAX_DEPTH",
    "ROOT_ID",
    "Difference",
    "Handler",
    "NightlyRecount",
    "OutsideScope",
    "Permissions",
    "Received",
    "Scopes",
    "add_deltas",
    "affiliation",
    "affiliation_of",
    "affiliations_of",
    "ancestors_of",
    "fold",
    "fold_here",
    "lock_tree",
    "mend",
    "mend_by_facts",
    "migrations",
    "organisation",
    "place_organisations",
    "recount",
    "require_within",
    "rollup",
    "scopes",
    "totals",
    "totals_of_children",
    "within",
]
