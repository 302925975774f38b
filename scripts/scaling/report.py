"""Write the tables and plots of docs/scaling.md again, after a new measurement or a change of model or simulation.

    python -m scripts.scaling.report            # simulates, some two minutes, then writes
    python -m scripts.scaling.report --tables   # takes the committed results of the simulation

A table stands between the comments `<!-- NAME -->` and `<!-- /NAME -->`; text outside stays as it is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scripts.page import PageError, with_tables
from scripts.scaling.experiments import digest_of, read_simulated, run_all, write_simulated
from scripts.scaling.figures import FiguresError, read_figures
from scripts.scaling.plots import all_plots
from scripts.scaling.tables import all_tables

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
PAGE: Final = DOCS / "scaling.md"
IMAGES: Final = DOCS / "images"


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


if __name__ == "__main__":
    sys.exit(main())
