"""`facematch bundle`: one archive for a machine without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_CHECKOUT = Path(__file__).resolve().parents[2]


def bundle(
    out: Annotated[Path, typer.Option(help="Folder for the archive.")] = Path("dist"),
    pack: Annotated[list[Path] | None, typer.Option(help="Folder of a pack to add; can be repeated.")] = None,
    extra: Annotated[
        list[str] | None, typer.Option(help="Optional dependency to include, such as postgres; can be repeated.")
    ] = None,
    source: Annotated[Path, typer.Option(help="Checkout of facematch-local.")] = _CHECKOUT,
) -> None:
    """Make one archive that installs the service on a machine without a network, for this platform and Python."""
    from facematch_server.bundling import build

    made = build(source, out, packs=pack or (), extras=extra or ())
    typer.echo(f"{made.archive}\nsha256 {made.sha256}\npacks  {', '.join(made.packs)}")
    if "standard" not in made.packs:
        typer.echo(
            "the bundle lacks the pack 'standard': its weights could not be fetched (facematch models list says why)"
        )
    if made.without_text:
        typer.echo(f"these wheels contain no licence text: {', '.join(made.without_text)}")
