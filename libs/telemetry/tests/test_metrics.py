"""Requests are counted by method, route template and status, with methods of their own invention as one."""

import telemetry


def test_requests_are_in_the_histogram_of_their_route() -> None:
    for method in ("GET", "GET", "BREW"):
        telemetry.ServedRequest(method, []).finish("/v1/trees/{tree_id}", 200)
    body, content_type = telemetry.metrics_response()
    assert content_type.startswith("text/plain")
    text = body.decode()
    series = 'http_server_request_duration_seconds_count{method="%s",route="/v1/trees/{tree_id}",status="200"} %s'
    assert series % ("GET", "2.0") in text
    assert series % ("_OTHER", "1.0") in text
    assert "_created" not in text
