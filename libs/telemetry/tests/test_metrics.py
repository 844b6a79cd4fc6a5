"""Requests are counted by method, route template and status, with methods of their own invention as one."""

import telemetry
from telemetry.metrics import REQUEST_SECONDS, Counts


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


def test_a_duration_is_in_the_first_bucket_that_holds_it_and_in_all_above() -> None:
    for seconds in (0.01, 0.011, 40.0):
        REQUEST_SECONDS.of("PUT", "/v1/oaks", "200").observe(seconds)
    text = telemetry.metrics_response()[0].decode()
    labels = 'method="PUT",route="/v1/oaks",status="200"'
    for bound, count in (("0.005", 0), ("0.01", 1), ("0.025", 2), ("30.0", 2), ("+Inf", 3)):
        assert f'http_server_request_duration_seconds_bucket{{le="{bound}",{labels}}} {count}.0\n' in text
    assert f"http_server_request_duration_seconds_sum{{{labels}}} 40.021" in text


def test_a_count_is_told_by_its_labels_and_without_any_from_the_beginning() -> None:
    Counts("leaves_without_label", "Leaves.")
    leaves = Counts("leaves", "Leaves.", ("tree",))
    for tree in ("oak", "oak", "elm"):
        leaves.inc(tree)
    text = telemetry.metrics_response()[0].decode()
    assert 'leaves_total{tree="oak"} 2.0\nleaves_total{tree="elm"} 1.0\n' in text
    assert "# TYPE leaves_total counter" in text
    assert "leaves_without_label_total 0.0\n" in text
