"""What feedback consumes of others: tree, affiliations and roles for its local copy; exports and erasures."""

import orgtree
import privacy
from feedback.cases import own_data as cases
from feedback.responsibilities.own_data import OWN_DATA as RESPONSIBILITIES
from messaging import Consumer

OWN_DATA: privacy.AllOwnData = (privacy.branch, privacy.reach, cases, RESPONSIBILITIES)
CONSUMERS = (Consumer("feedback", handlers={**orgtree.HANDLERS, **privacy.handlers(OWN_DATA)}),)
