"""The file of figures: read as written, clear errors; what calibration and sizing take from it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from scripts.scaling.figures import FiguresError, efficiency, read_figures, service_seconds, write_figures
from scripts.scaling.simulation.calibration import calibrate
from tests.scripts.scaling.figures_sample import LONE_MS, sample

FIGURES = sample()
PACK = FIGURES.pack("standard")


def test_figures_are_read_as_written(tmp_path: Path) -> None:
    write_figures(FIGURES, tmp_path / "figures.json")
    assert read_figures(tmp_path / "figures.json") == FIGURES


@pytest.mark.parametrize(
    ("text", "reason"), [("{}", "has another form"), ("no JSON", "has another form"), (None, "cannot be read")]
)
def test_a_bad_file_is_named(tmp_path: Path, text: str | None, reason: str) -> None:
    path = tmp_path / "mine.json"
    if text is not None:
        path.write_text(text, "utf-8")
    with pytest.raises(FiguresError, match=rf"^mine.json {reason}"):
        read_figures(path)


def test_the_full_service_is_the_closed_loop_with_the_most_answers() -> None:
    assert PACK.saturated(2).throughput == 20.0
    assert PACK.lone(2).throughput == 14.0


def test_efficiency_counts_clients_and_other_programs_on_the_same_cores() -> None:
    def with_full(**changes: float) -> float:
        points = (*PACK.points[:3], dataclasses.replace(PACK.points[3], **changes))
        return efficiency(dataclasses.replace(PACK, points=points), 2)

    assert with_full() == pytest.approx(1.0)  # 20 a second of 100 ms on two cores
    assert with_full(throughput=18.0) == pytest.approx(0.9)
    assert with_full(throughput=18.0, client_cpu_ms=5.0) == pytest.approx(0.945)
    assert with_full(throughput=18.0, others=0.1) == pytest.approx(1.8 / 1.9)


def test_service_seconds_have_the_spread_of_the_lone_client_and_the_mean_of_the_full_service() -> None:
    points = (*PACK.points[:3], dataclasses.replace(PACK.points[3], server_cpu_ms=120.0, throughput=15.0))
    seconds = service_seconds(dataclasses.replace(PACK, points=points), 2)
    # 120 ms at an efficiency of 15 x 0.12 / 2 = 0.9
    assert sum(seconds) / len(seconds) == pytest.approx(0.120 / 0.9)
    assert seconds[0] / seconds[2] == pytest.approx(LONE_MS[0] / LONE_MS[2])


def test_calibration_finds_a_service_that_was_made_up() -> None:
    # 90 ms of CPU time and 10 ms beside it; of 99 ms on two cores (slowdown 1.1) two thirds run in parallel.
    parallel, cpu, slowdown, fixed = 2 / 3, 90.0, 1.1, 10.0
    lone_two = tuple(fixed + cpu * slowdown * (1 - parallel / 2) * value / 100.0 for value in LONE_MS)
    points = (
        dataclasses.replace(PACK.points[0], server_cpu_ms=cpu),
        dataclasses.replace(PACK.points[1], server_cpu_ms=cpu, throughput=1000 / cpu),
        dataclasses.replace(PACK.points[2], server_cpu_ms=cpu * slowdown),
        dataclasses.replace(PACK.points[3], server_cpu_ms=cpu * slowdown, throughput=0.95 * 2000 / cpu / slowdown),
    )
    found = calibrate(dataclasses.replace(PACK, points=points, lone_two_ms=lone_two), 2)
    assert 1000 * sum(found.work) / len(found.work) == pytest.approx(cpu)
    assert 1000 * found.fixed_seconds == pytest.approx(fixed)
    assert found.service.slowdown == pytest.approx(slowdown)
    assert found.service.efficiency == pytest.approx(0.95)
    assert found.service.parallel == pytest.approx(parallel)
