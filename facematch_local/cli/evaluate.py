"""`facematch evaluate`: Measure verification and warnings on labelled photos."""

from __future__ import annotations

import typer

app = typer.Typer(help="Measure verification and warnings on labelled photos.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Measure verification and warnings on labelled photos."""
