"""The metrics of several replicas add up."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from facematch_server.cluster.metrics_board import LABEL, MetricsBoard, together
from facematch_server.metrics import Metrics


def text_of(requests: int, seconds: float) -> str:
    metrics = Metrics()
    for _ in range(requests):
        metrics.count_outcome("face_matching", "0", "0")
        metrics.observe({"total": seconds})
    metrics.watch("facematch_places", "Largest number", lambda: 34)
    return metrics.text().decode()


def sums(text: str, name: str) -> float:
    families = text_string_to_metric_families(text)
    return sum(sample.value for family in families for sample in family.samples if sample.name == name)


def test_counters_gauges_and_histograms_of_all_replicas() -> None:
    text = together({"b": text_of(3, 0.2), "a": text_of(4, 0.1)}).decode()
    assert sums(text, "facematch_requests_total") == 7
    assert sums(text, "facematch_places") == 68
    assert sums(text, "facematch_stage_seconds_count") == 7
    assert text.count("# TYPE facematch_requests_total counter") == 1
    families = {family.name: family for family in text_string_to_metric_families(text)}
    replicas = {sample.labels[LABEL] for sample in families["facematch_requests"].samples}
    assert replicas == {"a", "b"}
    # Buckets stay in their order within a replica.
    one = [
        (float(sample.labels["le"]), sample.value)
        for sample in families["facematch_stage_seconds"].samples
        if sample.name.endswith("_bucket") and sample.labels[LABEL] == "a" and sample.labels["stage"] == "total"
    ]
    assert one == sorted(one)
    assert one[-1] == (float("inf"), 4.0)


def test_no_replicas() -> None:
    assert together({}) == b""


def test_replicas_that_have_ended_disappear() -> None:
    now = [0.0]
    board = MetricsBoard(lambda: now[0])
    board.put("a", "1")
    now[0] = 20.0
    board.put("b", "2")
    assert board.read() == {"a": "1", "b": "2"}
    now[0] = 31.0
    board.put("b", "3")
    assert board.read() == {"b": "3"}
