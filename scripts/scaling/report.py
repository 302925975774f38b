"""Write the tables and plots of docs/scaling.md again, after a new measurement or a change of model or simulation.

    python -m scripts.scaling.report            # simulates, some two minutes, then writes
    python -m scripts.scaling.report --tables   # takes the committed results of the simulation

A table stands between the comments `<!-- NAME -->` and `<!-- /NAME -->`; text outside stays as it is.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from scripts.scaling.experiments import digest_of, read_simulated, run_all, write_simulated
from scripts.scaling.figures import FiguresError, read_figures
from scripts.scaling.plots import all_plots
from scripts.scaling.tables import all_tables

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
PAGE: Final = DOCS / "scaling.md"
IMAGES: Final = DOCS / "images"


class PageError(Exception):
    """The page and the tables do not fit together."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    parser = argparse.ArgumentParser("python -m scripts.scaling.report", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--tables", action="store_true", help="do not simulate again")
    options = parser.parse_args(arguments)
    try:
        figures = read_figures()
        if not options.tables:
            write_simulated(run_all(figures, digest_of()))
        simulated = read_simulated()
        if simulated.figures != digest_of():
            raise FiguresError("simulated.json comes from other figures; run without --tables")
        page = with_tables(PAGE.read_text("utf-8"), all_tables(figures, simulated))
    except (FiguresError, PageError) as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    PAGE.write_text(page, "utf-8")
    for name, svg in all_plots(simulated).items():
        (IMAGES / name).write_text(svg, "utf-8")
    return 0


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    """The page with the text between each pair of comments replaced.

    Raises:
        PageError: a table has no place on the page, or a place has no table.
    """
    places = re.findall(r"<!-- (\w+) -->\n", page)
    if sorted(places) != sorted(tables):
        raise PageError(f"the page has places for {sorted(places)}, and there are tables for {sorted(tables)}")
    for name, text in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if end not in page:
            raise PageError(f"the page lacks {end}")
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n{text}\n\n{end}{after}"
    return page


if __name__ == "__main__":
    sys.exit(main())
