"""Write the tables and plots of docs/performance.md from results of the benchmark, and add them to its history.

python scripts/benchmark.py --out standard.json
python -m scripts.benchmarking.report standard.json    # results of several packs, one file each
python -m scripts.benchmarking.report                  # only write the page again, from the committed figures
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from scripts.benchmarking.history import Entry, entry_of, read_history, with_entry, write_history
from scripts.benchmarking.plots import all_plots
from scripts.benchmarking.reach import Aim, aims
from scripts.benchmarking.results import FOLDER, Result, ResultError, from_json, to_json
from scripts.benchmarking.tables import bound, growth_tables, heading, main_table, measured, stages_table
from scripts.page import PageError, markdown, with_tables

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
PAGE: Final = DOCS / "performance.md"
IMAGES: Final = DOCS / "images"
FIGURES: Final = FOLDER / "figures"
# The pack of the curves.
_MAIN: Final = "standard"
_SHORT: Final[Mapping[str, str]] = {
    "throughput, 8 clients / bare models at 640": "rate / models at 640",
    "throughput, 8 clients / bare models at our sizes": "rate / models at our sizes",
    "p50, lone request / bare models at 640 alone": "lone / models at 640",
    "throughput, 8 clients / FaceAnalysis behind FastAPI": "rate / FaceAnalysis",
    "p99, 8 clients / FaceAnalysis behind FastAPI": "p99 / FaceAnalysis",
    "p99 / p50, 8 clients": "p99 / p50",
    "12 megapixels, JPEG / 2 megapixels, JPEG": "12 / 2 MP",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    parser = argparse.ArgumentParser(
        "python -m scripts.benchmarking.report", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("results", nargs="*", type=Path, help="files that the benchmark wrote with --out")
    options = parser.parse_args(arguments)
    try:
        history = read_history()
        for path in options.results:
            result = from_json(path.read_text("utf-8"))
            history = with_entry(history, entry_of(result))
            (FIGURES / f"{result.pack.split()[0]}.json").write_text(to_json(result) + "\n", "utf-8")
        results = read_results()
        page = with_tables(PAGE.read_text("utf-8"), page_tables(results, history))
    except (ResultError, PageError, OSError) as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    write_history(history)
    PAGE.write_text(page, "utf-8")
    for name, svg in all_plots(results[0]).items():
        (IMAGES / name).write_text(svg, "utf-8")
    return 0


def read_results(folder: Path = FIGURES) -> list[Result]:
    """The committed results, the one with the curves first.

    Raises:
        ResultError: there is none, or one is damaged.
    """
    results = [from_json(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]
    if not results:
        raise ResultError("there are no figures")
    return sorted(results, key=lambda one: one.pack.split()[0] != _MAIN)


def page_tables(results: Sequence[Result], history: Sequence[Entry]) -> dict[str, str]:
    """The tables by the names of their places."""
    grown = growth_tables(results[0])
    tables = {"comparisons": "\n\n".join(_comparisons(one) for one in results), "aims": _aims(results)}
    for name, table in zip(("photos", "faces", "keys"), grown, strict=True):
        tables[name] = markdown(table.header, table.rows)
    stages = stages_table(results[0])
    tables["stages"] = markdown(("stage, both photos together", *stages.header[1:]), stages.rows)
    tables["history"] = _history(history)
    return tables


def _comparisons(result: Result) -> str:
    table = main_table(result)
    return f"{heading(result)}\n\n{markdown(table.header, table.rows)}"


def _aims(results: Sequence[Result]) -> str:
    by_pack = [{one.name: one for one in aims(result)} for result in results]
    names = list(dict.fromkeys(name for found in by_pack for name in found))
    rows = []
    for name in names:
        first = next(found[name] for found in by_pack if name in found)
        rows.append((name, bound(first), *(_cell(found.get(name)) for found in by_pack)))
    return markdown(("", "aim", *(f"`{one.pack.split()[0]}`" for one in results)), rows)


def _cell(aim: Aim | None) -> str:
    if aim is None:
        return ""
    return f"**{measured(aim)}**" if aim.reached else measured(aim)


def _history(history: Sequence[Entry]) -> str:
    header = ("date", "commit", "machine", "pack", *_SHORT.values())
    rows = [
        (one.date, one.commit, one.machine, one.pack, *(_ratio(one.ratios.get(name)) for name in _SHORT))
        for one in history
    ]
    return markdown(header, rows)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
