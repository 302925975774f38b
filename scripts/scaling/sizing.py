"""The sizing model: from a load and the measured figures to cores, machines, database, network and storage."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scripts.scaling.figures import DatabaseFigures, Figures, PackFigures, service_seconds
from scripts.scaling.load import SECONDS_A_DAY, OfferedLoad
from scripts.scaling.queueing import Queue, response_quantile

# The measurement ran the service with two threads on two cores; larger machines run several such processes.
CORES_A_SERVICE = 2
_GIB = 1024.0


class SizingError(Exception):
    """No number of machines gives what is asked for."""


@dataclass(frozen=True, slots=True)
class MachineType:
    """A machine to buy.

    Attributes:
        cores: of the speed of the measured ones, 2 or more.
        memory_gib: in all.
        reserved_gib: for the operating system and everything else.
    """

    cores: int
    memory_gib: float
    reserved_gib: float = 2.0

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: too few cores or too little memory.
        """
        if self.cores < CORES_A_SERVICE:
            raise ValueError(f"a machine has at least {CORES_A_SERVICE} cores")
        if self.memory_gib <= self.reserved_gib:
            raise ValueError(f"a machine has more than {self.reserved_gib:g} GiB of memory")


@dataclass(frozen=True, slots=True)
class Targets:
    """What the service must keep at the peak.

    Attributes:
        utilisation: of the cores, at most, below 1, while machines are lost.
        p99_ms: response time of 99 of 100 requests, at most.
        lost_machines: machines that may fail at the same time.
    """

    utilisation: float = 0.7
    p99_ms: float = 1000.0
    lost_machines: int = 1

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: a number is out of its range.
        """
        if not 0.0 < self.utilisation < 1.0:
            raise ValueError("utilisation is not between 0 and 1")
        if self.p99_ms <= 0.0 or self.lost_machines < 0:
            raise ValueError("p99_ms is not above 0, or lost_machines is below 0")


@dataclass(frozen=True, slots=True)
class Sizing:
    """What a load needs.

    Attributes:
        mean_rate, peak_rate: matches a second.
        rate_a_core: matches a second of a busy core.
        services_a_machine: processes of two threads that cores and memory of a machine allow.
        machines: with those that may be lost.
        machines_needed: without them.
        busy_cores: that compute at the peak on average.
        utilisation: of the services' cores at the peak, all machines up.
        utilisation_lost: the same with the machines lost.
        p99_ms, p99_lost_ms: response times at the peak.
        transactions_mean, transactions_peak: of the database, a second.
        connections: of the database.
        log_bytes_a_day: write-ahead log of the database.
        access_log_bytes_a_day: log lines of the service.
        bits_in, bits_out: a second at the peak, requests and replies.
    """

    mean_rate: float
    peak_rate: float
    rate_a_core: float
    services_a_machine: int
    machines: int
    machines_needed: int
    busy_cores: float
    utilisation: float
    utilisation_lost: float
    p99_ms: float
    p99_lost_ms: float
    transactions_mean: float
    transactions_peak: float
    connections: int
    log_bytes_a_day: float
    access_log_bytes_a_day: float
    bits_in: float
    bits_out: float


def size(load: OfferedLoad, figures: Figures, pack_name: str, machine: MachineType, targets: Targets) -> Sizing:
    """The smallest number of equal machines that keeps the targets at the peak with the lost machines missing.

    The balancer sends each request to the service with the fewest requests in flight, so all cores are taken as one
    queue (M/G/c); `simulate` checks that.

    Raises:
        FiguresError: the figures lack the pack or PostgreSQL.
        SizingError: the service time alone exceeds the target, or the machine's memory does not hold a service.
    """
    pack, database = figures.pack(pack_name), figures.database("postgresql")
    services = services_a_machine(pack, machine)
    service = service_seconds(pack, CORES_A_SERVICE)
    cores = services * CORES_A_SERVICE
    needed = _machines_needed(load.peak_rate, service, cores, targets)
    machines = needed + targets.lost_machines
    full, lost = (Queue(count * cores, load.peak_rate, service) for count in (machines, needed))
    return Sizing(
        mean_rate=load.mean_rate,
        peak_rate=load.peak_rate,
        rate_a_core=1.0 / full.mean_service,
        services_a_machine=services,
        machines=machines,
        machines_needed=needed,
        busy_cores=full.offered,
        utilisation=full.utilisation,
        utilisation_lost=lost.utilisation,
        p99_ms=1000.0 * response_quantile(full),
        p99_lost_ms=1000.0 * response_quantile(lost),
        transactions_mean=load.mean_rate * database.transactions,
        transactions_peak=load.peak_rate * database.transactions,
        connections=machines * services * database.connections,
        log_bytes_a_day=load.mean_rate * SECONDS_A_DAY * database.log_bytes,
        access_log_bytes_a_day=load.mean_rate * SECONDS_A_DAY * figures.access_log_bytes,
        bits_in=8.0 * load.peak_rate * figures.request_bytes,
        bits_out=8.0 * load.peak_rate * figures.reply_bytes,
    )


def services_a_machine(pack: PackFigures, machine: MachineType) -> int:
    """Processes of two threads on a machine: one for each two cores, if the memory suffices.

    Raises:
        SizingError: the memory does not hold one.
    """
    by_memory = int((machine.memory_gib - machine.reserved_gib) * _GIB // pack.memory.load)
    if by_memory < 1:
        raise SizingError(f"{machine.memory_gib:g} GiB do not hold a service of {pack.memory.load:.0f} MiB")
    return min(machine.cores // CORES_A_SERVICE, by_memory)


def usage_bytes_a_year(database: DatabaseFigures, keys: int) -> float:
    """Disk that the counts of so many keys take in a year, if all keys are used daily."""
    return database.usage_row_bytes * keys * 365.25


def _machines_needed(peak_rate: float, service: tuple[float, ...], cores: int, targets: Targets) -> int:
    most = targets.p99_ms / 1000.0
    if response_quantile(Queue(1, 0.0, service)) > most:
        longest = 1000.0 * response_quantile(Queue(1, 0.0, service))
        raise SizingError(f"the comparison alone takes {longest:.0f} ms (p99), more than the {targets.p99_ms:g} asked")
    busy = peak_rate * sum(service) / len(service)
    machines = max(1, math.ceil(busy / (targets.utilisation * cores)))
    while response_quantile(Queue(machines * cores, peak_rate, service)) > most:
        machines += 1
    return machines


@dataclass(frozen=True, slots=True)
class BatchSizing:
    """What a list of pairs needs.

    Attributes:
        rows_a_second: needed.
        cores: busy cores.
        machines: without a reserve, since `--resume` goes on after a loss.
        hours: that these machines take.
        bytes_read: photos.
        bytes_written: the result.
        bits_in: a second from the object store, at the speed of these machines.
    """

    rows_a_second: float
    cores: float
    machines: int
    hours: float
    bytes_read: float
    bytes_written: float
    bits_in: float


def size_batch(pairs: float, hours: float, figures: Figures, pack_name: str, machine: MachineType) -> BatchSizing:
    """The machines that compare `pairs` within `hours`.

    Raises:
        FiguresError: the figures lack the batch with this pack.
        ValueError: a number is not above 0.
    """
    if pairs <= 0 or hours <= 0:
        raise ValueError("pairs and hours are not above 0")
    batch = figures.batch_of(pack_name)
    rate_a_core = batch.rows_a_second / 2.0
    needed = pairs / hours / 3600.0
    machines = math.ceil(needed / rate_a_core / machine.cores)
    rate = machines * machine.cores * rate_a_core
    return BatchSizing(
        rows_a_second=needed,
        cores=needed / rate_a_core,
        machines=machines,
        hours=pairs / rate / 3600.0,
        bytes_read=pairs * figures.stored_bytes,
        bytes_written=pairs * batch.result_bytes,
        bits_in=8.0 * rate * figures.stored_bytes,
    )
