"""The metrics of all replicas in one reply: each replica puts its own on a board, and any replica prints the board."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

LABEL: Final = "replica"
# A replica that has been silent for so long has ended.
_SILENT_SECONDS: Final = 30.0


class MetricsBoard:
    """The latest metrics of each replica; an actor of the cluster. It does not import Ray."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock in seconds."""
        self._clock = clock
        self._texts: dict[str, tuple[float, str]] = {}

    def put(self, replica: str, text: str) -> None:
        """Replace the metrics of a replica, in the text format of Prometheus."""
        self._texts[replica] = self._clock(), text

    def read(self) -> dict[str, str]:
        """The metrics by replica, without those of replicas that have ended."""
        now = self._clock()
        self._texts = {name: (at, text) for name, (at, text) in self._texts.items() if now - at < _SILENT_SECONDS}
        return {name: text for name, (_, text) in self._texts.items()}


def together(texts: Mapping[str, str]) -> bytes:
    """The metrics of several replicas in one text, each sample with the label `replica`."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Together(texts))
    return generate_latest(registry)


class _Together(Collector):
    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for replica, text in sorted(self._texts.items()):
            for found in text_string_to_metric_families(text):
                family = families.setdefault(found.name, Metric(found.name, found.documentation, found.type))
                for sample in found.samples:
                    labels = {**sample.labels, LABEL: replica}
                    family.add_sample(sample.name, labels, sample.value, sample.timestamp, sample.exemplar)
        return families.values()
