"""The tables of a result: header and rows, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scripts.benchmarking.growth import FACES, KEYS, PHOTOS
from scripts.benchmarking.reach import Aim, aims
from scripts.benchmarking.results import Result
from scripts.benchmarking.samples import Figures
from scripts.page import markdown, text


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a header and rows of text."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def as_text(result: Result) -> str:
    """All tables for the terminal."""
    parts = [heading(result)]
    parts += [f"{table.title}\n{text(table.header, table.rows)}" for table in all_tables(result) if table.rows]
    return "\n\n".join(parts)


def as_markdown(result: Result) -> str:
    """All tables as Markdown."""
    parts = [heading(result)]
    parts += [
        f"**{table.title}**\n\n{markdown(table.header, table.rows)}" for table in all_tables(result) if table.rows
    ]
    return "\n\n".join(parts)


def heading(result: Result) -> str:
    """The conditions in one paragraph."""
    one = result.conditions
    busy = f"other programs kept {one.others:.2f} cores busy"
    sizes = " and ".join(f"{width}x{height}" for width, height in result.sizes)
    return (
        f"Pack `{result.pack}`, {one.cores} CPUs ({one.cpu}), {one.date}, commit {one.commit}, {one.rounds} rounds; "
        f"{busy}. Card {result.photos[0]}; portrait {result.photos[1]}; our sizes {sizes}."
    )


def all_tables(result: Result) -> list[Table]:
    """In the order of printing."""
    return [main_table(result), aims_table(result), stages_table(result), *growth_tables(result)]


def main_table(result: Result) -> Table:
    """All ways to compare, and the refused requests."""
    header = ("", "way", "clients", "a second", "p50", "p95", "p99 ms", "CPU ms", "MiB")
    return Table("Comparisons", header, tuple(_row(one) for one in result.figures))


def aims_table(result: Result) -> Table:
    """The aims and what was measured."""
    rows = tuple((one.name, measured(one), bound(one), "yes" if one.reached else "no") for one in aims(result))
    return Table("Aims", ("", "measured", "aim", "reached"), rows)


def stages_table(result: Result) -> Table:
    """The stages of a match, and the start."""
    rows = [(stage, f"{value:.1f} ms") for stage, value in result.stages.items()]
    return Table("Stages of a match, both photos together", ("", "median"), tuple(rows))


def growth_tables(result: Result) -> list[Table]:
    """One table for each quantity that grew: a row for each amount, a column for each series."""
    titles: Mapping[str, str] = {
        PHOTOS: "A lone request by the size of its portrait, ms",
        FACES: "A lone request by the faces in its portrait, ms",
        KEYS: "A refused request by the number of keys, ms",
    }
    tables = []
    for quantity, title in titles.items():
        points = [one for one in result.grown if one.quantity == quantity]
        series = list(dict.fromkeys(one.series for one in points))
        amounts = sorted({one.amount for one in points})
        cells = {(one.series, one.amount): "refused" if one.absent else f"{one.ms:.1f}" for one in points}
        rows = tuple((f"{amount:,g}", *(cells.get((name, amount), "") for name in series)) for amount in amounts)
        tables.append(Table(title, (quantity, *series), rows))
    return tables


def _row(one: Figures) -> tuple[str, ...]:
    if one.absent:
        return (one.subject, one.absent, *[""] * 7)
    memory = f"{one.memory_mib:.0f}" if one.memory_mib else ""
    times = (f"{value:.{0 if value >= 100 else 1}f}" for value in (one.p50_ms, one.p95_ms, one.p99_ms))
    refused = f", {one.refused} x 503" if one.refused else ""
    return (one.subject, one.way + refused, str(one.clients), f"{one.rate:.1f}", *times, f"{one.cpu_ms:.1f}", memory)


def measured(one: Aim) -> str:
    """The value as printed."""
    return f"{one.value:.2f}" if not one.unit else f"{one.value:.{0 if one.unit == 'MiB' else 2}f} {one.unit}"


def bound(one: Aim) -> str:
    """The aim as printed."""
    sign = "at least" if one.at_least else "at most"
    return f"{sign} {one.bound:g}{f' {one.unit}' if one.unit else ''}"
