"""Prometheus metrics. Each application has its own registry, so two of them in one process do not mix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.process_collector import ProcessCollector

from facematch_server.shared_metrics import Combine, SharedMetrics

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
# The stages of a comparison, in their order. `body` and `fetch` exclude each other; `decode` to `checks` are sums over
# both photos, which may overlap.
STAGES: Final = {
    "admit": "credentials, rate limit and quota",
    "body": "receiving the body",
    "fetch": "fetching the photos by URL",
    "queue": "waiting for a thread",
    "decode": "decoding the photos",
    "detect": "finding faces",
    "embed": "embedding faces",
    "checks": "measuring for the warnings",
    "print": "printing the reply",
    "commit": "counting the request",
    "total": "the whole request",
}

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 20.0, 40.0)


class Metrics:
    """The metrics of one application."""

    def __init__(self, shared: SharedMetrics | None = None) -> None:
        """Make the counters.

        Args:
            shared: adds them up with those of other workers; default: this process only.
        """
        self._shared = shared
        self._read = CollectorRegistry()
        # Counters that are shared are read from the files of all workers.
        self.registry = self._read if shared is None else CollectorRegistry()
        if shared is None:
            ProcessCollector(registry=self._read)
        else:
            shared.register(self._read)
        self._requests = Counter(
            "facematch_requests",
            "Answered comparisons by errorCode and invalidCode (empty without one)",
            ("endpoint", "error_code", "invalid_code"),
            registry=self.registry,
        )
        self._http = Counter(
            "facematch_http_responses",
            "HTTP responses by route, method and status",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "facematch_stage_seconds",
            "Seconds of a comparison by stage: " + "; ".join(f"{name}: {text}" for name, text in STAGES.items()),
            ("stage",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._pack = Info("facematch_pack", "The model pack in use", registry=self._read)

    def count_outcome(self, endpoint: str, error_code: str, invalid_code: str) -> None:
        """Count one answered comparison."""
        self._requests.labels(endpoint, error_code, invalid_code).inc()

    def count_response(self, route: str, method: str, status: int) -> None:
        """Count one HTTP response; `route` is a template, never the path of the request."""
        self._http.labels(route, method, str(status)).inc()

    def observe(self, seconds: Mapping[str, float]) -> None:
        """Add durations by stage."""
        for stage, value in seconds.items():
            self._seconds.labels(stage).observe(value)

    def describe_pack(self, labels: Mapping[str, str]) -> None:
        """Set the labels of the pack in use."""
        self._pack.info(dict(labels))

    def watch(self, name: str, text: str, value: Callable[[], float], how: Combine = Combine.SUM) -> None:
        """Add a gauge whose value is computed when the metrics are read.

        Args:
            name: name of the metric.
            text: its description.
            value: computes it.
            how: how the values of several workers become one.
        """
        if self._shared is None:
            Gauge(name, text, registry=self.registry).set_function(value)
        else:
            self._shared.watch(name, text, value, how)

    def text(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(self._read)
