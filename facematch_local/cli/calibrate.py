"""`facematch calibrate`: Make the curve from cosine to percent from own photos."""

from __future__ import annotations

import typer

app = typer.Typer(help="Make the curve from cosine to percent from own photos.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Make the curve from cosine to percent from own photos."""
