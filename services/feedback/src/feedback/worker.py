"""What feedback consumes of others: tree, affiliations and roles for its local copy; exports and erasures."""

import orgtree
import privacy
from feedback.cases import own_data as cases
from feedback.responsibilities import own_data as responsibilities
from messaging import Consumer

OWN_DATA: privacy.AllOwnData = (privacy.branch, cases, responsibilities)
CONSUMERS = (Consumer("feedback", handlers={**orgtree.HANDLERS, **privacy.handlers(OWN_DATA)}),)
