"""The measured figures: plain data, written by `measure`, committed as `figures.json`, read by model and simulation."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

_T = TypeVar("_T")

FIGURES: Final = Path(__file__).with_name("figures.json")


class FiguresError(Exception):
    """The figures cannot be read, or lack something."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Where and when the figures were measured.

    Attributes:
        date: ISO date.
        commit: short hash of the measured tree.
        cpu: name of the processor.
        cores: usable cores.
        memory_gib: memory of the machine.
        python: its version.
        rounds: rounds of each measurement; figures are medians over them.
        load_before, load_after: load average over one minute.
        others: cores that other programs kept busy meanwhile, on average.
    """

    date: str
    commit: str
    cpu: str
    cores: int
    memory_gib: float
    python: str
    rounds: int
    load_before: float
    load_after: float
    others: float


@dataclass(frozen=True, slots=True)
class LoadPoint:
    """The service under one load, over HTTP.

    Attributes:
        cores: cores of the service.
        arrivals: `closed`: each client sends its next request after the reply; `open`: Poisson arrivals.
        clients: clients of a closed loop; 0 for an open one.
        rate: arrivals a second of an open loop; 0 for a closed one.
        requests: requests sent.
        throughput: answered requests a second.
        p50_ms, p95_ms, p99_ms: quantiles of the answered requests, from the arrival.
        refused: requests with 503.
        server_cpu_ms: CPU time of the service and its decoders for an answered request.
        client_cpu_ms: CPU time of the client for a request.
        others: cores that other programs kept busy meanwhile.
    """

    cores: int
    arrivals: Literal["closed", "open"]
    clients: int
    rate: float
    requests: int
    throughput: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    refused: int
    server_cpu_ms: float
    client_cpu_ms: float
    others: float


@dataclass(frozen=True, slots=True)
class MemoryFigures:
    """Proportional set size of a service with its decoders, MiB.

    Attributes:
        rest: ready, before the first request.
        load: the most while requests ran.
        second_service: what an independent second service on the machine adds at rest.
        further_worker: what a worker of `serve --workers` adds at rest; None where the option does not exist.
    """

    rest: float
    load: float
    second_service: float
    further_worker: float | None


@dataclass(frozen=True, slots=True)
class PackFigures:
    """The cost of a match with one pack, for a mix of photos.

    Attributes:
        pack: its name.
        library_cpu_ms: CPU time of `FaceMatcher.match` on one core, mean over the mix.
        stages_ms: the same by stage, both photos together.
        lone_ms: response times of a lone client, one core, a sample over the mix.
        lone_two_ms: the same with two cores.
        points: the service under several loads.
        memory: of the service with its default number of threads.
        start_seconds: from the command to the first ready reply.
    """

    pack: str
    library_cpu_ms: float
    stages_ms: dict[str, float]
    lone_ms: tuple[float, ...]
    lone_two_ms: tuple[float, ...]
    points: tuple[LoadPoint, ...]
    memory: MemoryFigures
    start_seconds: float

    def lone(self, cores: int) -> LoadPoint:
        """The closed loop of one client."""
        return next(point for point in self.points if point.cores == cores and point.clients == 1)

    def saturated(self, cores: int) -> LoadPoint:
        """The closed loop with the highest throughput."""
        closed = [point for point in self.points if point.cores == cores and point.arrivals == "closed"]
        return max(closed, key=lambda point: point.throughput)


@dataclass(frozen=True, slots=True)
class CommitRate:
    """Counts that the database commits a second: the statement that counts a match, a transaction of its own.

    Attributes:
        keys: API keys that the matches spread over.
        clients: transactions in flight.
        commits: a second.
        mean_ms: time of one.
    """

    keys: int
    clients: int
    commits: float
    mean_ms: float


@dataclass(frozen=True, slots=True)
class DatabaseFigures:
    """The cost of a match in the database.

    Attributes:
        kind: `sqlite` or `postgresql`.
        round_trips: messages to the server that wait for a reply, a match; 0 for SQLite.
        round_trips_quota: the same for a key with a quota.
        transactions: a match, of a key with a quota; 0 for SQLite.
        admit_ms, commit_ms: of a lone match with a quota, medians.
        server_cpu_ms: CPU time of the server's processes a match; 0 for SQLite.
        log_bytes: write-ahead log a match.
        usage_row_bytes: disk that a key takes for each day, index included.
        connections: that one service holds under load; 0 for SQLite.
        fsync_ms: of a write to the disk of the log.
        rates: under load; on PostgreSQL by pgbench, client and server on the same cores.
    """

    kind: Literal["sqlite", "postgresql"]
    round_trips: float
    round_trips_quota: float
    transactions: float
    admit_ms: float
    commit_ms: float
    server_cpu_ms: float
    log_bytes: float
    usage_row_bytes: float
    connections: int
    fsync_ms: float
    rates: tuple[CommitRate, ...]

    def most(self, keys: int) -> float:
        """The highest measured rate with so many keys, commits a second.

        Raises:
            FiguresError: nobody measured that.
        """
        rates = [rate.commits for rate in self.rates if rate.keys == keys]
        if not rates:
            raise FiguresError(f"the figures have no rate of {self.kind} with {keys} keys; run measure again")
        return max(rates)


@dataclass(frozen=True, slots=True)
class PhotoCost:
    """Bytes and CPU time by the size of the photos.

    Attributes:
        megapixels: of each of both photos.
        jpeg_bytes: both files.
        base64_bytes, file_bytes: the request with heads, as base64 JSON and as a multipart form.
        reply_bytes: with heads and both crops.
        cpu_ms: of `FaceMatcher.match` with the first measured pack.
        share: part of the mix.
    """

    megapixels: float
    jpeg_bytes: int
    base64_bytes: int
    file_bytes: int
    reply_bytes: int
    cpu_ms: float
    share: float


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """`facematch batch` on two cores.

    Attributes:
        pack: its name.
        rows_a_second: on the clock.
        cpu_ms_a_row: CPU time.
        result_bytes: a row of the CSV result.
    """

    pack: str
    rows_a_second: float
    cpu_ms_a_row: float
    result_bytes: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that model and simulation take from the measurement."""

    conditions: Conditions
    packs: tuple[PackFigures, ...]
    databases: tuple[DatabaseFigures, ...]
    photos: tuple[PhotoCost, ...]
    batch: tuple[BatchFigures, ...]
    access_log_bytes: float

    def pack(self, name: str) -> PackFigures:
        """Figures of a pack.

        Raises:
            FiguresError: nobody measured it.
        """
        return _named(self.packs, name, "pack", [pack.pack for pack in self.packs])

    def database(self, kind: str) -> DatabaseFigures:
        """Figures of `sqlite` or `postgresql`.

        Raises:
            FiguresError: nobody measured it.
        """
        return _named(self.databases, kind, "database", [database.kind for database in self.databases])

    def batch_of(self, pack: str) -> BatchFigures:
        """Figures of the batch with a pack.

        Raises:
            FiguresError: nobody measured it.
        """
        return _named(self.batch, pack, "batch with the pack", [batch.pack for batch in self.batch])

    @property
    def request_bytes(self) -> float:
        """Mean of a base64 request over the mix."""
        return sum(photo.share * photo.base64_bytes for photo in self.photos)

    @property
    def reply_bytes(self) -> float:
        """Mean of a reply over the mix."""
        return sum(photo.share * photo.reply_bytes for photo in self.photos)

    @property
    def stored_bytes(self) -> float:
        """Mean of both files over the mix, as an object store holds them."""
        return sum(photo.share * photo.jpeg_bytes for photo in self.photos)


