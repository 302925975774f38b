"""`facematch keys`: API keys and their quotas."""

from __future__ import annotations

import typer

app = typer.Typer(help="API keys and their quotas.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """API keys and their quotas."""
