"""Around each request: bodies are bounded, answers are not cached, and everything is counted by route template."""

from collections.abc import AsyncIterator

import httpx
import pytest

import telemetry
from database import new_id

MIB = 1024 * 1024


async def test_a_body_over_the_limit_is_413_whether_it_announces_its_length_or_not(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b"x" * 65536

    for content in (b"x" * (MIB + 1), pieces()):
        answer = await client.post(
            "/v1/trees", content=content, headers={**headers, "Content-Type": "application/json"}
        )
        assert answer.status_code == 413
        assert (answer.json()["type"], answer.json()["limit_bytes"]) == ("/problems/body_too_large", MIB)
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/openapi.json", "/none", "/v1/trees"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_every_answer_says_once_that_its_type_is_its_type(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(method, path)
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]


async def test_answers_are_kept_by_no_cache_unless_they_say_so(client: httpx.AsyncClient) -> None:
    plain = await client.get("/openapi.json")
    own = await client.post("/v1/trees/photographs", content=b"x")
    assert plain.headers["cache-control"] == "no-store"
    assert own.headers.get_list("cache-control") == ["max-age=60"]
    assert plain.headers["x-content-type-options"] == own.headers["x-content-type-options"] == "nosniff"


async def test_requests_are_counted_by_route_template_and_never_by_path(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    secret = new_id()
    await client.get(f"/v1/trees/{secret}")
    await client.get(f"/v1/unknown/{secret}")
    await client.get("/v1/trees", headers=headers)
    text = telemetry.metrics_response()[0].decode()
    for route, status in (("/v1/trees/{tree_id}", 409), ("unmatched", 404), ("/v1/trees", 200)):
        labels = f'{{method="GET",route="{route}",status="{status}"}}'
        assert f"http_server_request_duration_seconds_count{labels}" in text
    assert str(secret) not in text
    assert "/health" not in text


async def test_head_is_get_without_the_body(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    got, headed = await client.get("/v1/trees", headers=headers), await client.head("/v1/trees", headers=headers)
    assert (headed.status_code, headed.content, headed.headers["content-length"]) == (
        200,
        b"",
        str(len(got.content)),
    )
    assert (await client.head("/v1/trees/felled", headers=headers)).status_code == 422
    assert (await client.head("/v1/trees/photographs")).status_code == 422


async def test_a_parameter_that_does_not_exist_is_named_with_those_that_do(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    query = {"limit": "1", "kindd": "oak"}
    answer = await client.get("/v1/trees", params=query, headers={**headers, "Accept-Language": "en"})
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [
            {
                "pointer": "/query/kindd",
                "rule": "query_unknown",
                "message": "There is no such parameter here. There are: cursor, limit.",
            }
        ],
    )
