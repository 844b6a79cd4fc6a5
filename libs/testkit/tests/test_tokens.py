"""Shows that the test issuer's tokens are what the services accept, and that its spans' collector reads exports."""

from uuid import UUID, uuid4

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from testkit.spans import SpanReceiver
from testkit.tokens import TokenIssuer


async def test_a_token_verifies_with_the_published_key(issuer: TokenIssuer) -> None:
    person, organisation, helper = uuid4(), uuid4(), uuid4()
    token = issuer.token(person, [("branch_secretary", organisation)], actor=helper)
    async with httpx.AsyncClient(trust_env=False) as client:
        keys = KeySet.import_key_set((await client.get(issuer.jwks_url)).json())
    decoded = jwt.decode(token, keys, algorithms=["ES256"])
    assert decoded.header["typ"] == "at+jwt"
    assert UUID(str(decoded.claims["sub"])) == person
    assert decoded.claims["roles"] == [{"role": "branch_secretary", "organisation_id": str(organisation)}]
    assert decoded.claims["act"] == {"sub": str(helper)}
    assert decoded.claims["exp"] - decoded.claims["iat"] == 600
    assert not any("d" in key for key in issuer.jwks["keys"])


async def test_tokens_signed_before_a_new_key_still_verify() -> None:
    with TokenIssuer() as issuer:
        old = issuer.token(uuid4())
        issuer.new_key()
        keys = KeySet.import_key_set({"keys": issuer.jwks["keys"]})
        for token in (old, issuer.token(uuid4())):
            assert jwt.decode(token, keys, algorithms=["ES256"]).claims["iss"] == issuer.issuer


async def test_the_collector_tells_which_service_led_to_which(spans: SpanReceiver) -> None:
    request = ExportTraceServiceRequest()
    for service, span_id, parent, link in (
        ("gateway", b"1", b"", b""),
        ("members", b"2", b"1", b""),
        ("learning", b"3", b"", b"2"),
    ):
        resource = request.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = service
        span = resource.scope_spans.add().spans.add(name="work", trace_id=b"t" * 16, span_id=span_id * 8)
        span.parent_span_id = parent * 8
        if link:
            span.links.add(trace_id=b"t" * 16, span_id=link * 8)
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{spans.url}/v1/traces", content=request.SerializeToString())
    assert answer.status_code == 200
    await spans.wait_for(lambda received: len(received) == 3)
    assert spans.edges() == {("gateway", "members"), ("members", "learning")}
    assert len(spans.of_trace((b"t" * 16).hex())) == 3