def efficiency(pack: PackFigures, cores: int) -> float:
    """Part of the time of its cores that the full service computes; the rest passes in waiting for each other.

    Where the service had all cores of the machine (2), its clients ran on them too, and other programs may have.
    """
    full = pack.saturated(cores)
    clients, others = (full.client_cpu_ms, full.others) if cores > 1 else (0.0, 0.0)
    busy = full.throughput * (full.server_cpu_ms + clients) / 1000.0
    return min(busy / max(cores - others, 0.1), 1.0)


def service_seconds(pack: PackFigures, cores: int) -> tuple[float, ...]:
    """Core seconds of the requests of the mix, a sample: the spread of a lone client, the mean of the full service."""
    factor = pack.saturated(cores).server_cpu_ms / statistics.fmean(pack.lone_ms) / 1000.0 / efficiency(pack, cores)
    return tuple(value * factor for value in pack.lone_ms)


def read_figures(path: Path = FIGURES) -> Figures:
    """Read a file of `measure`.

    Raises:
        FiguresError: it is missing or of another form.
    """
    return read_json(Figures, path, "measure")


def read_json(kind: type[_T], path: Path, command: str) -> _T:
    """Read a JSON file of dataclasses that `python -m scripts.scaling.COMMAND` writes.

    Raises:
        FiguresError: it is missing or of another form.
    """
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except OSError as error:
        raise FiguresError(
            f"{path.name} cannot be read: {error.strerror}; python -m scripts.scaling.{command}"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise FiguresError(f"{path.name} has another form: {place}: {first['msg']}; run {command} again") from None


def write_figures(figures: Figures, path: Path = FIGURES) -> None:
    """Write the figures as JSON."""
    path.write_bytes(TypeAdapter(Figures).dump_json(figures, indent=1) + b"\n")


def _named(items: tuple[_T, ...], name: str, noun: str, names: list[str]) -> _T:
    for item, its_name in zip(items, names, strict=True):
        if its_name == name:
            return item
    raise FiguresError(f"the figures have no {noun} {name!r}; they have {', '.join(names) or 'none'}")
