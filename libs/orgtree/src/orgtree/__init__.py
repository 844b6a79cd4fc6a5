"""The organisation tree as each service holds it, and who may see what in it."""

from orgtree import migrations
from orgtree.affiliations import affiliation_of
from orgtree.handlers import HANDLERS
from orgtree.lock import lock_tree
from orgtree.people import KEPT, mark_of, own_people, people, people_of_children
from orgtree.places import MAX_DEPTH
from orgtree.recounting import LOOK_EVERY, NightlyRecount, mend_by_facts
from orgtree.roles import Permissions, Remit
from orgtree.rollups import Delta, Difference, add_deltas, fold, fold_here, mend, recount, totals, totals_of_children
from orgtree.root import ROOT_ID
from orgtree.subtrees import OutsideRemit, require_within, row_within, within
from orgtree.tables import affiliation, organisation, rollup, rollup_people
from orgtree.tree import ancestors_of, place_organisations

__all__ = [
    "HANDLERS",
    "KEPT",
    "LOOK_EVERY",
    "MAX_DEPTH",
    "ROOT_ID",
    "Delta",
    "Difference",
    "NightlyRecount",
    "OutsideRemit",
    "Permissions",
    "Remit",
    "add_deltas",
    "affiliation",
    "affiliation_of",
    "ancestors_of",
    "fold",
    "fold_here",
    "lock_tree",
    "mark_of",
    "mend",
    "mend_by_facts",
    "migrations",
    "organisation",
    "own_people",
    "people",
    "people_of_children",
    "place_organisations",
    "recount",
    "require_within",
    "rollup",
    "rollup_people",
    "row_within",
    "totals",
    "totals_of_children",
    "within",
]
