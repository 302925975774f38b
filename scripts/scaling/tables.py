"""The tables of docs/scaling.md as Markdown, from figures and results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from scripts.scaling.bottlenecks import at_scale
from scripts.scaling.experiments import COUNTRY, MACHINE, PACK, TARGETS, Simulated
from scripts.scaling.figures import Figures, PackFigures, efficiency, service_seconds
from scripts.scaling.load import OfferedLoad
from scripts.scaling.simulation.validation import Compared
from scripts.scaling.sizing import size, size_batch, usage_bytes_a_year

# Cores that other programs may keep busy on a machine that counts as idle.
_IDLE: Final = 0.2
# Share of its capacity from which a resource is named.
_NEARLY_FULL: Final = 0.5
_BANK_PAIRS: Final = 10e6
_BANK_HOURS: Final = 62.0
_LOADS: Final = (
    ("a bank: 1 million, once a month", OfferedLoad(1e6, 1.0, 10.0)),
    ("10 million, once a month", OfferedLoad(10e6, 1.0, 10.0)),
    ("a country: 100 million, once a month", COUNTRY),
    ("100 million, once a week", OfferedLoad(100e6, 4.35, 10.0)),
    ("100 million, once a day", OfferedLoad(100e6, 30.4, 10.0)),
)
_SCALES: Final = ((1, "one core"), (16, "one machine"), (160, "ten machines"), (1600, "100"), (16_000, "1,000"))


def all_tables(figures: Figures, simulated: Simulated) -> dict[str, str]:
    """Name and text of every generated part of the page."""
    tables: dict[str, Callable[[], str]] = {
        "conditions": lambda: _conditions(figures),
        "packs": lambda: _packs(figures),
        "photos": lambda: _photos(figures),
        "database": lambda: _database(figures),
        "sizing": lambda: _sizing(figures),
        "country": lambda: _country(figures),
        "bank": lambda: _bank(figures),
        "bottlenecks": lambda: _bottlenecks(figures),
        "validation": lambda: validation_table(simulated.validation) + "\n\n" + _errors(simulated.validation),
        "simulated": lambda: _simulated(simulated),
    }
    return {name: table() for name, table in tables.items()}


def validation_table(compared: Sequence[Compared]) -> str:
    """Measurement and simulation side by side."""
    rows = [
        (
            one.pack,
            str(one.cores),
            f"{one.rate:.1f}",
            str(one.requests),
            *(f"{measured:.0f} / {made:.0f}" for measured, made in (one.p50_ms, one.p99_ms)),
            f"{one.p99_range[0]:.0f} to {one.p99_range[1]:.0f}",
            f"{one.throughput[0]:.1f} / {one.throughput[1]:.1f}",
            f"{one.refused[0]:.0%} / {one.refused[1]:.0%}",
        )
        for one in compared
    ]
    head = (
        "Pack",
        "Cores",
        "Arrivals a second",
        "Requests",
        "p50, ms",
        "p99, ms",
        "p99 of 95 % of runs",
        "Answered",
        "503",
    )
    return _table(head, rows)


def _errors(compared: Sequence[Compared]) -> str:
    def worst(pairs: Sequence[tuple[float, float]]) -> float:
        return max((abs(made / measured - 1.0) for measured, made in pairs), default=0.0)

    inside = sum(one.inside for one in compared)
    return (
        f"Largest error of the simulation: p50 {worst([one.p50_ms for one in compared]):.0%}, "
        f"p99 {worst([one.p99_ms for one in compared]):.0%}, "
        f"answered requests {worst([one.throughput for one in compared]):.0%}. "
        f"The measured p99 lies within the range of {inside} of {len(compared)} loads."
    )


def _conditions(figures: Figures) -> str:
    at = figures.conditions
    text = (
        f"Measured on {at.date} (commit `{at.commit}`) on {at.cores} cores of an {at.cpu}, {at.memory_gib:g} GiB, "
        f"Python {at.python}, {at.rounds} round{'' if at.rounds == 1 else 's'}. "
        f"Load average {at.load_before:g} before and {at.load_after:g} after; "
        f"other programs kept {at.others:g} cores busy."
    )
    if at.others > _IDLE:
        text += (
            " **The machine was busy, so these figures are provisional**: CPU times and what follows from them hold "
            "roughly; times and rates on the clock, and the comparison with the simulation, do not."
        )
    return text


def _packs(figures: Figures) -> str:
    packs = figures.packs
    stages = ("decode", "detect", "embed", "checks")

    def row(name: str, value: Callable[[PackFigures], str]) -> tuple[str, ...]:
        return (name, *(value(pack) for pack in packs))

    rows = [
        row(
            "matches a second a core, by CPU time",
            lambda pack: f"{len(pack.lone_ms) / sum(service_seconds(pack, 2)):.1f}",
        ),
        row("matches a second over HTTP, one core", lambda pack: f"{pack.saturated(1).throughput:.1f}"),
        row("the same, one process on two cores", lambda pack: f"{pack.saturated(2).throughput:.1f}"),
        row("CPU time a match over HTTP, one core", lambda pack: f"{pack.saturated(1).server_cpu_ms:.0f} ms"),
        row("the same, two cores", lambda pack: f"{pack.saturated(2).server_cpu_ms:.0f} ms"),
        row("part of two cores' time that computes", lambda pack: f"{efficiency(pack, 2):.0%}"),
        row("CPU time of the library call", lambda pack: f"{pack.library_cpu_ms:.0f} ms"),
        *(row(f"- {stage}", lambda pack, stage=stage: f"{pack.stages_ms[stage]:.0f} ms") for stage in stages),  # type: ignore[misc]
        row("lone client, one core: p50", lambda pack: f"{pack.lone(1).p50_ms:.0f} ms"),
        row("lone client, two cores: p50", lambda pack: f"{pack.lone(2).p50_ms:.0f} ms"),
        row("memory of a process at rest", lambda pack: f"{pack.memory.rest:.0f} MiB"),
        row("the most under load", lambda pack: f"{pack.memory.load:.0f} MiB"),
        row("a second, separate process adds", lambda pack: f"{pack.memory.second_service:.0f} MiB"),
        row("a further worker of `serve --workers` adds", lambda pack: _mib(pack.memory.further_worker)),
        row("from the start to the first request", lambda pack: f"{pack.start_seconds:.1f} s"),
        row("`facematch batch` on two cores, rows a second", lambda p: f"{figures.batch_of(p.pack).rows_a_second:.1f}"),
    ]
    return _table(("", *(f"`{pack.pack}`" for pack in packs)), rows)


def _photos(figures: Figures) -> str:
    rows = [
        (
            f"{one.megapixels:.1f}",
            f"{one.share:.0%}",
            _kb(one.jpeg_bytes),
            _kb(one.base64_bytes),
            _kb(one.file_bytes),
            _kb(one.reply_bytes),
            f"{one.cpu_ms:.0f} ms",
        )
        for one in figures.photos
    ]
    files = sum(one.share * one.file_bytes for one in figures.photos)
    means = (_kb(figures.stored_bytes), _kb(figures.request_bytes), _kb(files), _kb(figures.reply_bytes), "")
    rows.append(("mean", "", *means))
    head = (
        "Megapixels of each photo",
        "Share",
        "Both files (object store)",
        "Request, base64",
        "Request, file",
        "Reply",
    )
    return _table((*head, f"CPU time, `{figures.packs[0].pack}`"), rows)


def _database(figures: Figures) -> str:
    rows = [
        ("round trips a match, key without quota", "0", _of(figures, "round_trips", "{:.0f}")),
        ("round trips a match, key with a quota", "0", _of(figures, "round_trips_quota", "{:.0f}")),
        ("transactions a match, key with a quota", "", _of(figures, "transactions", "{:.0f}")),
        *(
            (name, f"{getattr(figures.database('sqlite'), field):.1f}", _of(figures, field, "{:.1f}"))
            for name, field in (
                ("time to admit, lone, ms", "admit_ms"),
                ("time to count, lone, ms", "commit_ms"),
            )
        ),
        ("CPU time of the server a match, ms", "in the service", _of(figures, "server_cpu_ms", "{:.2f}")),
        ("counts a second, one key, 16 at once", f"{figures.database('sqlite').most(1):.0f}", _rate(figures, 1)),
        ("counts a second, 64 keys, 16 at once", "", _rate(figures, 64)),
        ("flush of its log to this disk, ms", "", _of(figures, "fsync_ms", "{:.2f}")),
        ("bytes of its log a match", "", _of(figures, "log_bytes", "{:.0f}")),
        (
            "bytes a key and day",
            f"{figures.database('sqlite').usage_row_bytes:.0f}",
            _of(figures, "usage_row_bytes", "{:.0f}"),
        ),
        ("connections of a process", "", _of(figures, "connections", "{:.0f}")),
    ]
    return _table(("", "SQLite", "PostgreSQL"), rows)


def _sizing(figures: Figures) -> str:
    rows = []
    for name, load in _LOADS:
        sizes = [size(load, figures, pack.pack, MACHINE, TARGETS) for pack in figures.packs]
        last = sizes[-1]
        rows.append(
            (
                name,
                f"{load.mean_rate:,.1f}",
                f"{load.peak_rate:,.0f}",
                *(f"{one.machines:,}" for one in sizes),
                f"{last.p99_lost_ms:.0f} ms",
                f"{last.transactions_peak:,.0f}",
                f"{last.bits_in / 1e9:,.2f}",
            )
        )
    machines = tuple(f"Machines, `{pack.pack}`" for pack in figures.packs)
    head = ("People", "Mean rate", "Peak rate", *machines, "p99, one lost", "Transactions a second", "Gbit/s in")
    return _table(head, rows)


def _country(figures: Figures) -> str:
    sizing, database = size(COUNTRY, figures, PACK, MACHINE, TARGETS), figures.database("postgresql")
    small = replace(COUNTRY, peak_factor=1.0)
    flat = size(small, figures, PACK, MACHINE, TARGETS)
    keys = 1000
    rows = [
        ("matches a second", f"{sizing.mean_rate:.1f} on average, {sizing.peak_rate:.0f} in the peak hour"),
        ("busy cores at the peak", f"{sizing.busy_cores:.0f}, at {sizing.rate_a_core:.1f} matches a second each"),
        (
            "machines of 16 cores and 32 GiB",
            f"**{sizing.machines}**, one of which may fail; {flat.machines} if the peak were spread over the day",
        ),
        ("services on each", f"{sizing.services_a_machine} processes of two threads"),
        (
            "utilisation at the peak",
            f"{sizing.utilisation:.0%}, and {sizing.utilisation_lost:.0%} with a machine lost",
        ),
        ("p99 at the peak", f"{sizing.p99_ms:.0f} ms, and {sizing.p99_lost_ms:.0f} ms with a machine lost"),
        (
            "transactions of PostgreSQL a second",
            f"{sizing.transactions_mean:.0f} on average, {sizing.transactions_peak:.0f} at the peak: "
            f"{sizing.peak_rate * database.server_cpu_ms / 1000.0:.1f} busy cores",
        ),
        ("connections of PostgreSQL", f"{sizing.connections}"),
        (
            "size of the database",
            f"{usage_bytes_a_year(database, keys) / 1e6:.0f} MB a year with {keys:,} keys; its log "
            f"{sizing.log_bytes_a_day / 1e9:.1f} GB a day, if you archive it",
        ),
        ("network at the peak", f"{sizing.bits_in / 1e9:.2f} Gbit/s in, {sizing.bits_out / 1e9:.2f} Gbit/s out"),
        (
            "storage",
            f"{sizing.access_log_bytes_a_day / 1e9:.1f} GB of log lines a day; the service stores no photos",
        ),
    ]
    return _table(("", f"100 million people, `{PACK}`"), rows)


def _bank(figures: Figures) -> str:
    rows = []
    for pack in figures.packs:
        bank = size_batch(_BANK_PAIRS, _BANK_HOURS, figures, pack.pack, MACHINE)
        rows.append(
            (
                f"`{pack.pack}`",
                f"{bank.rows_a_second:.1f}",
                f"{bank.cores:.1f}",
                f"{bank.machines}, done in {bank.hours:.0f} h",
                f"{bank.bytes_read / 1e12:.1f} TB, {bank.bits_in / 1e6:.0f} Mbit/s",
                f"{bank.bytes_written / 1e9:.1f} GB",
            )
        )
    head = ("Pack", "Rows a second needed", "Busy cores", "Machines of 16 cores", "Photos read", "Result")
    return _table(head, rows)


def _bottlenecks(figures: Figures) -> str:
    rows = []
    for cores, name in _SCALES:
        scale = at_scale(cores, figures, PACK, TARGETS)
        full = sorted(scale.shares, key=lambda pair: -pair[1])
        also = [f"{one.name}: {share:.0%}" for one, share in full if one != scale.first and share > _NEARLY_FULL]
        first = f"{scale.first.name} ({dict(full).get(scale.first, TARGETS.utilisation):.0%})"
        rows.append((name, f"{cores:,}", f"{scale.rate:,.0f}", first, scale.first.remedy, "; ".join(also)))
    head = ("Machines", "Cores", "Matches a second", "First bottleneck", "What helps", "Next")
    return _table(head, rows)


def _simulated(simulated: Simulated) -> str:
    rows = [
        (
            one.name,
            f"{one.cores:,}",
            f"{one.rate:,.0f}",
            f"{one.requests:,}",
            f"{one.p50_ms:,.0f}",
            f"{one.p99_ms:,.0f}",
            "" if one.model_p99_ms is None else f"{one.model_p99_ms:,.0f}",
            f"{one.refused:.2%}",
            f"{one.failed:.3%}",
            f"{one.bottleneck} ({one.utilisation:.0%})",
        )
        for one in simulated.results
    ]
    head = ("Run", "Cores", "Arrivals a second", "Requests", "p50, ms", "p99, ms", "Model's p99", "503", "Lost")
    return _table((*head, "Fullest, and the load offered to it"), rows)


def _of(figures: Figures, field: str, form: str) -> str:
    return form.format(getattr(figures.database("postgresql"), field))


def _rate(figures: Figures, keys: int) -> str:
    return f"{figures.database('postgresql').most(keys):,.0f}"


def _mib(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.0f} MiB"


def _kb(count: float) -> str:
    return f"{count / 1000:,.0f} kB"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
