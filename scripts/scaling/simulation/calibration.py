"""Settings of the simulated service, from the measured figures of a lone client and of the full service."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from scripts.scaling.figures import PackFigures, efficiency
from scripts.scaling.simulation.service import ServiceSettings


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What a scenario needs of a pack.

    Attributes:
        work: CPU seconds of a request on one core, a sample.
        service: settings of a process.
        fixed_seconds: of a request outside the cores.
    """

    work: tuple[float, ...]
    service: ServiceSettings
    fixed_seconds: float


def calibrate(pack: PackFigures, cores: int, *, with_clients: bool = False) -> Calibrated:
    """Derive the settings from two loads: a lone client, and the closed loop that saturates the service.

    - work: response times of the lone client on one core, scaled to the CPU time that the service spent;
    - slowdown: CPU time of a request of the full service, divided by that of the lone client on one core;
    - efficiency: see `figures.efficiency`; with the clients, time that other programs took is lost, too;
    - parallel: from the lone client's response times on one and on several cores;
    - fixed: what a lone client waits beyond the CPU time.

    Args:
        pack: its figures.
        cores: 1 or 2, as measured.
        with_clients: the clients' CPU time counts too, since they ran on the same cores (2).
    """
    lone, full = pack.lone(1), pack.saturated(cores)
    mean = statistics.fmean(pack.lone_ms) / 1000.0
    cpu = lone.server_cpu_ms / 1000.0
    full_cpu = (full.server_cpu_ms + (full.client_cpu_ms if with_clients else 0.0)) / 1000.0
    share = min(full.throughput * full_cpu / cores, 1.0) if with_clients else efficiency(pack, cores)
    fixed = max(mean - cpu / efficiency(pack, 1), 0.0)
    parallel = 0.0
    if cores > 1:
        alone = pack.lone(cores).server_cpu_ms / 1000.0
        shorter = 1.0 - (statistics.fmean(pack.lone_two_ms) / 1000.0 - fixed) / alone
        parallel = min(max(2.0 * shorter, 0.0), 1.0)
    service = ServiceSettings(cores=cores, parallel=parallel, efficiency=share, slowdown=full_cpu / cpu)
    return Calibrated(tuple(value / 1000.0 * cpu / mean for value in pack.lone_ms), service, fixed)
