"""Figures from two snapshots: rates, quantiles, outcomes, restarts."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from facematch_server.metrics import Metrics
from facematch_server.top.activity import activity, quantile, total
from facematch_server.top.snapshot import MetricsError, Snapshot, parse

FIRST = Snapshot(
    100.0,
    outcomes={("0", "0"): 10, ("0", "7"): 1},
    buckets={0.1: 5, 0.2: 11, math.inf: 11},
    cpu_seconds=3.0,
    started=50.0,
)
LATER = Snapshot(
    110.0,
    outcomes={("0", "0"): 24, ("0", "7"): 4, ("5", ""): 2, ("503", ""): 1},
    buckets={0.1: 5, 0.2: 21, math.inf: 31},
    cpu_seconds=18.0,
    started=50.0,
    in_flight=3,
    places=34,
)


def test_between_two_snapshots() -> None:
    found = activity(FIRST, LATER)
    assert found.seconds == 10.0
    assert found.rate == pytest.approx(2.0)
    assert found.errors == 3
    assert found.warnings == 3
    assert found.answered == 20
    assert found.cpus == pytest.approx(1.5)
    # Of 20 comparisons 10 took 0.1 to 0.2 s, the other 10 more than the largest bound.
    assert found.p50 == pytest.approx(0.2)
    assert found.p99 == pytest.approx(0.2)


def test_the_first_snapshot_is_about_the_time_since_the_start() -> None:
    found = activity(None, FIRST)
    assert found.seconds == 50.0
    assert found.rate == pytest.approx(11 / 50)
    assert found.cpus == pytest.approx(3 / 50)
    assert activity(None, replace(FIRST, started=0.0)).rate == 0.0  # the system does not tell the start


@pytest.mark.parametrize(
    "restarted",
    [
        replace(LATER, started=105.0, outcomes={("0", "0"): 2}),
        replace(LATER, started=105.0),
        replace(LATER, outcomes={("0", "0"): 2}),
    ],
)
def test_a_restart_begins_anew(restarted: Snapshot) -> None:
    found = activity(FIRST, restarted)
    assert found.outcomes == restarted.outcomes
    assert found.seconds == 110.0 - restarted.started


def test_the_sum_of_services_has_the_quantiles_of_all() -> None:
    slow = replace(LATER, buckets={0.1: 5, 0.2: 11, math.inf: 11}, outcomes=FIRST.outcomes)
    quick = replace(LATER, buckets={0.1: 405, 0.2: 411, math.inf: 411}, outcomes={("0", "0"): 410, ("0", "7"): 1})
    found = total([activity(FIRST, slow), activity(FIRST, quick)])
    assert found.rate == pytest.approx(40.0)
    assert found.p50 == pytest.approx(0.05)
    assert found.state.places == 68
    assert total([]).p50 is None


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0.0), (0.25, 0.05), (0.5, 0.1), (0.75, 0.15), (1.0, 0.2)])
def test_quantiles_are_interpolated(share: float, expected: float) -> None:
    assert quantile({0.1: 10, 0.2: 20, math.inf: 20}, share) == pytest.approx(expected)


def test_quantiles_without_a_value_and_beyond_the_bounds() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({0.1: 0, math.inf: 0}, 0.5) is None
    assert quantile({0.1: 0, math.inf: 5}, 0.5) == 0.1


def test_the_metrics_of_this_service_are_read() -> None:
    metrics = Metrics()
    metrics.describe_pack({"name": "standard"})
    metrics.watch("facematch_places", "", lambda: 34.0)
    metrics.watch("facematch_places_taken", "", lambda: 2.0)
    for code, invalid in (("0", "0"), ("0", "7"), ("5", "")):
        metrics.count_outcome("face_matching", code, invalid)
        metrics.observe({"total": 0.15, "decode": 0.01})
    metrics.count_outcome("compare", "0", "0")
    found = parse(metrics.text().decode(), 7.0)
    assert found.outcomes == {("0", "0"): 2, ("0", "7"): 1, ("5", ""): 1}
    assert found.buckets[math.inf] == 3
    assert found.buckets[0.1] == 0
    assert (found.pack, found.places, found.in_flight, found.moment) == ("standard", 34, 2, 7.0)
    assert found.started > 0


def test_the_samples_of_replicas_become_one() -> None:
    lines = []
    for replica, draining, start in (("a", 0, 70), ("b", 1, 50)):
        label = f'{{replica="{replica}"}}'
        lines += [f"facematch_places{label} 34", f"facematch_waiting{label} 2", f"facematch_draining{label} {draining}"]
        lines += [f"process_start_time_seconds{label} {start}", f"process_cpu_seconds_total{label} 1.5"]
    found = parse("\n".join(lines) + "\n", 100.0)
    assert (found.places, found.waiting, found.draining, found.started, found.cpu_seconds) == (68, 4, 1, 50, 3)


@pytest.mark.parametrize("text", ["", "<html>no</html>", "other_metric 1\n", "facematch_places{ 3"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(MetricsError):
        parse(text, 0.0)
