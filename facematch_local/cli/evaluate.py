"""`facematch evaluate`: reports on labelled photos."""

from __future__ import annotations

import typer

from facematch_local.cli.evaluate_cards import card_to_selfie
from facematch_local.cli.evaluate_verification import verification
from facematch_local.cli.evaluate_warnings import warnings

app = typer.Typer(help="Measure verification and warnings on labelled photos.", no_args_is_help=True)
app.command("verification")(verification)
app.command("card-to-selfie")(card_to_selfie)
app.command("warnings")(warnings)


@app.callback()
def group() -> None:
    """Measure verification and warnings on labelled photos."""
