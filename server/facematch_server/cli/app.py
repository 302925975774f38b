"""All commands, one line each. Command modules import heavy libraries inside their functions."""

from __future__ import annotations

from typing import Annotated

import typer

from facematch_local import __version__
from facematch_local.cli import batch, calibrate, compare, evaluate, models, samples
from facematch_server.cli import bundle, contract, db, doctor, keys, serve, top

app = typer.Typer(
    help="Offline face matching of an ID card photo and a portrait.",
    no_args_is_help=True,
    # A traceback with local variables would print photos' bytes and keys.
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.command("serve")(serve.serve)
app.command("compare")(compare.compare)
app.command("batch")(batch.batch)
app.command("doctor")(doctor.doctor)
app.command("top")(top.top)
app.command("contract")(contract.contract)
app.command("compat-check")(contract.compat_check)
app.command("samples")(samples.samples)
app.add_typer(models.app, name="models")
app.add_typer(keys.app, name="keys")
app.add_typer(db.app, name="db")
app.command("bundle")(bundle.bundle)
app.add_typer(evaluate.app, name="evaluate")
app.command("calibrate")(calibrate.calibrate)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"facematch-local {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Offline face matching of an ID card photo and a portrait."""
    del version  # the option's callback does the work
