"""One trace goes from the gateway through a service, its outbox and the bus into a consumer of another service."""

from contracts.activities import ActivityScheduledV1
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
        return any(wanted <= spans.edges(trace_id) and handled(trace_id) for trace_id in traces)

    def handled(trace_id: str) -> bool:
        names = {(span.service, span.name) for span in spans.of_trace(trace_id)}
        return names >= {
            ("gateway", "POST /v1/activities"),
            ("activities", "POST /v1/activities"),
            ("gateway", f"process {ActivityScheduledV1.type}"),
        }

    await spans.wait_for(joined, seconds=PATIENCE_SECONDS)
