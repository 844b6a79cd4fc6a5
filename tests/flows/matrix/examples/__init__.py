"""One good request for every operation, by whoever may make it, service by service."""

from collections.abc import Mapping

from standalone.services import NAMES
from tests.flows.matrix.examples import activities, feedback, gateway, identity, learning, members
from tests.flows.matrix.examples.asking import Example

_AUDIT = {
    "GET /v1/audit/{0}/entries": Example(by="auditor", province=True),
    "GET /v1/me/access-log/{0}": Example(),
}
EXAMPLES: Mapping[str, Example] = {
    **identity.EXAMPLES,
    **members.EXAMPLES,
    **activities.EXAMPLES,
    **learning.EXAMPLES,
    **feedback.EXAMPLES,
    **gateway.EXAMPLES,
    **{name.format(service): example for service in NAMES for name, example in _AUDIT.items()},
}
