"""The metrics of one service at one moment, in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from facematch_local.errors import FacematchError

_SECONDS: Final = "facematch_stage_seconds_bucket"
_REQUESTS: Final = "facematch_requests_total"
_PACK: Final = "facematch_pack_info"
_GAUGES: Final = {
    "facematch_places_taken": "in_flight",
    "facematch_places": "places",
    "facematch_waiting": "waiting",
    "facematch_threads_computing": "computing",
    "facematch_draining": "draining",
    "process_resident_memory_bytes": "memory_bytes",
    "process_cpu_seconds_total": "cpu_seconds",
    "process_start_time_seconds": "started",
}

# How the samples of several replicas become one; all others are added.
_COMBINED: Final[Mapping[str, Callable[[float, float], float]]] = {"started": min, "draining": max}


class MetricsError(FacematchError):
    """A service gives no metrics; the message says why."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The metrics of a service.

    Attributes:
        moment: Unix time in seconds.
        outcomes: answered comparisons by (errorCode or HTTP status, invalidCode), since the start of the service.
        buckets: comparisons that took at most so many seconds, by this bound; `inf` counts all.
        in_flight: accepted requests without a reply.
        places: the largest number of them.
        waiting: those that no thread works on.
        computing: threads that decode photos or run models.
        draining: 1 while the service stops, else 0.
        memory_bytes: resident memory of the process; 0 if the system does not tell.
        cpu_seconds: CPU time of the process.
        started: Unix time of its start; 0 if the system does not tell.
        pack: name of the model pack.
    """

    moment: float
    outcomes: Mapping[tuple[str, str], float] = field(default_factory=dict)
    buckets: Mapping[float, float] = field(default_factory=dict)
    in_flight: float = 0.0
    places: float = 0.0
    waiting: float = 0.0
    computing: float = 0.0
    draining: float = 0.0
    memory_bytes: float = 0.0
    cpu_seconds: float = 0.0
    started: float = 0.0
    pack: str = ""


def parse(text: str, moment: float) -> Snapshot:
    """Read the text of `/metrics`.

    Args:
        text: Prometheus text format.
        moment: Unix time at which the service gave it.

    Raises:
        MetricsError: the text is not in this format, or it has no metrics of this service.
    """
    outcomes: Counter[tuple[str, str]] = Counter()
    buckets: Counter[float] = Counter()
    gauges: dict[str, float] = {}
    pack = ""
    try:
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    except (ValueError, KeyError, IndexError):
        raise MetricsError("the reply is not in the text format of Prometheus") from None
    for sample in samples:
        labels = sample.labels
        if sample.name == _REQUESTS:
            outcomes[labels.get("error_code", ""), labels.get("invalid_code", "")] += sample.value  # type: ignore[assignment]
        elif sample.name == _SECONDS and labels.get("stage") == "total":
            buckets[float(labels.get("le", "inf"))] += sample.value  # type: ignore[assignment]
        elif sample.name == _PACK:
            pack = labels.get("name", "")
        elif sample.name in _GAUGES:
            name = _GAUGES[sample.name]
            # On Ray, each replica has a sample.
            combined = _COMBINED.get(name, _sum)
            gauges[name] = combined(gauges[name], sample.value) if name in gauges else sample.value
    if "places" not in gauges:
        raise MetricsError("the reply has no metrics of facematch-local")
    return Snapshot(moment, dict(outcomes), dict(buckets), pack=pack, **gauges)


def _sum(one: float, other: float) -> float:
    return one + other
