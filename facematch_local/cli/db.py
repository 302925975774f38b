"""`facematch db`: The database of keys and quotas."""

from __future__ import annotations

import typer

app = typer.Typer(help="The database of keys and quotas.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The database of keys and quotas."""
