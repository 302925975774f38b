"""`facematch bundle`: one archive for a machine without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facematch_local.cli.console import console
from facematch_server.cli.steps import StepWatcher

_CHECKOUT = Path(__file__).resolve().parents[3]


def bundle(
    out: Annotated[Path, typer.Option(help="Folder for the archive.")] = Path("dist"),
    pack: Annotated[list[Path] | None, typer.Option(help="Folder of a pack to add; can be repeated.")] = None,
    extra: Annotated[
        list[str] | None, typer.Option(help="Optional dependency to include, such as postgres; can be repeated.")
    ] = None,
    source: Annotated[Path, typer.Option(help="Checkout of facematch-local.")] = _CHECKOUT,
) -> None:
    """Make one archive that installs the service on a machine without a network, for this platform and Python."""
    from facematch_server.bundling import BundleError, build

    try:
        with StepWatcher(console(stderr=True)) as watcher:
            made = build(source, out, packs=pack or (), extras=extra or (), tell=watcher.tell)
    except BundleError as error:
        typer.echo(error.output, err=True, nl=False)
        raise
    size = made.archive.stat().st_size / 1e6
    typer.echo(f"{made.archive}\nsha256 {made.sha256}\nsize   {size:,.0f} MB\npacks  {', '.join(made.packs)}")
    if "standard" not in made.packs:
        typer.echo(
            "the bundle lacks the pack 'standard': its weights could not be fetched (facematch models list says why)"
        )
    if made.without_text:
        typer.echo(f"these wheels contain no licence text: {', '.join(made.without_text)}")
