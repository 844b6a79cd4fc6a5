"""One trace goes from the gateway through a service, its outbox and the bus into a consumer of another service."""

from testkit.spans import ReceivedSpan
from tests.flows.conftest import System
from tests.flows.test_journey import a_meeting

PATIENCE_SECONDS = 20.0


async def test_one_trace_joins_the_gateway_the_service_and_the_consumer_of_another(system: System) -> None:
    spans = system.spans
    assert spans is not None
    async with system.person("secretary.demo") as secretary:
        await secretary.post("/v1/activities", a_meeting(system))

    def joined(seen: list[ReceivedSpan]) -> bool:
        traces = {span.trace_id for span in seen if span.service == "activities"}
        wanted = {("gateway", "activities"), ("activities", "gateway")}
        return any(wanted <= spans.edges(trace_id) for trace_id in traces)

    await spans.wait_for(joined, seconds=PATIENCE_SECONDS)
