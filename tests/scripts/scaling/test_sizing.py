"""The sizing model: arithmetic by hand, monotone in what it is given, clear errors."""

from __future__ import annotations

import dataclasses

import pytest

from scripts.scaling.bottlenecks import at_scale, shared_resources
from scripts.scaling.figures import FiguresError
from scripts.scaling.load import OfferedLoad, day_profile
from scripts.scaling.sizing import (
    MachineType,
    SizingError,
    Targets,
    services_a_machine,
    size,
    size_batch,
    usage_bytes_a_year,
)
from tests.scripts.scaling.figures_sample import sample

FIGURES = sample()
COUNTRY = OfferedLoad(100e6, 1.0, 10.0)
MACHINE = MachineType(16, 32.0)


def test_the_load_of_a_country() -> None:
    # 100 million in 30.4375 days of 86,400 s
    assert COUNTRY.mean_rate == pytest.approx(38.026, abs=1e-3)
    assert COUNTRY.peak_rate == pytest.approx(380.26, abs=1e-2)


@pytest.mark.parametrize("factor", [1.0, 1.5, 2.0, 10.0, 24.0])
def test_the_day_has_its_mean_and_its_peak(factor: float) -> None:
    profile = day_profile(factor)
    assert sum(profile) / 24 == pytest.approx(1.0)
    assert max(profile) == pytest.approx(factor)
    assert min(profile) >= 0.0


@pytest.mark.parametrize("numbers", [(-1.0, 1.0, 1.0), (1.0, float("nan"), 1.0), (1.0, 1.0, 0.5), (1.0, 1.0, 25.0)])
def test_an_impossible_load_is_refused(numbers: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="is not"):
        OfferedLoad(*numbers)


def test_the_country_by_hand() -> None:
    sizing = size(COUNTRY, FIGURES, "standard", MACHINE, Targets(utilisation=0.7, lost_machines=1))
    # 380.26 a second of 0.1 s each: 38.03 busy cores; 54.3 at 0.7; four machines of 16, and one that may fail.
    assert sizing.busy_cores == pytest.approx(38.026, abs=1e-3)
    assert (sizing.machines_needed, sizing.machines, sizing.services_a_machine) == (4, 5, 8)
    assert sizing.utilisation == pytest.approx(38.026 / 80, abs=1e-4)
    assert sizing.utilisation_lost == pytest.approx(38.026 / 64, abs=1e-4)
    assert sizing.transactions_peak == pytest.approx(3 * 380.26, abs=0.1)
    assert sizing.connections == 5 * 8 * 8
    assert sizing.bits_in == pytest.approx(8 * 380.26 * 670_000, rel=1e-4)
    assert sizing.access_log_bytes_a_day == pytest.approx(38.026 * 86_400 * 500, rel=1e-4)


def test_more_people_higher_peaks_and_stricter_targets_never_need_fewer_machines() -> None:
    small = MachineType(2, 8.0)  # so that every step shows

    def machines(load: OfferedLoad = COUNTRY, targets: Targets = Targets()) -> int:  # noqa: B008
        return size(load, FIGURES, "standard", small, targets).machines

    by_population = [machines(dataclasses.replace(COUNTRY, population=10.0**power)) for power in range(4, 10)]
    by_peak = [machines(dataclasses.replace(COUNTRY, peak_factor=factor)) for factor in (1, 5, 10, 24)]
    by_target = [machines(targets=Targets(utilisation=one)) for one in (0.95, 0.7, 0.5, 0.2)]
    by_p99 = [machines(targets=Targets(utilisation=0.99, p99_ms=one)) for one in (2000, 500, 150, 125)]
    by_loss = [machines(targets=Targets(lost_machines=one)) for one in (0, 1, 2)]
    for series in (by_population, by_peak, by_target, by_p99, by_loss):
        assert series == sorted(series)
        assert series[0] < series[-1]


def test_a_target_below_the_service_time_is_refused() -> None:
    with pytest.raises(SizingError, match="the comparison alone takes 120 ms"):
        size(COUNTRY, FIGURES, "standard", MACHINE, Targets(p99_ms=100.0))


def test_memory_limits_the_services() -> None:
    pack = FIGURES.pack("standard")
    assert services_a_machine(pack, MachineType(16, 32.0)) == 8
    assert services_a_machine(pack, MachineType(16, 3.2)) == 2  # 1.2 GiB for services of 512 MiB
    with pytest.raises(SizingError, match="do not hold a service"):
        services_a_machine(pack, MachineType(16, 2.2))


def test_the_bank_by_hand() -> None:
    bank = size_batch(10e6, 62.0, FIGURES, "standard", MACHINE)
    # 44.8 rows a second, 10 a core: 4.5 cores; one machine gives 160 rows a second.
    assert bank.cores == pytest.approx(4.480, abs=1e-3)
    assert bank.machines == 1
    assert bank.hours == pytest.approx(10e6 / 160 / 3600)
    assert bank.bytes_read == 10e6 * 500_000
    assert bank.bits_in == pytest.approx(8 * 160 * 500_000)


def test_counts_of_a_year() -> None:
    assert usage_bytes_a_year(FIGURES.database("postgresql"), 1000) == pytest.approx(100 * 1000 * 365.25)


def test_the_first_bottleneck_changes_with_the_scale() -> None:
    targets = Targets(utilisation=0.7)
    names = [at_scale(cores, FIGURES, "standard", targets).first.name for cores in (2, 16, 160, 16_000)]
    # Connections: 100 / 8 services of 14 matches a second; one key: 500 a second; at 16 cores 112 matches a second.
    assert names == ["the cores", "the cores", *["connections of PostgreSQL (100 by default)"] * 2]
    capacities = {one.name: one.capacity for one in shared_resources(FIGURES, "standard", targets)}
    assert capacities["connections of PostgreSQL (100 by default)"] == pytest.approx(100 / 8 * 14)
    assert capacities["the counter of one API key in PostgreSQL"] == 500.0
    assert list(capacities.values()) == sorted(capacities.values())


def test_missing_figures_are_named() -> None:
    with pytest.raises(FiguresError, match="no pack 'absent'; they have standard"):
        size(COUNTRY, FIGURES, "absent", MACHINE, Targets())
    with pytest.raises(FiguresError, match="no database 'sqlite'"):
        FIGURES.database("sqlite")
    with pytest.raises(FiguresError, match="no rate of postgresql with 7 keys"):
        FIGURES.database("postgresql").most(7)
