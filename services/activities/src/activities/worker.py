"""What activities consumes of others: tree, affiliations and roles for its local copy; exports and erasures."""

import orgtree
import privacy
from activities.participation.own_data import OWN_DATA as PARTICIPATION
from activities.scheduling.own_data import OWN_DATA as SCHEDULING
from messaging import Consumer

OWN_DATA: privacy.AllOwnData = (privacy.branch, PARTICIPATION, SCHEDULING)
CONSUMERS = (Consumer("activities", handlers={**orgtree.HANDLERS, **privacy.handlers(OWN_DATA)}),)
