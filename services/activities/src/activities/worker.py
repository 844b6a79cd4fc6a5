"""What activities consumes of others: tree, affiliations and roles for its local copy; exports and erasures."""

import orgtree
import privacy
from activities.participation import own_data as participation
from activities.scheduling import own_data as scheduling
from messaging import Consumer

OWN_DATA: privacy.AllOwnData = (privacy.branch, participation, scheduling)
CONSUMERS = (Consumer("activities", handlers={**orgtree.HANDLERS, **privacy.handlers(OWN_DATA)}),)
